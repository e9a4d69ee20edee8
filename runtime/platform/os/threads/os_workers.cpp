#include "runtime/platform/os/os_workers.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/platform/os/threads/threads.hpp"

namespace troupe::runtime {
namespace {

using Job = std::function<void()>;
using OnBug = std::function<void(const Error&)>;

[[noreturn]] void misuse(const std::string& queue, const char* what) {
  std::fprintf(stderr, "worker queue '%s' %s\n", queue.c_str(), what);
  std::abort();
}

void run(Job& job, const std::string& queue, const OnBug& on_bug) {
  std::string what;
  try {
    job();
    job = nullptr;  // what it holds is released on this thread and before the next job
    return;
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
    what = "something that is not a std::exception";
  }
  on_bug(internal("WORKER_JOB_FAILED", "a job of the worker queue '" + queue + "' threw: " + what));
}

class DedicatedQueue final : public WorkQueue {
 public:
  DedicatedQueue(std::string name, OnBug on_bug)
      : name_(std::move(name)), on_bug_(std::move(on_bug)), thread_([this] { work(); }) {}

  ~DedicatedQueue() override {
    if (std::this_thread::get_id() == thread_.get_id())
      misuse(name_, "was destroyed by one of its own jobs");
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void post(Job job) override {
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      jobs_.push_back(std::move(job));
      wake = std::exchange(sleeping_, false);
    }
    if (wake) wake_.notify_one();
  }

 private:
  void work() {
    begin_thread(name_);
    std::vector<Job> batch;
    for (;;) {
      {
        std::unique_lock lock{mutex_};
        while (jobs_.empty() && !stopping_) {
          sleeping_ = true;
          wake_.wait(lock);
        }
        if (jobs_.empty()) return;
        batch.swap(jobs_);
      }
      for (auto& job : batch) run(job, name_, on_bug_);
      batch.clear();
    }
  }

  const std::string name_;
  const OnBug on_bug_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> jobs_;
  bool sleeping_ = false;  // the worker waits and nobody has woken it yet
  bool stopping_ = false;
  std::thread thread_;  // last: it uses what stands above
};

class Pool;

class PooledQueue final : public WorkQueue {
 public:
  PooledQueue(Pool& pool, std::string name);
  ~PooledQueue() override;
  void post(Job job) override;

 private:
  friend class Pool;
  Pool& pool_;
  const std::string name_;
  // Guarded by the pool's mutex.
  std::vector<Job> jobs_;
  bool busy_ = false;  // in the pool's line or in the hands of one of its threads
  std::thread::id runner_;
  std::condition_variable idle_;
};

class Pool {
 public:
  Pool(std::size_t threads, int nice, OnBug on_bug) : on_bug_(std::move(on_bug)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i)
      threads_.emplace_back([this, nice, i] { work(nice, i); });
  }

  ~Pool() {
    {
      const std::lock_guard lock{mutex_};
      if (!queues_.empty()) misuse(queues_.begin()->second, "outlives its Workers");
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  friend class PooledQueue;

  void post(PooledQueue& queue, Job job) {
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      queue.jobs_.push_back(std::move(job));
      if (!queue.busy_) {
        queue.busy_ = true;
        line_.push_back(&queue);
        wake = sleeping_ > 0;
        if (wake) --sleeping_;
      }
    }
    if (wake) wake_.notify_one();
  }

  void add(PooledQueue& queue) {
    const std::lock_guard lock{mutex_};
    queues_.emplace(&queue, queue.name_);
  }

  void finish_and_remove(PooledQueue& queue) {
    std::unique_lock lock{mutex_};
    if (queue.runner_ == std::this_thread::get_id())
      misuse(queue.name_, "was destroyed by one of its own jobs");
    queue.idle_.wait(lock, [&] { return !queue.busy_; });
    queues_.erase(&queue);
  }

  void work(int nice, std::size_t number) {
    begin_thread("pool-" + std::to_string(number));
    lower_priority(nice);
    std::vector<Job> batch;
    std::unique_lock lock{mutex_};
    for (;;) {
      while (line_.empty() && !stopping_) {
        ++sleeping_;
        wake_.wait(lock);
      }
      if (line_.empty()) return;
      PooledQueue& queue = *line_.front();
      line_.pop_front();
      queue.runner_ = std::this_thread::get_id();
      batch.swap(queue.jobs_);
      lock.unlock();
      for (auto& job : batch) run(job, queue.name_, on_bug_);
      batch.clear();
      lock.lock();
      queue.runner_ = {};
      if (queue.jobs_.empty()) {
        queue.busy_ = false;
        queue.idle_.notify_all();  // under the lock: the waiter then destroys the queue
      } else {
        line_.push_back(&queue);  // behind the others, so that none starves
      }
    }
  }

  const OnBug on_bug_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<PooledQueue*> line_;
  std::map<PooledQueue*, std::string> queues_;
  std::size_t sleeping_ = 0;  // threads that wait and that nobody has woken yet
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they use what stands above
};

PooledQueue::PooledQueue(Pool& pool, std::string name) : pool_(pool), name_(std::move(name)) {
  pool_.add(*this);
}

PooledQueue::~PooledQueue() {
  pool_.finish_and_remove(*this);
}

void PooledQueue::post(Job job) {
  pool_.post(*this, std::move(job));
}

class OsWorkers final : public Workers {
 public:
  explicit OsWorkers(OsWorkersOptions options)
      : on_bug_(std::move(options.on_bug)),
        pool_(options.pool_threads, options.pool_nice, on_bug_) {}

  std::unique_ptr<WorkQueue> queue(const std::string& name, Kind kind) override {
    if (kind == Kind::dedicated) return std::make_unique<DedicatedQueue>(name, on_bug_);
    return std::make_unique<PooledQueue>(pool_, name);
  }

 private:
  const OnBug on_bug_;
  Pool pool_;
};

}  // namespace

std::unique_ptr<Workers> make_os_workers(OsWorkersOptions options) {
  return std::make_unique<OsWorkers>(std::move(options));
}

}  // namespace troupe::runtime
