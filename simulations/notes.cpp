// Notes so large that they do not fit into memory together and fill a segment of the log in a
// second, written, removed and written anew while the node loses its power again and again. So
// segments and spares begin and end all the time, also at the moment of a crash or on a full disk,
// and entities leave memory and come back.
#include <string>

#include "bulky/v1/notes.troupe.hpp"
#include "simulations/rehearsal/model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
namespace bulky = ::bulky::v1;
using bulky::NotesRef;

class Note final : public bulky::NotesEntity {
  Result<bulky::Written> Write(const bulky::WriteRequest& request,
                               Effects& effects) const override {
    bulky::TextWritten event;
    event.set_text(request.text());
    effects.emit(event);
    bulky::Written reply;
    reply.set_edits(state().edits());
    return reply;
  }
  Result<bulky::Removed> Remove(const bulky::RemoveRequest&, Effects& effects) const override {
    bulky::Removed reply;
    reply.set_edits(state().edits());
    effects.erase();
    return reply;
  }
  Result<bulky::Note> Get(const bulky::GetRequest&) const override {
    bulky::Note note;
    note.set_text(state().text());
    note.set_edits(state().edits());
    return note;
  }
  void apply(const bulky::TextWritten& event) override {
    state().set_text(event.text());
    state().set_edits(state().edits() + 1);
  }
};

class NoteModel final : public EntityModel<NoteModel> {
 public:
  static void methods(Methods& on) {
    on("Write", &NoteModel::write);
    on("Remove", &NoteModel::remove);
    on("Get", &NoteModel::get);
  }

  // A text is one letter many times.
  std::string state() const override {
    return std::to_string(edits_) + text_.substr(0, 1) + std::to_string(text_.size());
  }

 private:
  Result<bulky::Written> write(const bulky::WriteRequest& request) {
    text_ = request.text();
    ++edits_;
    bulky::Written reply;
    reply.set_edits(edits_);
    return reply;
  }
  Result<bulky::Removed> remove(const bulky::RemoveRequest&) {
    bulky::Removed reply;
    reply.set_edits(edits_);
    edits_ = 0;
    text_.clear();
    return reply;
  }
  Result<bulky::Note> get(const bulky::GetRequest&) {
    bulky::Note note;
    note.set_text(text_);
    note.set_edits(edits_);
    return note;
  }

  std::string text_;
  std::int64_t edits_ = 0;
};

constexpr std::uint64_t notes = 60;

std::string note(std::uint64_t number) {
  return "note " + std::to_string(number);
}

Script writer(Client& client) {
  const auto pace = client.between(20ms, 150ms);
  while (client.running()) {
    const auto key = note(client.between(1, notes));
    const auto what = client.between(1, 10);
    if (what == 1) {
      co_await client.call(NotesRef{key}.Remove());
    } else if (what <= 3) {
      co_await client.call(NotesRef{key}.Get());
    } else {
      bulky::WriteRequest request;
      const auto size = client.between(1, client.one_in(4) ? 60'000 : 4'000);
      request.set_text(std::string(size, static_cast<char>('a' + client.between(0, 25))));
      co_await client.call(NotesRef{key}.Write(request));
    }
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

Script every_note(Reading& read) {
  for (std::uint64_t number = 1; number <= notes; ++number)
    co_await read.call(NotesRef{note(number)}.Get());
}

const actors::ServiceRegistry& note_services() {
  static const auto registry = [] {
    actors::ServiceRegistry made;
    made.add({&Note::service_type(), [] { return std::make_unique<Note>(); }});
    return made;
  }();
  return registry;
}

constexpr const char* small_segments =
    "[cluster]\nname = \"rehearsal\"\n\n[[nodes]]\nname = \"n1\"\nmesh = \"n1:7400\"\n"
    "gateway = \"n1:8080\"\nadmin = \"n1:7480\"\ndata = \"/data\"\n"
    "services = [\"bulky.v1.Notes\"]\n\n"
    "[service_defaults.limits]\nresident_bytes = \"1MiB\"\n\n"
    "[storage]\nsegment_bytes = \"1MiB\"\nreserve_bytes = \"1MiB\"\n";

SIMULATION(notes, "large entities, removed ones too, survive while the log begins and ends files") {
  using K = FaultKind;
  sim.faults(Faults::everything()
                 .only({K::power_cut, K::power_cut_in_start, K::kill, K::full_disk, K::slow_disk,
                        K::pause, K::write_error, K::sync_error})
                 .always_with({K::power_cut, K::power_cut_in_start})
                 .more(K::power_cut, 6)
                 .more(K::power_cut_in_start, 4)
                 .more(K::full_disk, 2));
  sim.duration(20s);
  sim.services(note_services());
  sim.manifest(small_segments);
  sim.model<NoteModel>("bulky.v1.Notes");
  sim.clients(5, writer);
  sim.finally("every note can be read", every_note);
}

}  // namespace
}  // namespace troupe::simulations
