#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/io/printer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/strutil.h>

#include "actors/codegen/generator.hpp"
#include "actors/codegen/names.hpp"

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;

const char* boolean(bool value) {
  return value ? "true" : "false";
}

// Through a message of the same file, so that the linker keeps the file's descriptors.
std::string descriptor_expression(const pb::ServiceDescriptor& service) {
  return cpp_class(*service.file()->message_type(0)) +
         "::descriptor()->file()->FindServiceByName(\"" + service.name() + "\")";
}

// Another one for each file of a package: they may be compiled as one unit.
std::string comments_name(const pb::FileDescriptor& file) {
  return "troupe_comments_of_" + file.service(0)->name();
}

void write_service_type(pb::io::Printer& out, const Service& service) {
  const auto& package = service.descriptor->file()->package();
  out.Print(
      "const ::troupe::actors::ServiceType& $service$Entity::service_type() {\n"
      "  static const ::troupe::actors::ServiceType type = [] {\n"
      "    ::troupe::actors::ServiceType made;\n"
      "    made.name = \"$full_name$\";\n"
      "    made.context = \"$context$\";\n"
      "    made.kind = ::troupe::actors::ServiceKind::entity;\n"
      "    made.methods = {\n",
      "service", service.descriptor->name(), "full_name", service.descriptor->full_name(),
      "context", package.substr(0, package.find('.')));
  for (const auto& method : service.methods)
    out.Print(
        "        {\"$method$\", $read_only$, $stale_ok$,\n"
        "         [](std::string_view request) {\n"
        "           return ::troupe::actors::find_key(request, $number$, \"$key$\");\n"
        "         },\n"
        "         $versioned$},\n",
        "method", method.descriptor->name(), "read_only", boolean(method.read_only), "stale_ok",
        boolean(method.stale_ok), "versioned", boolean(method.versioned), "number",
        std::to_string(method.key->number()), "key", method.key->name());
  out.Print(
      "    };\n"
      "    made.comments = $comments$;\n"
      "    made.descriptor = [] {\n"
      "      return $descriptor$;\n"
      "    };\n"
      "    return made;\n"
      "  }();\n"
      "  return type;\n"
      "}\n\n",
      "descriptor", descriptor_expression(*service.descriptor), "comments",
      comments_name(*service.descriptor->file()));
}

void write_comments(pb::io::Printer& out, const std::string& name,
                    const std::vector<Comment>& comments) {
  if (comments.empty())
    return out.Print(
        "namespace {\n\n"
        "constexpr ::std::span<const ::troupe::actors::Comment> $name$;\n\n"
        "}  // namespace\n\n",
        "name", name);
  out.Print("namespace {\n\nconstexpr ::troupe::actors::Comment $name$[] = {\n", "name", name);
  for (const auto& comment : comments)
    out.Print("    {\"$of$\",\n     \"$text$\"},\n", "of", comment.of, "text",
              pb::CEscape(comment.text));
  out.Print("};\n\n}  // namespace\n\n");
}

void write_effects(pb::io::Printer& out, const Service& service) {
  for (const auto* event : service.events)
    out.Print(
        "void $service$Entity::Effects::emit(const $event$& event) {\n"
        "  record(::troupe::actors::encode_member($number$, $encode$(event)));\n"
        "  static_cast<$service$Entity&>(entity_).apply(event);\n"
        "}\n\n",
        "service", service.descriptor->name(), "event", cpp_class(*event->message_type()), "number",
        std::to_string(event->number()), "encode", encode_function(*event->message_type()));
}

void write_execute(pb::io::Printer& out, const Service& service) {
  out.Print(
      "::troupe::actors::Entity::Outcome $service$Entity::execute(std::size_t method,\n"
      "    std::string_view request) {\n"
      "  switch (method) {\n",
      "service", service.descriptor->name());
  for (std::size_t i = 0; i < service.methods.size(); ++i) {
    const auto& method = service.methods[i];
    out.Print(
        "    case $index$: {\n"
        "      $request$ message;\n"
        "      if (!::troupe::actors::decode(request, message))\n"
        "        return ::troupe::actors::malformed_request(service_type(), method);\n",
        "index", std::to_string(i), "request", cpp_class(*method.descriptor->input_type()));
    if (method.read_only)
      out.Print("      return ::troupe::actors::finish($method$(message), $encode$);\n", "method",
                method.descriptor->name(), "encode",
                encode_function(*method.descriptor->output_type()));
    else
      out.Print(
          "      Effects effects{*this};\n"
          "      return ::troupe::actors::finish($method$(message, effects), $encode$, effects);\n",
          "method", method.descriptor->name(), "encode",
          encode_function(*method.descriptor->output_type()));
    out.Print("    }\n");
  }
  out.Print(
      "    default:\n"
      "      return ::troupe::actors::unknown_method(service_type(), method);\n"
      "  }\n"
      "}\n\n");
}

void write_history(pb::io::Printer& out, const Service& service) {
  out.Print(
      "::troupe::actors::HistoryPage<$service$Entity::Event> $service$Entity::history(\n"
      "    ::troupe::actors::HistoryOrder order, std::uint64_t from, std::size_t limit) const {\n"
      "  return ::troupe::actors::decode_history<Event>(service_type(), context(), order, from, "
      "limit);\n"
      "}\n\n",
      "service", service.descriptor->name());
}

void define_ref(pb::io::Printer& out, const Service& service) {
  for (std::size_t i = 0; i < service.methods.size(); ++i) {
    const auto& method = service.methods[i];
    out.Print(
        "::troupe::actors::Call<$response$> $service$Ref::$method$(\n"
        "    $request$ request) const {\n",
        "service", service.descriptor->name(), "method", method.descriptor->name(), "request",
        cpp_class(*method.descriptor->input_type()), "response",
        cpp_class(*method.descriptor->output_type()));
    out.Print(
        "  request.set_$key$(troupe_key_);\n"
        "  ::troupe::actors::Call<$response$> call;\n"
        "  call.service = &$service$Entity::service_type();\n"
        "  call.method = $index$;\n"
        "  call.key = troupe_key_;\n"
        "  call.payload = $encode$(request);\n"
        "  return call;\n"
        "}\n\n",
        "service", service.descriptor->name(), "response",
        cpp_class(*method.descriptor->output_type()), "key",
        pb::compiler::cpp::FieldName(method.key), "index", std::to_string(i), "encode",
        encode_function(*method.descriptor->input_type()));
  }
}

}  // namespace

std::string write_source(const Contract& contract) {
  std::string text;
  pb::io::StringOutputStream stream{&text};
  pb::io::Printer out{&stream, '$'};
  out.Print(
      "// Generated by protoc-gen-troupe from $file$: change that, not this.\n"
      "#include \"$header$\"\n"
      "\n"
      "#include <google/protobuf/descriptor.h>\n"
      "\n"
      "#include \"actors/encoding.hpp\"\n"
      "\n"
      "namespace $namespace$ {\n\n",
      "file", contract.file->name(), "header", troupe_header(*contract.file), "namespace",
      cpp_namespace(*contract.file));
  if (!contract.services.empty())
    write_comments(out, comments_name(*contract.file), comments_of(*contract.file));
  for (const auto& service : contract.services) {
    write_service_type(out, service);
    write_effects(out, service);
    write_execute(out, service);
    write_history(out, service);
    define_ref(out, service);
  }
  out.Print("}  // namespace $namespace$\n", "namespace", cpp_namespace(*contract.file));
  return text;
}

}  // namespace troupe::codegen
