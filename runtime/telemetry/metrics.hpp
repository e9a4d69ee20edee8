// Metrics of one node, in Prometheus' data model. Names have the prefix `troupe_`, base units and,
// for counters, the suffix `_total`; no entity keys in labels.
//
// Asking for a metric again with the same name and labels gives the same one; keep the reference,
// it lives as long as the Metrics. Any thread may call anything.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::runtime {

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
  virtual double value() const = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;
  virtual double value() const = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

class Metrics {
 public:
  virtual ~Metrics() = default;
  using Labels = std::map<std::string, std::string>;

  virtual Counter& counter(const std::string& name, const std::string& help,
                           const Labels& labels = {}) = 0;
  virtual Gauge& gauge(const std::string& name, const std::string& help,
                       const Labels& labels = {}) = 0;
  // `bounds`: upper bounds of the buckets, rising; seconds or bytes.
  virtual Histogram& histogram(const std::string& name, const std::string& help,
                               const Labels& labels, const std::vector<double>& bounds) = 0;

  // The text exposition format, version 0.0.4, as /metrics serves it.
  virtual std::string text() const = 0;

  static std::unique_ptr<Metrics> make();
};

}  // namespace troupe::runtime
