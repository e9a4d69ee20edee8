// A shard that remembers what its group told it, and whose file is a line of text.
#pragma once

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/shard/consensus.hpp"
#include "runtime/platform/disk.hpp"

namespace troupe::cluster::test {

inline runtime::SharedBytes bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// A shard that remembers what it was told.
class Witness final : public actors::ConsensusObserver {
 public:
  struct Entry {
    runtime::LogIndex index;
    runtime::Term term;
    std::string payload;  // "-": none
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  void on_committed(runtime::LogIndex index, runtime::Term term,
                    runtime::SharedBytes payload) override {
    committed.push_back({index, term, payload ? *payload : "-"});
  }
  void on_leading(runtime::Term term) override {
    leading = term;
    ++elections;
  }
  void on_not_leading(const Error& why) override {
    leading = 0;
    losses.push_back(why);
  }
  void on_following(const Error& why) override { following.push_back(why); }
  void on_members_changed() override { ++members_changes; }
  void on_failed(const Error& why) override { failed.push_back(why); }

  // --- its file: what it was told, as text, in a folder of the test's
  std::string file_of(std::uint64_t generation) const override {
    return folder + "/g" + std::to_string(generation);
  }
  void copy_file(const std::string& path, FileDone done) override {
    if (rotten) return done(data_loss("SHARD_FILE_CORRUPT", "the test wants it so"));
    const Entry last = committed.empty() ? Entry{} : committed.back();
    if (!disk->write(path, std::to_string(last.index) + " " + std::to_string(last.term) +
                               std::string(padding, '.')))
      throw std::logic_error("the test's folder cannot be written");
    ++copies;
    done(FileContent{last.index, last.term});
  }
  void inspect_file(std::uint64_t generation, FileDone done) override {
    if (rotten) return done(data_loss("SHARD_FILE_CORRUPT", "the test wants it so"));
    const auto text = disk->read(file_of(generation));
    FileContent content;
    if (!text || std::sscanf(text->c_str(), "%lu %lu", &content.index, &content.term) != 2)
      return done(data_loss("SHARD_FILE_CORRUPT", "not the test's file"));
    done(content);
  }
  void on_file_replaced() override { ++replaced; }

  std::string folder;
  runtime::Disk* disk = nullptr;
  std::size_t padding = 0;
  bool rotten = false;  // whatever it reads is
  int copies = 0;
  int members_changes = 0;
  int replaced = 0;
  std::vector<Error> following;

  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const Entry& entry : committed)
      if (entry.payload != "-") all.push_back(entry.payload);
    return all;
  }

  std::vector<Entry> committed;
  runtime::Term leading = 0;  // 0: not leading
  int elections = 0;
  std::vector<Error> losses;
  std::vector<Error> failed;
};

}  // namespace troupe::cluster::test
