// `troupe certs show`: what is in the folder, and how long it holds.
#include <algorithm>
#include <chrono>

#include "cluster/cli/command/certificate_folder.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/report.pb.h"
#include "cluster/cli/command/table.hpp"
#include "runtime/security/openssl.hpp"

namespace troupe::cluster {
namespace {

using Row = CertificateReport::Certificate;

constexpr int soon_days = 14;

// "2026-11-26T01:02:03Z"
std::string for_programs(WallTime time) {
  auto text = runtime::to_text(time);  // "2026-11-26 01:02:03 UTC"
  text.resize(19);
  text[10] = 'T';
  return text + "Z";
}

std::string day_of(const std::string& time) {
  return time.substr(0, 10);
}

Tint tint_of(const Row& row) {
  if (row.state() != "valid") return Tint::bad;
  return row.days_left() < soon_days ? Tint::warning : Tint::good;
}

void fill(Row& row, const runtime::CertificateInfo& info, WallTime now) {
  row.set_serial(info.serial);
  row.set_identity(info.identity);
  row.set_not_before(for_programs(info.validity.from));
  row.set_not_after(for_programs(info.validity.until));
  const auto left = std::chrono::floor<std::chrono::days>(info.validity.until - now).count();
  row.set_days_left(static_cast<int>(std::max<std::int64_t>(left, 0)));
  row.set_state(now >= info.validity.until ? "expired"
                : now < info.validity.from ? "not yet valid"
                                           : "valid");
  for (const auto& name : info.dns) row.add_dns(name);
  for (const auto& ip : info.ips) row.add_ips(ip);
}

// Revocation rules over everything else; what is revoked and has no file gets a row of its own.
void mark_revoked(CertificateReport& report, const runtime::RevocationList& list) {
  for (const auto& one : list.revoked) {
    bool found = false;
    for (auto& row : *report.mutable_certificates()) {
      if (row.serial() != one.serial) continue;
      row.set_revoked(true);
      row.set_state("revoked");
      found = true;
    }
    if (found) continue;
    auto& row = *report.add_certificates();
    row.set_serial(one.serial);
    row.set_revoked(true);
    row.set_state("revoked");
  }
}

void print(const CliIo& io, const CertificateReport& report) {
  Table table{{{"NAME"},
               {"SERIAL"},
               {"NOT BEFORE"},
               {"NOT AFTER"},
               {"DAYS LEFT", Table::Align::right},
               {"STATE"}}};
  for (const auto& row : report.certificates()) {
    const bool dated = !row.not_after().empty();
    table.add({{row.name().empty() ? "-" : row.name(), Tint::strong},
               row.serial(),
               dated ? day_of(row.not_before()) : "-",
               dated ? day_of(row.not_after()) : "-",
               dated ? std::to_string(row.days_left()) : "-",
               {row.state(), tint_of(row)}});
  }
  table.print(io);
}

}  // namespace

int show_certs(const CliIo& io, const CertsOptions& options, WallTime now) {
  const CertificateFolder folder{options.folder};
  const auto complain = [&](const std::string& what) {
    *io.err << "troupe: " << harmless_lines(what) << "\n";
    return exit_failed;
  };
  const auto authority = folder.authority_info();
  if (!authority) return complain(authority.error());
  const auto list = folder.revoked();
  if (!list) return complain(list.error());

  CertificateReport report;
  report.set_cluster(authority->cluster);
  auto& first = *report.add_certificates();
  first.set_name("authority");
  first.set_file(folder.authority_file());
  fill(first, *authority, now);
  int status = exit_done;
  for (const auto& name : folder.nodes()) {
    const auto info = folder.node(name);
    if (!info) {
      status = complain(info.error());
      continue;
    }
    auto& row = *report.add_certificates();
    row.set_name(name);
    row.set_file(folder.node_file(name));
    fill(row, *info, now);
  }
  mark_revoked(report, *list);
  if (options.json) {
    *io.out << to_json(report) << "\n";
  } else {
    print(io, report);
  }
  return status;
}

}  // namespace troupe::cluster
