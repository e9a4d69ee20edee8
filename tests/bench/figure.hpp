// What a bench reports: our figure and its yardstick, measured in the same run, as a ratio.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::bench {

using Clock = std::chrono::steady_clock;
inline double since(Clock::time_point start) {  // in seconds
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Minimum, median and maximum of several runs.
struct Spread {
  std::vector<double> runs;
  double min() const;
  double median() const;
  double max() const;
};

struct Figure {
  std::string name;  // "durable_64.rate"
  std::string unit;
  std::string durability;  // "fsync before every reply", "none"; what a reply stands for
  Spread ours;
  std::string yardstick;  // "PostgreSQL 15 INSERT, 64 clients"; empty: none, the goal is absolute
  Spread theirs;
  // The goal: a bound on median(ours) / median(theirs), or on median(ours) without a yardstick.
  double goal = 0;
  double aim = 0;  // a further goal; 0: none
  bool lower_is_better = false;

  double value() const;  // the ratio, or ours
  bool reaches(double bound) const { return lower_is_better ? value() <= bound : value() >= bound; }
  bool met() const { return goal == 0 || reaches(goal); }
};

// What the parts share.
struct Options {
  int runs = 5;
  double seconds = 3;      // of one measured loop
  std::string binary;      // the troupe command
  std::string self;        // this program
  bool ours_only = false;  // no yardstick of other programs, for profiles
  std::string scratch;     // a folder on the disk that is measured
};

// Measures and returns the figures of one part. Progress goes to standard error.
using Part = std::function<std::vector<Figure>(const Options&)>;
struct NamedPart {
  std::string name;
  std::string about;
  Part run;
};

std::vector<NamedPart> durable_parts();
std::vector<NamedPart> read_parts();
std::vector<NamedPart> http_parts();
std::vector<NamedPart> overload_parts();
std::vector<NamedPart> grpc_parts();
std::vector<NamedPart> footprint_parts();
std::vector<NamedPart> replicated_parts();
std::vector<NamedPart> link_parts();
std::vector<NamedPart> scale_parts();

void print_table(const std::vector<Figure>& figures);
void print_json(const std::vector<Figure>& figures);

void progress(const std::string& text);

}  // namespace troupe::bench
