// What an author's entity class stands on. The generated base (protoc-gen-troupe) derives from
// Entity, adds one virtual handler per rpc, one apply() per event and typed state, effects and
// history; the author derives from that.
//
// An entity belongs to its shard's actor: one message at a time, never two threads. Handlers are
// const: they read state, return a reply, and change state only by effects.emit(), which calls
// apply() at once and is stored when the batch commits. A handler that returns an error or throws
// has changed nothing. It never waits, and it touches nothing outside its state and its effects.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/on_behalf_of.hpp"
#include "actors/service.hpp"
#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace google::protobuf {
class Message;
}

namespace troupe::actors {

class Entity;

// One stored event as history() returns it; the generated history() parses `event`.
struct RawEvent {
  std::uint64_t sequence = 0;  // from 1, without gaps
  WallTime time;               // shard time of the command that emitted it
  std::string event;           // serialised event message
};

// A page of events as the author sees it.
template <class Event>
struct HistoryPage {
  struct Item {
    std::uint64_t sequence = 0;
    WallTime time;
    Event event;
  };
  std::vector<Item> items;
  bool more = false;  // there are events beyond the last item
};

enum class HistoryOrder : std::uint8_t { oldest_first, newest_first };

// What the shard gives an entity while one of its handlers runs. Implemented by the shard.
class HandlerContext {
 public:
  virtual ~HandlerContext() = default;
  virtual WallTime now() const = 0;  // shard time
  virtual const OnBehalfOf& on_behalf_of() const = 0;
  // The longest page of history that an author gets; a longer one is cut to it.
  virtual std::size_t history_page_max() const { return 1000; }
  // At most `limit` events, beginning with number `from` and going up or, newest first, down;
  // `from` 0 is the first in that order. Not those of the running command. May unwind the handler
  // with a type of the shard's own, to fetch the page and run the handler again: handlers let
  // foreign exceptions pass.
  virtual std::vector<RawEvent> history(HistoryOrder order, std::uint64_t from,
                                        std::size_t limit) = 0;
};

// Collects what a command wants to happen. Generated code derives from it and adds a typed emit()
// per event. Valid during the handler's call only.
class EffectsBase {
 public:
  explicit EffectsBase(Entity& entity) : entity_(entity) {}
  EffectsBase(const EffectsBase&) = delete;
  EffectsBase& operator=(const EffectsBase&) = delete;

  // Shard time: the leader's clock, never going back. The only "now" of a handler.
  WallTime now() const;

  // Deletes the entity: state and history. Its next command meets a new entity. What is emitted
  // in the same command is dropped with it.
  void erase() { erased_ = true; }

  // For generated execute().
  const std::vector<std::string>& events() const { return events_; }
  std::vector<std::string> take_events() { return std::move(events_); }
  bool erased() const { return erased_; }

 protected:
  // Called by generated emit(): remembers the state before the first event, so that it can be
  // brought back, and stores the serialised event. The caller then calls apply().
  void record(std::string event);

  Entity& entity_;

 private:
  std::vector<std::string> events_;
  bool erased_ = false;
};

class Entity {
 public:
  virtual ~Entity();

  // --- for the shard; implemented by generated code ---------------------------------------------
  virtual const ServiceType& type() const = 0;

  // Parses the request, runs the handler, serialises the reply. What the handler throws passes
  // through. After an error reply, which comes without events, or a throw, the caller brings the
  // state back with restore_state().
  struct Outcome {
    Result<std::string> reply;        // serialised
    std::vector<std::string> events;  // serialised, in the order of emission; none if erased
    bool erased = false;
  };
  virtual Outcome execute(std::size_t method, std::string_view request) = 0;

  // How many of its newest events are kept; older ones are deleted as new ones come, and history()
  // ends before them. 0: all. It must not change from call to call. An author's class may override
  // it.
  virtual std::uint64_t history_max() const { return 0; }

  virtual google::protobuf::Message& state_message() = 0;
  const google::protobuf::Message& state_message() const;

  void bind(std::string key) { key_ = std::move(key); }
  // Set around execute(), null otherwise.
  void enter(HandlerContext* context) { context_ = context; }

  // The state before the first event of the running command: kept by EffectsBase::record(), brought
  // back by the shard when the command failed, dropped when it succeeded.
  void keep_state();
  bool restore_state();  // false: nothing was kept
  void drop_kept_state();

 protected:
  friend class EffectsBase;
  Entity();

  // The entity's key: what the contract's key field held.
  const std::string& key() const { return key_; }

  // Of the running call; valid while the handler runs. What it says is not stored: an event holds
  // what must be known later.
  const OnBehalfOf& on_behalf_of() const { return context().on_behalf_of(); }

  HandlerContext& context() const;

  // So that handlers read as sentences without using-declarations.
  template <class T>
  using Result = ::troupe::Result<T>;
  using Error = ::troupe::Error;
  using HistoryOrder = ::troupe::actors::HistoryOrder;
  static Error invalid_argument(std::string message) {
    return troupe::invalid_argument(std::move(message));
  }
  static Error invalid_argument(std::string reason, std::string message) {
    return troupe::invalid_argument(std::move(reason), std::move(message));
  }
  static Error not_found(std::string reason, std::string message) {
    return troupe::not_found(std::move(reason), std::move(message));
  }
  static Error already_exists(std::string reason, std::string message) {
    return troupe::already_exists(std::move(reason), std::move(message));
  }
  static Error failed_precondition(std::string reason, std::string message) {
    return troupe::failed_precondition(std::move(reason), std::move(message));
  }
  static Error out_of_range(std::string reason, std::string message) {
    return troupe::out_of_range(std::move(reason), std::move(message));
  }

 private:
  std::string key_;
  HandlerContext* context_ = nullptr;
  std::unique_ptr<google::protobuf::Message> kept_;
};

}  // namespace troupe::actors
