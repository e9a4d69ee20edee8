#include "runtime/platform/os/rpc/rpc_call.hpp"

#include <utility>

namespace troupe::runtime {
namespace {

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice{bytes};
  return {&slice, 1};
}

std::string text_of(const grpc::string_ref& text) {
  return {text.data(), text.size()};
}

grpc::Status status_of(RpcStatus status) {
  return {static_cast<grpc::StatusCode>(status.code), std::move(status.message),
          std::move(status.details)};
}

}  // namespace

RpcCallImpl::RpcCallImpl(RpcLane& lane) : lane_(lane), wire_(std::make_unique<Wire>()) {}

void RpcCallImpl::request(RpcLane& lane) {
  lane.enter();
  const auto call = std::make_shared<RpcCallImpl>(lane);
  call->self_ = call;
  Wire& wire = *call->wire_;
  wire.context.AsyncNotifyWhenDone(&call->over_tag_);
  lane.shared.service.RequestCall(&wire.context, &wire.stream, lane.queue.get(), lane.queue.get(),
                                  &call->arrived_);
}

void RpcCallImpl::event(void* tag, bool ok) {
  const Tag& what = *static_cast<Tag*>(tag);
  (what.call->*what.happened)(ok);
}

RpcRequest RpcCallImpl::describe() const {
  const grpc::GenericServerContext& context = wire_->context;
  RpcRequest request;
  request.method = context.method();
  for (const auto& [name, value] : context.client_metadata())
    request.metadata.emplace_back(text_of(name), text_of(value));
  if (const auto deadline = context.deadline();
      deadline != std::chrono::system_clock::time_point::max())
    request.timeout = deadline - std::chrono::system_clock::now();
  return request;
}

void RpcCallImpl::on_arrived(bool ok) {
  if (!ok) return leave_lane();  // the server takes none any more, and nothing else is told of this
  request(lane_);
  since_ = std::chrono::steady_clock::now();
  open_ = true;
  place_ = lane_.open.insert(lane_.open.end(), this);
  if (++lane_.shared.open > lane_.shared.limits.calls_max)
    return finish({Code::resource_exhausted, "the server has too many calls; try again later", {}},
                  {});
  if (lane_.shared.stopping)
    return finish({Code::unavailable, "the server is stopping; call another one", {}}, {});
  handler_ = lane_.shared.accept(describe(), shared_from_this());
  if (handler_) receive();
}

void RpcCallImpl::receive() {
  const std::lock_guard guard{mutex_};
  if (ended()) return;
  wants_ = true;
  go_on();
}

void RpcCallImpl::send(std::string message) {
  const std::lock_guard guard{mutex_};
  if (ended()) return;
  unsent_.push_back(std::move(message));
  go_on();
}

void RpcCallImpl::finish(RpcStatus status, RpcMetadata trailers) {
  const std::lock_guard guard{mutex_};
  if (ended()) return;
  end_ = End{std::move(status), std::move(trailers)};
  go_on();
}

void RpcCallImpl::answer(std::string message, RpcMetadata headers) {
  {
    const std::lock_guard guard{mutex_};
    if (ended() || writing_ || !unsent_.empty()) return;
    answer_ = std::move(message);
    end_ = End{{}, std::move(headers)};
    finishing_ = true;
    ++pending_;
  }
  lane_.hand_over(shared_from_this());
}

void RpcCallImpl::write_answer() {
  const std::lock_guard guard{mutex_};
  for (auto& [name, value] : end_->trailers) wire_->context.AddInitialMetadata(name, value);
  wire_->stream.WriteAndFinish(buffer_of(answer_), {}, grpc::Status::OK, &finished_);
}

// gRPC takes one read and one write at a time.
void RpcCallImpl::go_on() {
  if (!wire_ || over_ || finishing_ || writing_) return;
  if (!unsent_.empty()) {
    writing_ = true;
    ++pending_;
    wire_->stream.Write(buffer_of(unsent_.front()), &written_);
    unsent_.pop_front();
  } else if (end_) {
    finishing_ = true;
    ++pending_;
    for (auto& [name, value] : end_->trailers) wire_->context.AddTrailingMetadata(name, value);
    wire_->stream.Finish(status_of(std::move(end_->status)), &finished_);
  } else if (wants_ && !reading_) {
    wants_ = false;
    reading_ = true;
    ++pending_;
    wire_->stream.Read(&received_, &read_);
  }
}

void RpcCallImpl::on_read(bool ok) {
  bool tell = false;
  {
    const std::lock_guard guard{mutex_};
    --pending_;
    reading_ = false;
    tell = !ended();
  }
  heard_ = true;
  since_ = std::chrono::steady_clock::now();
  if (tell && ok) {
    message_ = bytes_of(received_);
    lane_.has_message(shared_from_this());
  }
  received_.Clear();  // before the handler asks for the next
  if (tell && !ok) handler_->on_end();
  release_if_over();
}

void RpcCallImpl::tell_message() {
  if (!message_) return;
  std::string message = *std::move(message_);
  message_.reset();
  handler_->on_message(std::move(message));
}

void RpcCallImpl::on_written(bool) {
  {
    const std::lock_guard guard{mutex_};
    --pending_;
    writing_ = false;
    go_on();
  }
  release_if_over();
}

void RpcCallImpl::on_finished(bool) {
  {
    const std::lock_guard guard{mutex_};
    --pending_;
  }
  release_if_over();
}

void RpcCallImpl::on_over(bool) {
  {
    const std::lock_guard guard{mutex_};
    over_ = true;
  }
  release_if_over();
}

void RpcCallImpl::release_if_over() {
  {
    const std::lock_guard guard{mutex_};
    if (!over_ || pending_ > 0) return;
    wire_.reset();
    unsent_.clear();
  }
  tell_message();
  if (handler_) std::exchange(handler_, nullptr)->on_closed();
  leave_lane();
}

void RpcCallImpl::leave_lane() {
  if (open_) {
    lane_.open.erase(place_);
    --lane_.shared.open;
  }
  RpcLane& lane = lane_;
  {
    // An answer that comes later may be all that knows it; gRPC's part ends here.
    const std::lock_guard guard{mutex_};
    wire_.reset();
  }
  const auto last = std::move(self_);
  lane.leave();
}

void RpcCallImpl::cancel() {
  const std::lock_guard guard{mutex_};
  if (wire_ && !over_) wire_->context.TryCancel();
}

}  // namespace troupe::runtime
