#include "simulations/world/workers.hpp"

#include <utility>

#include "simulations/world/check.hpp"

namespace troupe::simulations {

// What is waiting. Shared with the loop's events, which may come after the queue's end.
struct Jobs {
  std::deque<std::function<void()>> waiting;
  bool scheduled = false;
  bool running = false;
  bool closed = false;
};

class SimWorkQueue final : public runtime::WorkQueue {
 public:
  SimWorkQueue(std::shared_ptr<Life> life, std::string name, RandomStream random, WorkTimes times,
               const DiskFaults& faults)
      : life_(std::move(life)),
        name_(std::move(name)),
        random_(random),
        times_(times),
        faults_(faults) {}

  // Finishes what was posted, at once; after a crash it is dropped instead.
  ~SimWorkQueue() override {
    check(!jobs_->running, "the queue " + name_ + " was destroyed by one of its own jobs");
    while (!life_->over() && !jobs_->waiting.empty()) run_first();
    jobs_->closed = true;
    std::exchange(jobs_->waiting, {}).clear();  // what the jobs hold ends with the process
  }

  void post(std::function<void()> job) override {
    if (life_->over()) return;
    jobs_->waiting.push_back(std::move(job));
    schedule();
  }

 private:
  void schedule() {
    if (jobs_->scheduled || jobs_->waiting.empty() || life_->over()) return;
    jobs_->scheduled = true;
    life_->loop.after(draw_time(), [this, jobs = jobs_, life = life_] {
      life->when_running([this, jobs, life] {
        if (jobs->closed || life->over()) return;  // then `this` may be gone
        jobs->scheduled = false;
        run_first();
        schedule();
      });
    });
  }

  void run_first() {
    const auto job = std::move(jobs_->waiting.front());
    jobs_->waiting.pop_front();
    life_->record("work", name_);
    jobs_->running = true;
    job();
    jobs_->running = false;
  }

  Duration draw_time() {
    const auto draw = [&](Duration low, Duration high) {
      return Duration{static_cast<Duration::rep>(random_.between(
          static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count())))};
    };
    auto time = draw(times_.min, times_.max);
    if (faults_.slow_jobs != 0 && random_.chance(faults_.slow_jobs)) {
      time += draw(Duration{0}, faults_.slow_by_max);
    }
    return time;
  }

  std::shared_ptr<Life> life_;
  std::string name_;
  RandomStream random_;
  WorkTimes times_;
  const DiskFaults& faults_;
  std::shared_ptr<Jobs> jobs_ = std::make_shared<Jobs>();
};

std::unique_ptr<runtime::WorkQueue> SimWorkers::queue(const std::string& name, Kind) {
  return std::make_unique<SimWorkQueue>(life_, name, life_->stream(Domain::work, ++queues_), times_,
                                        faults_);
}

}  // namespace troupe::simulations
