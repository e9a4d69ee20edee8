#include "runtime/telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>

namespace troupe::runtime {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double amount) override { counter_.Increment(amount); }
  double value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }
  void add(double amount) override { gauge_.Increment(amount); }
  double value() const override { return gauge_.Value(); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

// The registry writes help texts as they are; the exposition format wants these two escaped.
std::string escaped_help(const std::string& help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// Anything that prometheus-cpp refuses is our mistake; its own words do not name the metric.
template <class Builder, class... Bounds>
auto& make_metric(prometheus::Registry& registry, Builder builder, const std::string& name,
                  const std::string& help, const Metrics::Labels& labels, const Bounds&... bounds) {
  try {
    return builder.Name(name).Help(escaped_help(help)).Register(registry).Add(labels, bounds...);
  } catch (const std::exception&) {
    throw std::invalid_argument{"the metric " + name +
                                " exists as another kind, or it or a label has no valid name"};
  }
}

class PrometheusMetrics final : public Metrics {
 public:
  Counter& counter(const std::string& name, const std::string& help,
                   const Labels& labels) override {
    const std::lock_guard lock{mutex_};
    return find(counters_, name, labels, [&]() -> prometheus::Counter& {
      return make_metric(registry_, prometheus::BuildCounter(), name, help, labels);
    });
  }

  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels) override {
    const std::lock_guard lock{mutex_};
    return find(gauges_, name, labels, [&]() -> prometheus::Gauge& {
      return make_metric(registry_, prometheus::BuildGauge(), name, help, labels);
    });
  }

  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels,
                       const std::vector<double>& bounds) override {
    const std::lock_guard lock{mutex_};
    return find(histograms_, name, labels, [&]() -> prometheus::Histogram& {
      if (std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>{}) != bounds.end())
        throw std::invalid_argument{"the bounds of the histogram " + name + " do not rise"};
      return make_metric(registry_, prometheus::BuildHistogram(), name, help, labels, bounds);
    });
  }

  std::string text() const override {
    auto families = registry_.Collect();
    // The registry keeps its metrics in hash order; what we serve has one order.
    std::sort(families.begin(), families.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (auto& one : families)
      std::sort(one.metric.begin(), one.metric.end(), [](const auto& a, const auto& b) {
        return std::lexicographical_compare(a.label.begin(), a.label.end(), b.label.begin(),
                                            b.label.end());
      });
    return prometheus::TextSerializer{}.Serialize(families);
  }

 private:
  using Key = std::pair<std::string, Labels>;

  template <class Metric, class Make>
  static Metric& find(std::map<Key, Metric>& known, const std::string& name, const Labels& labels,
                      Make make) {
    const Key key{name, labels};
    if (const auto found = known.find(key); found != known.end()) return found->second;
    return known.emplace(key, make()).first->second;
  }

  std::mutex mutex_;  // guards the maps; the metrics and the registry guard themselves
  prometheus::Registry registry_;
  std::map<Key, PrometheusCounter> counters_;
  std::map<Key, PrometheusGauge> gauges_;
  std::map<Key, PrometheusHistogram> histograms_;
};

}  // namespace

std::unique_ptr<Metrics> Metrics::make() {
  return std::make_unique<PrometheusMetrics>();
}

}  // namespace troupe::runtime
