// `troupe backup`, `troupe restore` and `troupe audit` against HTTP servers in this process.
#include <google/protobuf/util/json_util.h>

#include "cluster/backup/catalogue.hpp"
#include "fake_admin.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "runtime/storage/shard_file.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

// One node with one shard of banking: one answer that fits every step of a backup.
struct OneNode {
  explicit OneNode(const TemporaryFolder& folder) {
    const auto disk = runtime::make_os_disk();
    const std::string path = folder.path() + "/source";
    auto file = runtime::ShardFile::open(*disk, path, "banking.v1.Accounts/0", true, {});
    REQUIRE(file);
    wire::Batch batch;
    batch.set_time_ms(77);
    REQUIRE(
        (*file)->apply({{1, 1, std::make_shared<const std::string>(batch.SerializeAsString())}}));
    REQUIRE((*file)->copy_to(path + ".copy"));
    BackupAnswer answer;
    answer.mutable_mark()->set_index(1);
    answer.mutable_mark()->set_leader("n1");
    answer.mutable_mark()->add_voters("n1");
    answer.set_copy(7);
    answer.mutable_piece()->set_state(BackupAnswer::Piece::READY);
    answer.mutable_piece()->set_bytes(*disk->read(path + ".copy"));
    auto& what = *answer.mutable_piece()->mutable_file();
    what.set_index(1);
    what.set_term(1);
    what.set_time_ms(77);
    what.set_chain((*file)->applied().chain);
    what.set_bytes(answer.piece().bytes().size());
    BackupSurvey survey;
    survey.set_cluster("old");
    survey.set_cluster_id("2f1c0d3e-5a7b-4c8d-9e0f-123456789abc");
    auto& service = *survey.add_services();
    service.set_service("banking.v1.Accounts");
    service.add_shards()->add_nodes("n1");
    admin.emplace(std::map<std::string, FakeAdmin::Answer>{
        {"/v1/backup", {200, json_of(survey)}},
        {"POST /v1/backup", {200, json_of(answer)}},
        {"POST /v1/directory", {200, "{\"version\": \"3\"}"}}});
  }
  static std::string json_of(const google::protobuf::Message& message) {
    std::string text;
    REQUIRE(google::protobuf::util::MessageToJsonString(message, &text).ok());
    return text;
  }
  std::string address() const { return admin->address(); }
  std::optional<FakeAdmin> admin;
};

std::string one_node(const TemporaryFolder& folder, int shards = 1) {
  return "[cluster]\nname = \"new\"\n[[nodes]]\nname = \"n1\"\nmesh = \"127.0.0.1:7401\"\n"
         "admin = \"127.0.0.1:7481\"\ndata = \"" +
         folder.path() +
         "/n1\"\n[services.\"banking.v1.Accounts\"]\nshards = " + std::to_string(shards) + "\n";
}

}  // namespace

TEST_CASE("backup fills a folder, tells the audit log, and restore makes a cluster of it") {
  const TemporaryFolder folder;
  const OneNode node{folder};
  const std::string to = folder.path() + "/backup";
  const Ran ran = Command{}.run({"backup", "--to", to, "--admin", node.address()});
  CAPTURE(ran.err);
  REQUIRE(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(contains(ran.out, "Backed up 1 shards of the cluster old (2f1c0d3e-"));
  bool told = false;
  for (const auto& body : node.admin->posted())
    told = told || contains(body, "\"what\":\"back up to " + to + "\"");
  CHECK(told);
  const Ran twice = Command{}.run({"backup", "--to", to, "--admin", node.address()});
  CHECK(twice.status == 1);
  CHECK(contains(twice.err, "BACKUP_FOLDER_TAKEN: " + to + " holds a backup; each backup has"));

  const std::string file = folder.write("m.toml", one_node(folder));
  const Ran four =
      Command{}.run({"restore", folder.write("four.toml", one_node(folder, 4)), "--from", to});
  CHECK(four.status == 1);
  CHECK(contains(four.err,
                 "RESTORE_SHARDS_DIFFER: banking.v1.Accounts has 1 shards in the backup, "
                 "and the manifest makes 4"));
  CHECK_FALSE(folder.has("n1"));
  const Ran restored = Command{}.run({"restore", file, "--from", to, "--json"});
  CAPTURE(restored.err);
  REQUIRE(restored.status == 0);
  CHECK(contains(restored.out, "\"from\":\"old\""));
  CHECK(contains(restored.out, "\"restored\":[\"n1\"]"));
  CHECK(contains(
      restored.out,
      "\"empty\":[\"commerce.v1.Catalog\",\"commerce.v1.Inventory\",\"commerce.v1.Orders\"]"));
  CHECK(folder.has("n1/shards/banking.v1.Accounts-0.g1.db"));
  const Ran again = Command{}.run({"restore", file, "--from", to});
  CHECK(again.status == 1);
  CHECK(contains(again.err, "FOLDER_TAKEN"));
  const auto id = restored.out.substr(restored.out.find("\"clusterId\":\"") + 13, 36);
  const Ran begun = Command{}.run({"init", file, "--node", "n1", "--id", id});
  CHECK(begun.status == 1);
  CHECK(contains(begun.err, "RESTORED_CLUSTER"));
}

TEST_CASE("backup prints its catalogue as JSON, and complains when no node answers") {
  const TemporaryFolder folder;
  const OneNode node{folder};
  const Ran ran =
      Command{}.run({"backup", "--to", folder.path() + "/b", "--admin", node.address(), "--json"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "\"name\":\"banking.v1.Accounts-0.db\""));
  const Ran silent = Command{}.run(
      {"backup", "--to", folder.path() + "/c", "--admin", "127.0.0.1:9", "--timeout", "500ms"});
  CHECK(silent.status == 1);
  CHECK(contains(silent.err, "nothing listens on 127.0.0.1:9"));
  CHECK_FALSE(folder.has("c"));
}

TEST_CASE("backup, restore and audit refuse words that make no sense") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", one_node(folder));
  const auto wrong = [](std::vector<std::string> words, const std::string& complaint) {
    const Ran ran = Command{}.run(std::move(words));
    CAPTURE(ran.err);
    CHECK(ran.status == 2);
    CHECK(contains(ran.err, complaint));
    CHECK(ran.out.empty());
  };
  wrong({"backup"}, "--to is required");
  wrong({"backup", "--to", "x", "--admin", "h:1", "--manifest", file}, "excludes");
  wrong({"backup", "--to", "x", "--admin", "nowhere"}, "--admin");
  wrong({"restore", file}, "--from is required");
  wrong({"restore", "--from", "x"}, "FILE is required");
  wrong({"restore", folder.path() + "/none.toml", "--from", "x"}, "none.toml");
  wrong({"restore", file, "--from", "x", "--id", "7"}, "--node");
  wrong({"restore", file, "--from", "x", "--node", "n7"}, "has no node \"n7\"; it has n1");
  wrong({"audit", "--limit", "0"}, "--limit");
  wrong({"audit", "--note", "x", "--all"}, "excludes");
  const Ran nothing = Command{}.run({"restore", file, "--from", folder.path()});
  CHECK(nothing.status == 1);
  CHECK(contains(nothing.err, "BACKUP_MISSING"));
}

