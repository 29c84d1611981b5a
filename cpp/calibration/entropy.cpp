#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "calibration/thresholds.hpp"

namespace chexnet_trt {
namespace {

constexpr std::size_t kLevels = 128;
constexpr double kLeastHeld = 0.99;

/// x log x, continued to 0.
double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

/// Sums over the first bins, so that a candidate costs its 128 levels and not its bins.
class DivergenceTable {
 public:
  explicit DivergenceTable(std::vector<std::uint64_t> counts) : counts_(std::move(counts)) {
    counts_[0] = counts_[1];
    const std::size_t bins = counts_.size();
    held_.resize(bins + 1);
    filled_.resize(bins + 1);
    held_log_.resize(bins + 1);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      held_[bin + 1] = held_[bin] + counts_[bin];
      filled_[bin + 1] = filled_[bin] + (counts_[bin] != 0 ? 1U : 0U);
      held_log_[bin + 1] = held_log_[bin] + x_log_x(static_cast<double>(counts_[bin]));
    }
  }

  std::size_t bins() const { return counts_.size(); }

  /// Whether the first `kept` bins hold enough to be a candidate.
  bool holds_enough(std::size_t kept) const {
    return static_cast<double>(held_[kept]) >= kLeastHeld * static_cast<double>(held_.back());
  }

  /// Of the reference from the candidate that keeps the first `kept` bins, in nats: with P = p / T
  /// and Q = q / S, the sum of P log(P / Q) is (sum p log p - sum p log q) / T - log(T / S).
  double divergence(std::size_t kept) const {
    const std::uint64_t beyond = held_.back() - held_[kept];
    const std::uint64_t last = counts_[kept - 1];
    if (last == 0 && beyond != 0) return std::numeric_limits<double>::infinity();
    const auto total = static_cast<double>(held_.back());
    const double p_log_p = held_log_[kept - 1] + x_log_x(static_cast<double>(last + beyond));
    const double cross = p_log_q(kept, static_cast<double>(beyond));
    return ((p_log_p - cross) / total) - std::log(total / static_cast<double>(held_[kept]));
  }

 private:
  /// `beyond` counts lie in the last bin on top of its own, which are in its level's sum.
  double p_log_q(std::size_t kept, double beyond) const {
    double sum = 0;
    double log_q = 0;
    std::size_t begin = 0;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const std::size_t end = ((level + 1) * kept + kLevels - 1) / kLevels;
      const std::uint64_t filled = filled_[end] - filled_[begin];
      if (filled != 0) {
        const auto held = static_cast<double>(held_[end] - held_[begin]);
        log_q = std::log(held / static_cast<double>(filled));
        sum += held * log_q;
      }
      begin = end;
    }
    return beyond > 0 ? sum + (beyond * log_q) : sum;
  }

  std::vector<std::uint64_t> counts_;
  std::vector<std::uint64_t> held_;    // counts in the first bins
  std::vector<std::uint64_t> filled_;  // non-empty ones among the first bins
  std::vector<double> held_log_;       // sum of c log c over the first bins
};

}  // namespace

double entropy_threshold(const Histogram& histogram) {
  const double max_abs = min_max_threshold(histogram);
  if (histogram.max_abs() < kSmallestAmax) return max_abs;
  const DivergenceTable table(histogram.counts());
  std::size_t best = table.bins();
  double least = table.divergence(best);
  for (std::size_t kept = table.bins() - 1; kept >= kLevels && table.holds_enough(kept); --kept) {
    const double divergence = table.divergence(kept);
    if (divergence < least) {
      least = divergence;
      best = kept;
    }
  }
  return std::min(static_cast<double>(best) * histogram.bin_width(), max_abs);
}

}  // namespace chexnet_trt
