// protoc-gen-troupe: protoc --plugin=protoc-gen-troupe --troupe_out=DIR FILE
#include <google/protobuf/compiler/plugin.h>

#include "actors/codegen/generator.hpp"

int main(int argc, char** argv) {
  const troupe::codegen::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
