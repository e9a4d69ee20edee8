#include "cluster/gateway/idempotency_key.hpp"

#include <string>

namespace troupe::cluster {
namespace {

constexpr std::size_t key_bytes_max = 255;

Error invalid(const std::string& what) {
  return invalid_argument("IDEMPOTENCY_KEY_INVALID",
                          "Idempotency-Key " + what +
                              "; send 1 to 255 printable ASCII characters in quotes, such as "
                              "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"");
}

// A String of RFC 8941, section 3.3.3, without its quotes.
std::optional<std::string> unquote(std::string_view text) {
  std::string key;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') return at + 1 == text.size() ? std::optional{key} : std::nullopt;
    if (c == '\\') {
      ++at;
      if (at == text.size() || (text[at] != '"' && text[at] != '\\')) return std::nullopt;
      key += text[at];
    } else if (c < 0x20 || c > 0x7E) {
      return std::nullopt;
    } else {
      key += c;
    }
  }
  return std::nullopt;
}

bool is_bare(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c > 0x7E || c == '"' || c == ',' || c == ';' || c == '\\') return false;
  }
  return true;
}

}  // namespace

Result<std::optional<actors::MessageId>> idempotency_key(const HttpRequest& request) {
  const auto* header = request.header("Idempotency-Key");
  if (header == nullptr) return std::optional<actors::MessageId>{};
  if (request.count("Idempotency-Key") > 1) return invalid("was sent more than once");
  std::optional<std::string> key;
  if (header->starts_with('"')) {
    key = unquote(*header);
  } else if (is_bare(*header)) {
    key = *header;
  }
  if (!key) return invalid("is neither a quoted string nor a plain word");
  if (key->empty()) return invalid("is empty");
  if (key->size() > key_bytes_max) return invalid("is too long");
  return std::optional{actors::MessageId::from_key(*key)};
}

}  // namespace troupe::cluster
