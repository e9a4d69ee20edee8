#include "simulations/world/trace.hpp"

#include <xxhash.h>

#include <cstdio>
#include <ostream>

namespace troupe::simulations {

namespace {

// Fixed width and byte order, so that every build hashes the same.
void append(std::string& out, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(number >> shift));
}

void append(std::string& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  out.append(text);
}

}  // namespace

void Trace::record(Duration time, std::uint32_t node, std::string_view node_name,
                   std::string_view kind, std::string_view name, std::string_view bytes) {
  buffer_.clear();
  append(buffer_, static_cast<std::uint64_t>(time.count()));
  append(buffer_, std::uint64_t{node});
  append(buffer_, kind);
  append(buffer_, name);
  append(buffer_, std::uint64_t{bytes.size()});
  append(buffer_, XXH3_64bits(bytes.data(), bytes.size()));
  hash_ = XXH3_64bits_withSeed(buffer_.data(), buffer_.size(), hash_);
  ++events_;
  if (sink_ != nullptr) sink_->on_event({time, node, node_name, kind, name, bytes, hash_});
  if (text_ == nullptr) return;
  char time_text[32];
  const auto nanoseconds = static_cast<long long>(time.count());
  std::snprintf(time_text, sizeof time_text, "%6lld.%09lld", nanoseconds / 1'000'000'000,
                nanoseconds % 1'000'000'000);
  char hash_text[20];
  std::snprintf(hash_text, sizeof hash_text, "%016llx", static_cast<unsigned long long>(hash_));
  *text_ << time_text << ' ' << node_name << ' ' << kind << ' ' << name << ' ' << bytes.size()
         << ' ' << hash_text << '\n';
}

}  // namespace troupe::simulations
