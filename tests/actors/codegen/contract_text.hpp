// A contract that is a text, read as the generator reads one.
#pragma once

#include <doctest/doctest.h>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <string>
#include <utility>
#include <vector>

#include "actors/codegen/contract.hpp"

using Lines = std::vector<std::string>;

// x.proto from memory, everything else from the folders of imports.
class ContractSources final : public google::protobuf::compiler::SourceTree {
 public:
  explicit ContractSources(std::string contract) : contract_(std::move(contract)) {
    disk_.MapPath("", TROUPE_CONTRACTS);
    disk_.MapPath("", PROTOBUF_INCLUDES);
  }
  google::protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override {
    if (name != "x.proto") return disk_.Open(name);
    return new google::protobuf::io::ArrayInputStream(contract_.data(),
                                                      static_cast<int>(contract_.size()));
  }

 private:
  std::string contract_;
  google::protobuf::compiler::DiskSourceTree disk_;
};

class ContractFailures final : public google::protobuf::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& name, int line, int, const std::string& message) override {
    FAIL("not even Protobuf accepts it: ", name, ":", line + 1, ": ", message);
  }
};

inline Lines mistakes_of(std::string contract) {
  ContractSources sources{std::move(contract)};
  ContractFailures failures;
  google::protobuf::compiler::Importer importer{&sources, &failures};
  const auto* file = importer.Import("x.proto");
  REQUIRE(file != nullptr);
  troupe::codegen::Mistakes mistakes;
  troupe::codegen::read_contract(*file, mistakes);
  return mistakes.lines();
}
