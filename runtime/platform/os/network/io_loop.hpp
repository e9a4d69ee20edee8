// One thread that serves many sockets. Everything that belongs to a socket happens on its loop's
// thread, so sockets need no locks of their own.
#pragma once

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

namespace troupe::runtime {

// What a loop must end when it shuts down, so that nothing is left that could wake it.
class LoopMember {
 public:
  virtual ~LoopMember() = default;
  virtual void shut_down() = 0;  // on the loop's thread; leaves the loop before it returns
};

class IoLoop {
 public:
  explicit IoLoop(std::string name);
  ~IoLoop();

  // Ends every member, runs what is left and joins the thread. Not on the loop's thread.
  void shut_down();

  // Any thread.
  boost::asio::io_context& context() { return context_; }
  bool on_this_thread() const;
  template <class Job>
  void post(Job&& job) {
    boost::asio::post(context_, std::forward<Job>(job));
  }

  // The loop's thread only.
  void join(std::shared_ptr<LoopMember> member);
  void leave(const std::shared_ptr<LoopMember>& member) { members_.erase(member); }
  bool shutting_down() const { return shutting_down_; }

  // What a socket reads into; valid until the callback that looks at it returns.
  using ReadBuffer = std::array<char, 64 * 1024>;
  ReadBuffer& read_buffer() { return *read_buffer_; }

  // For what is decrypted of one read: all of it, a record of which the beginning came before, and
  // maybe what came with the end of the handshake.
  using OpenedBuffer = std::array<char, 2 * 64 * 1024 + 32 * 1024>;
  OpenedBuffer& opened_buffer() { return *opened_buffer_; }

 private:
  boost::asio::io_context context_{1};  // the hint: one thread runs it
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::set<std::shared_ptr<LoopMember>> members_;
  bool shutting_down_ = false;
  const std::unique_ptr<ReadBuffer> read_buffer_;
  const std::unique_ptr<OpenedBuffer> opened_buffer_;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace troupe::runtime
