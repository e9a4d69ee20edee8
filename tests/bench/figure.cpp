#include "tests/bench/figure.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::bench {

double Spread::min() const {
  return runs.empty() ? 0 : *std::min_element(runs.begin(), runs.end());
}
double Spread::max() const {
  return runs.empty() ? 0 : *std::max_element(runs.begin(), runs.end());
}
double Spread::median() const {
  if (runs.empty()) return 0;
  std::vector<double> sorted = runs;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double Figure::value() const {
  if (yardstick.empty()) return ours.median();
  return theirs.median() == 0 ? 0 : ours.median() / theirs.median();
}

void progress(const std::string& text) {
  std::fprintf(stderr, "  %s\n", text.c_str());
  std::fflush(stderr);
}

namespace {

std::string spread(const Spread& one) {
  char text[96];
  std::snprintf(text, sizeof text, "%.4g / %.4g / %.4g", one.min(), one.median(), one.max());
  return text;
}

std::string verdict(const Figure& figure) {
  char text[96];
  const char* sign = figure.lower_is_better ? "<=" : ">=";
  if (figure.goal == 0) return "-";
  if (figure.aim != 0)
    std::snprintf(text, sizeof text, "%s %.3g %s, aim %.3g %s", sign, figure.goal,
                  figure.met() ? "met" : "MISSED", figure.aim,
                  figure.reaches(figure.aim) ? "met" : "missed");
  else
    std::snprintf(text, sizeof text, "%s %.3g %s", sign, figure.goal,
                  figure.met() ? "met" : "MISSED");
  return text;
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string json(const Spread& one) {
  char text[128];
  std::snprintf(text, sizeof text, R"({"min":%.6g,"median":%.6g,"max":%.6g,"runs":%zu})", one.min(),
                one.median(), one.max(), one.runs.size());
  return text;
}

}  // namespace

void print_table(const std::vector<Figure>& figures) {
  for (const Figure& figure : figures) {
    std::printf("%s\n", figure.name.c_str());
    std::printf("  ours        %s %s (min / median / max of %zu)\n", spread(figure.ours).c_str(),
                figure.unit.c_str(), figure.ours.runs.size());
    if (!figure.yardstick.empty()) {
      std::printf("  yardstick   %s %s: %s\n", spread(figure.theirs).c_str(), figure.unit.c_str(),
                  figure.yardstick.c_str());
      std::printf("  ratio       %.3g\n", figure.value());
    }
    std::printf("  goal        %s\n", verdict(figure).c_str());
    if (!figure.durability.empty()) std::printf("  durability  %s\n", figure.durability.c_str());
  }
  std::fflush(stdout);
}

void print_json(const std::vector<Figure>& figures) {
  std::printf("[");
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Figure& figure = figures[i];
    std::printf("%s\n  {\"name\":%s,\"unit\":%s,\"durability\":%s,\"ours\":%s", i ? "," : "",
                quoted(figure.name).c_str(), quoted(figure.unit).c_str(),
                quoted(figure.durability).c_str(), json(figure.ours).c_str());
    if (!figure.yardstick.empty())
      std::printf(",\"yardstick\":%s,\"theirs\":%s,\"ratio\":%.6g",
                  quoted(figure.yardstick).c_str(), json(figure.theirs).c_str(), figure.value());
    std::printf(",\"goal\":%.6g,\"lower_is_better\":%s,\"met\":%s}", figure.goal,
                figure.lower_is_better ? "true" : "false", figure.met() ? "true" : "false");
  }
  std::printf("\n]\n");
}

}  // namespace troupe::bench
