// docs/annotations.md says what actors/contracts/troupe/options.proto says.
#include <doctest/doctest.h>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>

#include "tests/actors/codegen/contract_text.hpp"
#include "tests/generated_page.hpp"

namespace {

namespace pb = google::protobuf;

const std::string annotations_page = TROUPE_SOURCE_FOLDER "/docs/annotations.md";

template <class Descriptor>
std::string meaning(const Descriptor& described) {
  pb::SourceLocation place;
  REQUIRE_MESSAGE(
      (described.GetSourceLocation(&place) && !place.leading_comments.empty()),
      "options.proto says nothing of " << described.full_name() << "; write a comment above it");
  std::string text = place.leading_comments;
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(" \n") + 1);
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at))
    text.replace(at, text.find_first_not_of(" \n", at) - at, " ");
  return text;
}

std::string default_of(const pb::FieldDescriptor& option) {
  if (option.enum_type() != nullptr) return option.default_value_enum()->name();
  if (option.type() == pb::FieldDescriptor::TYPE_BOOL) return "false";
  REQUIRE(option.type() == pb::FieldDescriptor::TYPE_STRING);
  return "\"\"";
}

std::string annotations_markdown(const pb::FileDescriptor& file) {
  std::string text;
  for (int i = 0; i < file.extension_count(); ++i) {
    const pb::FieldDescriptor& extension = *file.extension(i);
    text += "### `(" + extension.full_name() + ")`\n\n" + meaning(extension) +
            "\n\n| option | type | default | meaning |\n| --- | --- | --- | --- |\n";
    const pb::Descriptor& options = *extension.message_type();
    for (int f = 0; f < options.field_count(); ++f) {
      const pb::FieldDescriptor& option = *options.field(f);
      const std::string type = option.enum_type() ? option.enum_type()->name() : option.type_name();
      text += "| `" + option.name() + "` | " + type + " | `" + default_of(option) + "` | " +
              meaning(option) + " |\n";
    }
    text += "\n";
  }
  for (int i = 0; i < file.enum_type_count(); ++i) {
    const pb::EnumDescriptor& type = *file.enum_type(i);
    text += "### `" + type.name() + "`\n\n| value | meaning |\n| --- | --- |\n";
    for (int v = 0; v < type.value_count(); ++v)
      text += "| `" + type.value(v)->name() + "` | " + meaning(*type.value(v)) + " |\n";
  }
  return text;
}

// What stands in the page as ```proto.
std::string example_of(const std::string& page) {
  const std::string fence = "```proto\n";
  const auto begin = page.find(fence) + fence.size();
  REQUIRE(begin > fence.size());
  return page.substr(begin, page.find("```", begin) - begin);
}

}  // namespace

TEST_CASE("docs/annotations.md holds every option with type, default and meaning") {
  ContractSources sources{""};
  ContractFailures failures;
  pb::compiler::Importer importer{&sources, &failures};
  const auto* file = importer.Import("troupe/options.proto");
  REQUIRE(file != nullptr);
  troupe::tests::check_generated_part(annotations_page, annotations_markdown(*file));
}

TEST_CASE("the example of docs/annotations.md is a good contract and uses every option") {
  const std::string example = example_of(troupe::tests::read_page(annotations_page));
  CHECK(mistakes_of(example) == Lines{});
  ContractSources sources{""};
  ContractFailures failures;
  pb::compiler::Importer importer{&sources, &failures};
  const auto* file = importer.Import("troupe/options.proto");
  REQUIRE(file != nullptr);
  for (int i = 0; i < file->message_type_count(); ++i)
    for (int f = 0; f < file->message_type(i)->field_count(); ++f) {
      const std::string& name = file->message_type(i)->field(f)->name();
      CHECK_MESSAGE(example.find(name + ": ") != std::string::npos,
                    "the example shows no '" << name << "'");
    }
}
