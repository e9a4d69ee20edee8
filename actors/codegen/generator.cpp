#include "actors/codegen/generator.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;

bool write_file(pb::compiler::GeneratorContext& context, const std::string& name,
                std::string_view text) {
  const std::unique_ptr<pb::io::ZeroCopyOutputStream> stream{context.Open(name)};
  while (!text.empty()) {
    void* buffer = nullptr;
    int size = 0;
    if (!stream->Next(&buffer, &size)) return false;
    const auto used = std::min(static_cast<std::size_t>(size), text.size());
    std::memcpy(buffer, text.data(), used);
    text.remove_prefix(used);
    stream->BackUp(size - static_cast<int>(used));
  }
  return true;
}

}  // namespace

bool Generator::Generate(const pb::FileDescriptor* file, const std::string& parameter,
                         pb::compiler::GeneratorContext* context, std::string* error) const {
  return GenerateAll({file}, parameter, context, error);
}

bool Generator::GenerateAll(const std::vector<const pb::FileDescriptor*>& files,
                            const std::string& parameter, pb::compiler::GeneratorContext* context,
                            std::string* error) const {
  if (!parameter.empty()) {
    *error = "protoc-gen-troupe takes no parameter, unlike \"" + parameter + "\"; remove it";
    return false;
  }
  Mistakes mistakes;
  std::vector<Contract> contracts;
  for (const auto* file : files) contracts.push_back(read_contract(*file, mistakes));
  if (!mistakes.empty()) {
    // protoc puts the plugin's name before the first line; the list begins on the next one, so that
    // editors find every place.
    *error = "the contract has mistakes:";
    for (const auto& line : mistakes.lines()) *error += "\n" + line;
    return false;
  }
  for (const auto& contract : contracts) {
    const auto stem = pb::compiler::StripProto(contract.file->name()) + ".troupe";
    if (!write_file(*context, stem + ".hpp", write_header(contract)) ||
        !write_file(*context, stem + ".cpp", write_source(contract))) {
      *error = stem + ": cannot be written";
      return false;
    }
  }
  return true;
}

}  // namespace troupe::codegen
