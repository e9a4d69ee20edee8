// One connection of an HttpServer: bytes in, requests to the handler, answers out in order.
//
// Threads: a mutex guards it. One thread at a time pumps: it parses what has arrived and calls the
// handler, without the mutex; that is the network's thread or, for requests that had to wait for
// room, the one that brought an answer. Answers come from any thread.
//
// Time limits that end the connection use expire_after() of the stream, others wake_after(): both
// are set on the network's thread where possible, since setting them elsewhere may wake that
// thread, and the second seldom.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/gateway/http/http_core.hpp"
#include "cluster/gateway/http/http_date.hpp"
#include "cluster/gateway/http/http_parser.hpp"

namespace troupe::cluster {

class HttpConnection final : public runtime::StreamHandler,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  // `surplus`: there are too many connections; this one gets a 503 whatever it asks.
  HttpConnection(std::shared_ptr<HttpServer::Core> core, std::shared_ptr<runtime::Stream> stream,
                 std::uint64_t id, bool surplus);
  ~HttpConnection() override;

  void start();
  // `overdue`: nobody has answered in time. False: the request has an answer already.
  bool answer(std::uint64_t sequence, HttpResponse response, bool overdue = false);
  void if_overdue(std::uint64_t sequence, std::shared_ptr<const OverdueAnswer> answer);
  void stop(MonotonicTime deadline);
  void abort();

  void on_data(std::string_view bytes) override;
  void on_closed(const Result<void>& why) override;
  void on_drained() override;
  void on_wake() override;

 private:
  // A request that has been read; it holds its place in the order of answers.
  struct Slot {
    std::string method;
    std::string target;
    std::size_t request_bytes = 0;
    MonotonicTime since;
    bool head = false;
    bool close = false;       // nothing is read after it
    bool keep_alive = false;  // an HTTP/1.0 client asked for it
    bool answered = false;
    std::string answer;  // what the client gets
    std::shared_ptr<const OverdueAnswer> if_overdue;
  };

  enum class Phase : std::uint8_t {
    reading,    // takes requests
    finishing,  // reads no further request, answers are due
    closing,    // close() was called on the stream
    closed,
  };

  // What the pump does next, outside the mutex.
  struct Step {
    std::uint64_t sequence = 0;
    std::optional<HttpRequest> request;
    std::optional<HttpParser::Refusal> refusal;
  };

  struct Overdue {
    std::uint64_t sequence = 0;
    std::string call;  // "GET /v1/accounts/ann"
    std::shared_ptr<const OverdueAnswer> answer;
  };

  void pump();
  bool next_step(Step& step);  // false: nothing to do; the pump has stopped
  void dispatch(HttpRequest request, std::uint64_t sequence);

  // All of these with the mutex held.
  std::uint64_t open_slot(MonotonicTime now);
  void take_request(Step& step, MonotonicTime now);
  void refuse(Step& step, HttpParser::Refusal why, MonotonicTime now);
  bool full() const;    // no further request may be read now
  bool count_bodies();  // false: with this one there are too many large ones
  void uncount_body(std::size_t bytes);
  void hold_back(bool refused, MonotonicTime now);
  void want_wake(MonotonicTime when, MonotonicTime now);
  std::vector<Overdue> overdue(MonotonicTime now);
  bool idle() const;                   // nothing is being read or answered
  bool over(MonotonicTime now) const;  // idle, and nothing is waited for any more
  bool last_is_taken() const;  // the server stops, and the last request waits for its answer
  bool may_pump() const;       // there is something to parse, and room, and nobody does it
  void flush();                // writes the answers whose turn has come
  void drop_input();
  void close_stream(MonotonicTime now);
  void steer_reading();
  void set_timer(MonotonicTime now);

  const std::shared_ptr<HttpServer::Core> core_;
  const HttpLimits& limits_;
  const std::uint64_t id_;
  const bool surplus_;
  const runtime::Address remote_;

  std::mutex mutex_;
  // Everything below is guarded by the mutex; the parser is used only while pumping_.
  std::shared_ptr<runtime::Stream> stream_;
  Phase phase_ = Phase::reading;
  HttpParser parser_;
  std::string input_;
  std::size_t taken_ = 0;  // bytes of input_ that the parser has taken
  bool unparsed_ = false;  // input_ holds bytes that the parser has not seen
  bool pumping_ = false;
  bool paused_ = false;
  bool undrained_ = false;
  bool continue_due_ = false;  // "100 Continue", once the answers before it are written
  bool stopping_ = false;
  bool refused_ = false;  // by the last answer
  bool held_ = false;     // no further request is read until hold_end_
  MonotonicTime hold_end_;
  MonotonicTime wake_ = MonotonicTime::max();  // on_wake() comes by then
  std::deque<Slot> slots_;
  std::uint64_t first_ = 0;                              // sequence of slots_.front()
  std::size_t large_unanswered_ = 0;                     // of large bodies, overdue ones too
  std::map<std::uint64_t, std::size_t> overdue_bodies_;  // large ones that are still held
  std::size_t large_counted_ = 0;  // what Core::large_bodies_bytes has of this connection
  bool begun_ = false;             // a request is being read
  bool in_body_ = false;           // its headers are complete
  MonotonicTime request_limit_;    // until when its headers, or its body, are waited for
  MonotonicTime progress_;         // a request was read, an answer written or taken
  MonotonicTime linger_end_;       // of an idle connection while the server stops
  MonotonicTime stop_deadline_;
  HttpDate date_;
};

}  // namespace troupe::cluster
