// Whole text files, for commands: what cannot be done is a sentence for whoever typed the name.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace troupe::cluster {

// `what` says what the file should be: "a manifest". "-" is a file like any other.
tl::expected<std::string, std::string> read_text_file(const std::string& file,
                                                      const std::string& what);

// Replaces the file as a whole, durably; `mode` as for chmod. Empty, or why it could not be done.
std::string write_text_file(const std::string& file, const std::string& text, unsigned mode);

// Standard input up to its end.
tl::expected<std::string, std::string> read_standard_input();

// Empty if the file can be written, else why not. It is not changed, and not there afterwards if it
// was not there before.
std::string why_not_writable(const std::string& file);

}  // namespace troupe::cluster
