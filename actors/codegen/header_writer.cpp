#include <google/protobuf/io/printer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <map>
#include <set>

#include "actors/codegen/generator.hpp"
#include "actors/codegen/names.hpp"

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;
using Words = std::map<std::string, std::string>;

void write_entity(pb::io::Printer& out, const Service& service) {
  const Words words{{"comment", comment_of(*service.descriptor, "")},
                    {"service", service.descriptor->name()},
                    {"full_name", service.descriptor->full_name()},
                    {"state", cpp_class(*service.state)},
                    {"event", cpp_class(*service.event)}};
  out.Print(words,
            "$comment$"
            "//\n"
            "// The base of the class that implements $full_name$.\n"
            "class $service$Entity : public ::troupe::actors::Entity {\n"
            " public:\n"
            "  using State = $state$;\n"
            "  using Event = $event$;\n"
            "\n"
            "  // What a command does: valid during the handler's call only.\n"
            "  class Effects final : public ::troupe::actors::EffectsBase {\n"
            "   public:\n"
            "    using EffectsBase::EffectsBase;\n");
  for (const auto* event : service.events)
    out.Print("    void emit(const $event$& event);\n", "event", cpp_class(*event->message_type()));
  out.Print(
      "  };\n"
      "\n"
      "  static const ::troupe::actors::ServiceType& service_type();\n"
      "  const ::troupe::actors::ServiceType& type() const final { return service_type(); }\n"
      "  Outcome execute(std::size_t method, std::string_view request) final;\n"
      "  ::google::protobuf::Message& state_message() final { return troupe_state_; }\n"
      "\n"
      " protected:\n"
      "  // Handlers: read state(), return a reply, change state by effects.emit() only.\n");
  for (const auto& method : service.methods) {
    const Words method_words{{"comment", comment_of(*method.descriptor, "  ")},
                             {"method", method.descriptor->name()},
                             {"request", cpp_class(*method.descriptor->input_type())},
                             {"response", cpp_class(*method.descriptor->output_type())},
                             {"effects", method.read_only ? "" : ", Effects& effects"}};
    out.Print(method_words,
              "$comment$"
              "  virtual ::troupe::Result<$response$> $method$(\n"
              "      const $request$& request$effects$) const = 0;\n");
  }
  out.Print("\n  // What an event does to state(): cannot fail, and depends on nothing else.\n");
  for (const auto* event : service.events)
    out.Print("  virtual void apply(const $event$& event) = 0;\n", "event",
              cpp_class(*event->message_type()));
  out.Print(words,
            "\n"
            "  const State& state() const { return troupe_state_; }\n"
            "  State& state() { return troupe_state_; }  // for apply()\n"
            "\n"
            "  // Stored events from number `from` on (0: the first in that order), at most 1000.\n"
            "  ::troupe::actors::HistoryPage<Event> history(::troupe::actors::HistoryOrder order,\n"
            "                                               std::uint64_t from,\n"
            "                                               std::size_t limit) const;\n"
            "\n"
            " private:\n"
            "  State troupe_state_;\n"
            "};\n\n");
}

void declare_ref(pb::io::Printer& out, const Service& service) {
  out.Print(
      "// Addresses one entity of $full_name$; a method makes a call that a Client carries out.\n"
      "class $service$Ref {\n"
      " public:\n"
      "  explicit $service$Ref(std::string key) : troupe_key_(std::move(key)) {}\n"
      "  const std::string& key() const { return troupe_key_; }\n"
      "\n"
      "  // The key field of the request is set here.\n",
      "full_name", service.descriptor->full_name(), "service", service.descriptor->name());
  for (const auto& method : service.methods)
    out.Print(
        "  ::troupe::actors::Call<$response$> $method$(\n"
        "      $request$ request = {}) const;\n",
        "method", method.descriptor->name(), "request", cpp_class(*method.descriptor->input_type()),
        "response", cpp_class(*method.descriptor->output_type()));
  out.Print(
      "\n"
      " private:\n"
      "  std::string troupe_key_;\n"
      "};\n\n");
}

// Of every file whose messages the classes name.
std::set<std::string> message_headers(const Contract& contract) {
  std::set<std::string> headers{messages_header(*contract.file)};
  for (const auto& service : contract.services) {
    headers.insert(messages_header(*service.state->file()));
    headers.insert(messages_header(*service.event->file()));
    for (const auto* event : service.events)
      headers.insert(messages_header(*event->message_type()->file()));
    for (const auto& method : service.methods) {
      headers.insert(messages_header(*method.descriptor->input_type()->file()));
      headers.insert(messages_header(*method.descriptor->output_type()->file()));
    }
  }
  return headers;
}

}  // namespace

std::string write_header(const Contract& contract) {
  std::string text;
  pb::io::StringOutputStream stream{&text};
  pb::io::Printer out{&stream, '$'};
  out.Print(
      "// Generated by protoc-gen-troupe from $file$: change that, not this.\n"
      "#pragma once\n"
      "\n"
      "#include <cstddef>\n"
      "#include <cstdint>\n"
      "#include <string>\n"
      "#include <string_view>\n"
      "#include <utility>\n"
      "\n"
      "#include \"actors/client.hpp\"\n"
      "#include \"actors/entity.hpp\"\n"
      "#include \"actors/service.hpp\"\n",
      "file", contract.file->name());
  for (const auto& header : message_headers(contract))
    out.Print("#include \"$header$\"\n", "header", header);
  out.Print("\nnamespace $namespace$ {\n\n", "namespace", cpp_namespace(*contract.file));
  for (const auto& service : contract.services) {
    write_entity(out, service);
    declare_ref(out, service);
  }
  out.Print("}  // namespace $namespace$\n", "namespace", cpp_namespace(*contract.file));
  return text;
}

}  // namespace troupe::codegen
