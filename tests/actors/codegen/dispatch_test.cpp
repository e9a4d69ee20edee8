// What generated classes do when they run, on a contract with every oddity that is allowed.
#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>

#include <limits>
#include <random>
#include <stdexcept>
#include <string>

#include "actors/testing/entity_harness.hpp"
#include "shapes/v1/odd.troupe.hpp"
#include "shapes/v1/parts.troupe.hpp"

using google::protobuf::Empty;
using shapes::odd::v1::CratesEntity;
using shapes::odd::v1::CratesRef;
using shapes::odd::v1::Yard_OpenRequest;
using shapes::odd::v1::Yard_PastRequest;
using shapes::odd::v1::Yard_PastResponse;
using shapes::v1::Broken;
using shapes::v1::Crate;
using troupe::actors::HistoryOrder;
using troupe::testing::EntityHarness;

namespace {

class Crates final : public CratesEntity {
  Result<Crate> Open(const Yard_OpenRequest& request, Effects& effects) const override {
    change(request, effects);
    return state();
  }
  Result<Empty> OpenAndFail(const Yard_OpenRequest& request, Effects& effects) const override {
    change(request, effects);
    if (state().changes() == 0) throw std::logic_error("emit() did not apply at once");
    effects.erase();
    return failed_precondition("STUCK", "it does not open");
  }
  Result<Empty> OpenAndThrow(const Yard_OpenRequest& request, Effects& effects) const override {
    change(request, effects);
    throw std::runtime_error("a bug");
  }
  Result<Empty> Erase(const Yard_OpenRequest& request, Effects& effects) const override {
    change(request, effects);
    effects.erase();
    return Empty{};
  }
  Result<Crate> Look(const shapes::odd::v1::Yard_LookRequest&) const override { return state(); }
  Result<Yard_PastResponse> Past(const Yard_PastRequest& request) const override {
    const auto page =
        history(request.newest_first() ? HistoryOrder::newest_first : HistoryOrder::oldest_first,
                request.from(), request.limit());
    Yard_PastResponse response;
    for (const auto& item : page.items) {
      if (item.event.what_case() == Event::WHAT_NOT_SET) return not_found("EMPTY", "no event");
      response.add_sequences(item.sequence);
    }
    response.set_more(page.more);
    return response;
  }

  void apply(const Crate::Opened& event) override {
    for (const auto& [name, count] : event.contents()) (*state().mutable_contents())[name] += count;
    state().set_changes(state().changes() + 1);
  }
  void apply(const Broken&) override { state().set_changes(state().changes() + 1); }

  static void change(const Yard_OpenRequest& request, Effects& effects) {
    Crate::Opened opened;
    *opened.mutable_contents() = request.contents();
    effects.emit(opened);
    Broken broken;
    broken.set_why("opened");
    effects.emit(broken);
  }
};

TROUPE_SERVICE(Crates);

Yard_OpenRequest holding(const std::string& what, int count) {
  Yard_OpenRequest request;
  (*request.mutable_contents())[what] = count;
  return request;
}

EntityHarness crate() {
  return EntityHarness{"shapes.odd.v1.Crates", "c1"};
}
const CratesRef ref{"c1"};

}  // namespace

TEST_CASE("the service type says what the contract says") {
  const auto& type = CratesEntity::service_type();
  CHECK(type.name == "shapes.odd.v1.Crates");
  CHECK(type.context == "shapes");
  CHECK(type.kind == troupe::actors::ServiceKind::entity);
  REQUIRE(type.methods.size() == 6);
  CHECK(type.methods[0].name == "Open");
  CHECK_FALSE(type.methods[0].read_only);
  CHECK(type.methods[4].name == "Look");
  CHECK(type.methods[4].read_only);
  CHECK(type.methods[4].stale_ok);
  CHECK(type.methods[5].read_only);
  CHECK_FALSE(type.methods[5].stale_ok);
  REQUIRE(type.descriptor() != nullptr);
  CHECK(type.descriptor()->full_name() == type.name);
  REQUIRE(shapes::odd::v1::PlainEntity::service_type().descriptor() != nullptr);
}

TEST_CASE("a reference makes a call with key, method and request") {
  const auto call = ref.Open(holding("nails", 3));
  CHECK(call.service == &CratesEntity::service_type());
  CHECK(call.method == 0);
  CHECK(call.key == "c1");
  Yard_OpenRequest request;
  REQUIRE(request.ParseFromString(call.payload));
  CHECK(request.class_() == "c1");
  CHECK(request.contents().at("nails") == 3);
  CHECK(call.service->methods[0].key_of(call.payload) == "c1");
  CHECK(ref.Look().method == 4);
}

TEST_CASE("the key is found in the bytes as Protobuf's parser finds it") {
  const auto key_of = CratesEntity::service_type().methods[0].key_of;
  const auto whole = ref.Open(holding("nails", 3)).payload;
  std::mt19937_64 random{7};
  int keys = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (auto changes = random() % 4; changes > 0; --changes) {
      const auto at = random() % (bytes.size() + 1);
      if (at == bytes.size() || random() % 4 == 0)
        bytes.insert(at, whole.substr(random() % whole.size(), random() % 12));
      else if (random() % 8 == 0)
        bytes.resize(at);
      else
        bytes[at] = static_cast<char>(random());
    }
    Yard_OpenRequest request;
    if (!request.ParsePartialFromString(bytes)) continue;  // refused later, by execute()
    const auto key = key_of(bytes);
    CHECK(key.has_value() == !request.class_().empty());
    if (key) CHECK(*key == request.class_());
    keys += key ? 1 : 0;
  }
  CHECK(keys > 1000);
}

