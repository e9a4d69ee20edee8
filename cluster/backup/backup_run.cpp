#include "cluster/backup/backup_run.hpp"

#include <algorithm>
#include <utility>

#include "runtime/storage/ids.hpp"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

constexpr Duration pause_after_failure = 200ms;
constexpr Duration pause_while_copying = 50ms;
constexpr std::int64_t patience_ms = 60'000;  // without any progress
constexpr std::int64_t lag_max_ms = 5'000;    // of a replica that is to be copied
constexpr unsigned failed_pieces_max = 5;

constexpr char unfinished_text[] =
    "This backup is not finished, and of no use as long as this file is here.\n"
    "If no 'troupe backup' is at work any more: remove the folder, and take another backup.\n";

}  // namespace

BackupRun::BackupRun(runtime::Disk& disk, std::string folder, UnixMs clock)
    : disk_(disk), folder_(std::move(folder)), clock_(std::move(clock)) {}

Result<void> BackupRun::begin(const BackupSurvey& survey) {
  over_ = true;
  TROUPE_CHECK(disk_.create_folders(folder_));
  TROUPE_TRY(lock, disk_.lock(folder_));
  lock_ = std::move(lock);
  TROUPE_TRY(names, disk_.list(folder_));
  std::erase(names, ".lock");
  if (!names.empty()) {
    const bool unfinished = std::ranges::find(names, backup_unfinished_name) != names.end();
    const bool whole = std::ranges::find(names, backup_catalogue_name) != names.end();
    return failed_precondition(
        "BACKUP_FOLDER_TAKEN",
        folder_ +
            (whole        ? " holds a backup"
             : unfinished ? " holds a backup that was not finished; remove it, it is of no use"
                          : " is not empty: it holds " + names.front()) +
            "; each backup has a folder of its own: say a new one");
  }
  TROUPE_CHECK(disk_.write(folder_ + "/" + backup_unfinished_name, unfinished_text));
  catalogue_.set_cluster(survey.cluster());
  catalogue_.set_cluster_id(survey.cluster_id());
  catalogue_.set_version(survey.version());
  catalogue_.set_begun_ms(clock_());
  for (const auto& service : survey.services())
    for (const auto& shard : service.shards()) {
      shards_.push_back({service.service(), shard});
      all_nodes_.insert(shard.nodes().begin(), shard.nodes().end());
    }
  over_ = false;
  if (shards_.empty()) return end();
  begin_shard();
  return {};
}

void BackupRun::begin_shard() {
  progress_ms_ = clock_();
  last_failure_.clear();
  file_ = {};
  file_.set_begun_ms(clock_());
  begin_mark();
}

void BackupRun::begin_mark() {
  const auto& nodes = shards_[at_].shard.nodes();
  step_ = Step::mark;
  nodes_.assign(nodes.begin(), nodes.end());
  for (const std::string& node : all_nodes_)  // it may have moved since
    if (std::ranges::find(nodes, node) == nodes.end()) nodes_.push_back(node);
  node_ = 0;
  pause_ = Duration::zero();
}

std::optional<BackupRequest> BackupRun::next() {
  if (done_ || over_) return std::nullopt;
  const Shard& shard = shards_[at_];
  BackupRequest request;
  if (node_ < nodes_.size()) request.set_node(nodes_[node_]);
  const auto name = [&](auto& step) {
    step.set_service(shard.service);
    step.set_shard(shard.shard.shard());
  };
  switch (step_) {
    case Step::mark:
      name(*request.mutable_mark());
      break;
    case Step::copy:
      name(*request.mutable_copy());
      request.mutable_copy()->set_index(file_.marked());
      break;
    case Step::piece:
    case Step::drop:
      name(*request.mutable_piece());
      request.mutable_piece()->set_copy(copy_);
      request.mutable_piece()->set_offset(offset_);
      request.mutable_piece()->set_drop(step_ == Step::drop);
      break;
  }
  return request;
}

Result<void> BackupRun::heard(const Result<BackupAnswer>& answer) {
  pause_ = Duration::zero();
  if (step_ == Step::drop) {  // it goes by itself, too
    if (++at_ == shards_.size()) return end();
    begin_shard();
    return {};
  }
  if (!answer) {
    fail_step(answer.error().describe());
  } else if (step_ == Step::mark && answer->has_mark()) {
    file_.set_marked(answer->mark().index());
    const std::string leader = answer->mark().leader();
    nodes_.assign(answer->mark().voters().begin(), answer->mark().voters().end());
    std::erase(nodes_, leader);
    nodes_.push_back(leader);  // it has clients to serve
    node_ = 0;
    step_ = Step::copy;
  } else if (step_ == Step::copy && answer->copy() != 0) {
    copy_ = answer->copy();
    copy_begun_ms_ = clock_();
    offset_ = 0;
    failed_pieces_ = 0;
    step_ = Step::piece;
  } else if (step_ == Step::piece && answer->has_piece()) {
    if (auto taken = take_piece(answer->piece()); !taken) {
      over_ = true;
      out_.reset();
      return taken;
    }
  } else {
    fail_step("node " + (node_ < nodes_.size() ? nodes_[node_] : "") +
              " does not know what it was asked: is it of an older version?");
  }
  if (clock_() - progress_ms_ < patience_ms || done_) return {};
  over_ = true;
  out_.reset();
  return unavailable("BACKUP_STUCK",
                     shards_[at_].service + "/" + std::to_string(shards_[at_].shard.shard()) +
                         " could not be backed up for a minute, last: " + last_failure_ +
                         "; remove " + folder_ + " and try again when 'troupe status' shows no " +
                         "problem");
}

