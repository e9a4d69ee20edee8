// The shard's SQLite file, reached without blocking the shard's actor: jobs run in order on the
// shard's Workers queue, their results come back to the actor as posted closures.
//
// The queue outlives the actor (a restarted shard gets the same one), so that the file of the
// former actor is closed before that of the next is opened.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "actors/shard/consensus.hpp"
#include "runtime/platform/workers.hpp"
#include "runtime/storage/shard_file.hpp"

namespace troupe::actors {

class ShardFiles {
 public:
  ShardFiles(std::shared_ptr<runtime::WorkQueue> queue, std::shared_ptr<Executor> executor)
      : queue_(std::move(queue)), executor_(std::move(executor)), slot_(std::make_shared<Slot>()) {}

  ~ShardFiles() {
    queue_->post([slot = slot_] { slot->file.reset(); });
  }
  ShardFiles(const ShardFiles&) = delete;
  ShardFiles& operator=(const ShardFiles&) = delete;

  using Opener = std::function<Result<std::unique_ptr<runtime::ShardFile>>()>;

  // `done` hears what the file had applied.
  void open(Opener opener, std::function<void(Result<runtime::ShardFile::Applied>)> done) {
    post<runtime::ShardFile::Applied>(
        [opener = std::move(opener)](Slot& slot) -> Result<runtime::ShardFile::Applied> {
          auto file = opener();
          if (!file) return std::move(file).error();
          slot.file = *std::move(file);
          return slot.file->applied();
        },
        std::move(done));
  }

  // Runs `job` on the open file. Only after open() succeeded.
  template <class T>
  void run(std::function<Result<T>(runtime::ShardFile&)> job, std::function<void(Result<T>)> done) {
    post<T>([job = std::move(job)](Slot& slot) { return job(*slot.file); }, std::move(done));
  }

  // Lets go of what is dear to destroy (thousands of entries) where it delays no command.
  void dispose(std::shared_ptr<const void> what) {
    queue_->post([what = std::move(what)]() mutable { what.reset(); });
  }

 private:
  struct Slot {
    std::unique_ptr<runtime::ShardFile> file;  // touched on the queue only
  };

  template <class T>
  void post(std::function<Result<T>(Slot&)> job, std::function<void(Result<T>)> done) {
    queue_->post(
        [slot = slot_, executor = executor_, job = std::move(job), done = std::move(done)] {
          auto result = std::make_shared<Result<T>>(job(*slot));
          executor->post([result, done] { done(std::move(*result)); });
        });
  }

  std::shared_ptr<runtime::WorkQueue> queue_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<Slot> slot_;
};

}  // namespace troupe::actors