TEST_CASE("a request with a map has one serialised form") {
  Yard_OpenRequest up;
  Yard_OpenRequest down;
  for (int i = 0; i < 100; ++i) {
    (*up.mutable_contents())[std::to_string(i)] = i;
    (*down.mutable_contents())[std::to_string(99 - i)] = 99 - i;
  }
  CHECK(ref.Open(up).payload == ref.Open(down).payload);
}

TEST_CASE(
    "events are applied at once, returned in order and kept as the contract's event message") {
  auto harness = crate();
  const auto reply = harness.call(ref.Open(holding("nails", 3)));
  REQUIRE(reply);
  CHECK(reply->changes() == 2);
  CHECK(reply->contents().at("nails") == 3);
  REQUIRE(harness.events().size() == 2);
  CratesEntity::Event first;
  CratesEntity::Event second;
  REQUIRE(first.ParseFromString(harness.events()[0].event));
  REQUIRE(second.ParseFromString(harness.events()[1].event));
  CHECK(first.opened().contents().at("nails") == 3);
  CHECK(second.broken().why() == "opened");
  CHECK(harness.events()[1].event == second.SerializeAsString());
}

TEST_CASE("a command that fails after it emitted leaves nothing behind") {
  auto harness = crate();
  REQUIRE(harness.call(ref.Open(holding("nails", 3))));
  const auto before = harness.state();
  const auto failed = harness.call(ref.OpenAndFail(holding("nails", 4)));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().reason == "STUCK");
  CHECK_THROWS_AS(harness.call(ref.OpenAndThrow(holding("nails", 5))), std::runtime_error);
  CHECK(harness.state() == before);
  CHECK(harness.events().size() == 2);
  CHECK(harness.call(ref.Look())->contents().at("nails") == 3);
}

TEST_CASE("an erased entity leaves neither state nor events") {
  auto harness = crate();
  REQUIRE(harness.call(ref.Open(holding("nails", 3))));
  REQUIRE(harness.call(ref.Erase(holding("nails", 1))));
  CHECK(harness.events().empty());
  CHECK(harness.state().empty());
  CHECK(harness.call(ref.Look())->changes() == 0);
}

TEST_CASE("a payload that does not parse and a method that is not there are refused") {
  Crates crates_without_shard;
  auto& entity = static_cast<troupe::actors::Entity&>(crates_without_shard);
  for (std::size_t method = 0; method < 6; ++method) {
    const auto outcome = entity.execute(method, "\xFF");
    REQUIRE_FALSE(outcome.reply);
    CHECK(outcome.reply.error().code == troupe::Code::invalid_argument);
    CHECK(outcome.reply.error().reason == "REQUEST_MALFORMED");
  }
  const auto outcome = entity.execute(6, "");
  REQUIRE_FALSE(outcome.reply);
  CHECK(outcome.reply.error().reason == "METHOD_UNKNOWN");
}

TEST_CASE("history comes in pages from either end") {
  auto harness = crate();
  for (int i = 0; i < 3; ++i) REQUIRE(harness.call(ref.Open(holding("nails", i))));
  const auto page = [&](bool newest_first, std::uint64_t from, std::uint64_t limit) {
    Yard_PastRequest request;
    request.set_newest_first(newest_first);
    request.set_from(from);
    request.set_limit(limit);
    const auto response = harness.call(ref.Past(request));
    REQUIRE(response);
    std::string text;
    for (const auto sequence : response->sequences()) text += std::to_string(sequence) + " ";
    return text + (response->more() ? "..." : ".");
  };
  CHECK(page(false, 0, 4) == "1 2 3 4 ...");
  CHECK(page(false, 5, 4) == "5 6 .");
  CHECK(page(false, 5, 2) == "5 6 .");
  CHECK(page(false, 7, 2) == ".");
  CHECK(page(true, 0, 4) == "6 5 4 3 ...");
  CHECK(page(true, 2, 4) == "2 1 .");
  CHECK(page(true, 0, 0) == "...");
  CHECK(page(true, 0, 1'000'000) == "6 5 4 3 2 1 .");
}

TEST_CASE("a page of history is bounded whatever is asked for") {
  auto harness = crate();
  for (int i = 0; i < 501; ++i) REQUIRE(harness.call(ref.Open(holding("nails", 1))));
  Yard_PastRequest request;
  request.set_limit(std::numeric_limits<std::uint64_t>::max());
  const auto response = harness.call(ref.Past(request));
  REQUIRE(response);
  CHECK(response->sequences_size() == 1000);
  CHECK(response->more());
}

TEST_CASE("a stored event that does not parse is named") {
  class Rotten final : public troupe::actors::HandlerContext {
    const troupe::actors::OnBehalfOf& on_behalf_of() const override {
      static const troupe::actors::OnBehalfOf nobody;
      return nobody;
    }
    troupe::WallTime now() const override { return {}; }
    std::vector<troupe::actors::RawEvent> history(HistoryOrder, std::uint64_t,
                                                  std::size_t) override {
      return {{17, {}, "\xFF"}};
    }
  } rotten;
  Crates crates;
  crates.enter(&rotten);
  Yard_PastRequest request;
  request.set_limit(1);
  CHECK_THROWS_WITH_AS(crates.execute(5, ref.Past(request).payload),
                       doctest::Contains("event 17 of an entity of shapes.odd.v1.Crates"),
                       std::runtime_error);
}

TEST_CASE("history outside of a handler is a bug that is named") {
  Crates crates;
  CHECK_THROWS_AS(crates.execute(5, ref.Past().payload), std::logic_error);
}

TEST_CASE("an entity costs little more than its state") {
  CHECK(sizeof(troupe::actors::Entity) <= 64);
  CHECK(sizeof(Crates) <= sizeof(troupe::actors::Entity) + sizeof(Crate));
}