void BackupRun::fail_step(const std::string& why) {
  last_failure_ = why;
  pause_ = pause_after_failure;
  if (step_ == Step::piece && ++failed_pieces_ < failed_pieces_max) return;
  other_node();
}

// The next node for this step; after the last one all over again.
void BackupRun::other_node() {
  out_.reset();
  if (step_ == Step::piece) step_ = Step::copy;
  if (++node_ < nodes_.size()) return;
  const Duration pause = std::max(pause_, pause_after_failure);
  begin_mark();
  pause_ = pause;
}

Result<void> BackupRun::take_piece(const BackupAnswer::Piece& piece) {
  failed_pieces_ = 0;
  switch (piece.state()) {
    case BackupAnswer::Piece::WAITS:
      pause_ = pause_while_copying;
      if (clock_() - copy_begun_ms_ < lag_max_ms) return {};
      last_failure_ = "the replica on node " + nodes_[node_] + " lags behind";
      other_node();
      return {};
    case BackupAnswer::Piece::COPIES:
      pause_ = pause_while_copying;
      progress_ms_ = clock_();
      return {};
    case BackupAnswer::Piece::READY:
      return write_piece(piece);
    default:
      last_failure_ = "node " + nodes_[node_] + " has no copy: " + piece.why();
      other_node();
      return {};
  }
}

Result<void> BackupRun::write_piece(const BackupAnswer::Piece& piece) {
  if (piece.offset() != offset_ || (piece.bytes().empty() && offset_ < piece.file().bytes())) {
    fail_step("node " + nodes_[node_] + " sent another piece than was asked for");
    return {};
  }
  const std::string name = backup_file_name(shards_[at_].service, shards_[at_].shard.shard());
  if (offset_ == 0) {
    const BackedUpFile begun = std::exchange(file_, piece.file());
    file_.set_name(name);
    file_.set_service(shards_[at_].service);
    file_.set_shard(shards_[at_].shard.shard());
    file_.set_first_bucket(shards_[at_].shard.first_bucket());
    file_.set_end_bucket(end_bucket());
    file_.set_node(nodes_[node_]);
    file_.set_marked(begun.marked());
    file_.set_begun_ms(begun.begun_ms());
    out_.reset();
    TROUPE_CHECK(disk_.write(folder_ + "/" + name, {}));
    TROUPE_TRY(opened, runtime::VfsFile::open(disk_, folder_ + "/" + name));
    out_.emplace(std::move(opened));
    sum_.emplace();
  }
  TROUPE_CHECK(out_->write(offset_, piece.bytes()));
  sum_->add(piece.bytes());
  offset_ += piece.bytes().size();
  bytes_ += piece.bytes().size();
  progress_ms_ = clock_();
  return offset_ < file_.bytes() ? Result<void>{} : end_file();
}

// Behind the last one of the shard that is copied.
std::uint32_t BackupRun::end_bucket() const {
  std::uint32_t end = runtime::bucket_count;
  for (const Shard& other : shards_)
    if (other.service == shards_[at_].service &&
        other.shard.first_bucket() > shards_[at_].shard.first_bucket())
      end = std::min(end, other.shard.first_bucket());
  return end;
}

Result<void> BackupRun::end_file() {
  TROUPE_CHECK(out_->sync());
  out_.reset();
  file_.set_checksum(sum_->value());
  file_.set_ended_ms(clock_());
  TROUPE_TRY(found, verify_backup_file(disk_, folder_, file_));
  file_.set_split(found.range.has_value());
  if (file_.index() < file_.marked()) {
    // Never to be believed; the copy was told to wait.
    return data_loss("BACKUP_CORRUPT", file_.name() + " holds entries up to " +
                                           std::to_string(file_.index()) + ", but " +
                                           std::to_string(file_.marked()) + " were acknowledged");
  }
  *catalogue_.add_files() = file_;
  step_ = Step::drop;
  return {};
}

Result<void> BackupRun::end() {
  catalogue_.set_ended_ms(clock_());
  TROUPE_CHECK(write_catalogue(disk_, folder_, catalogue_));
  done_ = true;
  return {};
}

BackupRun::Progress BackupRun::progress() const {
  Progress progress;
  progress.files = static_cast<std::size_t>(catalogue_.files_size());
  progress.of_files = shards_.size();
  progress.bytes = bytes_;
  if (at_ < shards_.size())
    progress.shard = shards_[at_].service + "/" + std::to_string(shards_[at_].shard.shard());
  return progress;
}

}  // namespace troupe::cluster