TEST_CASE("audit shows who did what, and writes down what it is told") {
  const FakeAdmin admin{
      {{"POST /v1/directory", {200, R"({"version": "0", "audit": {"more": true, "records": [
    {"number": "9", "timeMs": "1795694405000", "who": "operator", "by": "ann@desk", "at": "n2",
     "what": "drain n3", "why": "old disk"},
    {"number": "8", "timeMs": "1795694404000", "who": "n1", "what": "node n3 is up",
     "why": "it has called"}]}})"}}}};
  const Ran ran = Command{}.run({"audit", "--all", "--admin", admin.address()});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "2026-11-26 12:00:05Z  ann@desk  n2  drain n3       old disk"));
  CHECK(contains(ran.out, "node n1"));
  CHECK(contains(ran.out, "troupe audit --before 8"));
  CHECK(contains(admin.posted().front(), "\"everything\":true"));
  const Ran json = Command{}.run({"audit", "--json", "--admin", admin.address()});
  CHECK(contains(json.out, "\"by\":\"ann@desk\""));
  Command command;
  command.environment["USER"] = "bob the builder";
  const Ran note = command.run({"audit", "--note", "changed a fan", "--admin", admin.address()});
  CHECK(note.out == "Noted.\n");
  CHECK(contains(admin.posted().back(), "\"what\":\"changed a fan\""));
  CHECK(contains(admin.posted().back(), "\"by\":\"bob_the_builder@"));
}

TEST_CASE("formats shows who cannot read what, and switches one on when its name is typed") {
  const FakeAdmin admin{
      {{"/v1/directory", {200, R"({"table": {"formats": [{"name": "log.2"}], "nodes": [
    {"name": "n1", "state": "UP", "formats": ["log.2", "rows.2", "rows.3"]},
    {"name": "n2", "state": "UP", "formats": ["log.2", "rows.2"]},
    {"name": "n3", "state": "REMOVED"}]}})"}},
       {"POST /v1/directory", {200, R"({"version": "12"})"}}}};
  const Ran ran = Command{}.run({"formats", "--admin", admin.address()});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "log.2   on\n"));
  CHECK(contains(ran.out, "rows.2  can be switched on\n"));
  CHECK(contains(ran.out, "rows.3  not yet             n2\n"));
  const Ran json = Command{}.run({"formats", "--json", "--admin", admin.address()});
  CHECK(contains(json.out, R"({"name":"rows.3","on":false,"unreadableOn":["n2"]})"));
  Command command;
  command.typed = "rows\n";
  const Ran unsure = command.run({"formats", "--switch-on", "rows.2", "--admin", admin.address()});
  CHECK(unsure.status == 1);
  CHECK(admin.posted().empty());
  command.typed = "rows.2\n";
  const Ran sure = command.run({"formats", "--switch-on", "rows.2", "--admin", admin.address()});
  CHECK(sure.status == 0);
  CHECK(contains(sure.out, "Format rows.2 is used from now on (version 12)"));
  CHECK(contains(admin.posted().back(), R"("switchOn":{"format":"rows.2"})"));
  CHECK(Command{}.run({"formats", "--yes", "rows.2"}).status == 2);
}

}  // namespace troupe::cluster
