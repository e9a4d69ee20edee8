#include "runtime/platform/os/network/io_loop.hpp"

#include <utility>

#include "runtime/platform/os/threads/threads.hpp"

namespace troupe::runtime {

IoLoop::IoLoop(std::string name)
    : work_(context_.get_executor()),
      read_buffer_(std::make_unique<ReadBuffer>()),
      opened_buffer_(std::make_unique<OpenedBuffer>()),
      thread_([this, name = std::move(name)] {
        begin_thread(name);
        context_.run();
      }) {}

IoLoop::~IoLoop() {
  shut_down();
}

void IoLoop::shut_down() {
  if (!thread_.joinable()) return;
  post([this] {
    shutting_down_ = true;
    while (!members_.empty()) (*members_.begin())->shut_down();
    work_.reset();
  });
  thread_.join();
}

bool IoLoop::on_this_thread() const {
  return std::this_thread::get_id() == thread_.get_id();
}

void IoLoop::join(std::shared_ptr<LoopMember> member) {
  if (!shutting_down_) {
    members_.insert(std::move(member));
  } else {
    member->shut_down();
  }
}

}  // namespace troupe::runtime
