// protoc-gen-troupe as a library, so that tests drive it without a process.
#pragma once

#include <google/protobuf/compiler/code_generator.h>

#include "actors/codegen/contract.hpp"

namespace troupe::codegen {

// For "banking/v1/accounts.proto" writes banking/v1/accounts.troupe.hpp and .cpp: for each service
// of kind ENTITY a class <Service>Entity to derive from and a class <Service>Ref to call it by. A
// contract with mistakes gives no file and an error of one line per mistake.
class Generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context,
                std::string* error) const override;
  bool GenerateAll(const std::vector<const google::protobuf::FileDescriptor*>& files,
                   const std::string& parameter,
                   google::protobuf::compiler::GeneratorContext* context,
                   std::string* error) const override;
  std::uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

// The text of the two files.
std::string write_header(const Contract& contract);
std::string write_source(const Contract& contract);

}  // namespace troupe::codegen
