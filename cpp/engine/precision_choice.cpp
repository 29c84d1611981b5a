#include "engine/precision_choice.hpp"

#include <array>
#include <cstdio>

#include "common/error.hpp"
#include "engine/timing.hpp"

namespace chexnet_trt {
namespace {

constexpr double kTie = 1.02;

std::string text_of(double milliseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g ms", milliseconds);
  return text.data();
}

}  // namespace

void time_candidates(std::vector<Candidate>& candidates, const HostBuffers& buffers,
                     double budget_ms) {
  constexpr std::size_t kMinRounds = 5;
  std::vector<Candidate*> timed;
  std::vector<Executable*> executables;
  for (Candidate& candidate : candidates) {
    if (candidate.executable == nullptr) continue;
    timed.push_back(&candidate);
    executables.push_back(candidate.executable.get());
  }
  const std::vector<Timing> timings =
      time_interleaved(executables, buffers, {kMinRounds, budget_ms});
  for (std::size_t index = 0; index < timed.size(); ++index) {
    timed[index]->median_ms = timings[index].median_ms;
    timed[index]->rounds = timings[index].rounds;
  }
}

void keep_lowest(std::vector<Candidate>& candidates) {
  Candidate* lowest = nullptr;
  for (Candidate& candidate : candidates) {
    if (!candidate.reason.empty()) continue;
    if (lowest != nullptr) lowest->reason = "not the lowest that is permitted";
    lowest = &candidate;
  }
}

Candidate& choose(std::vector<Candidate>& candidates) {
  Candidate* fastest = nullptr;
  for (Candidate& candidate : candidates) {
    if (candidate.executable == nullptr) continue;
    if (fastest == nullptr || candidate.median_ms < fastest->median_ms) fastest = &candidate;
  }
  if (fastest == nullptr) throw Error("no precision is left to choose from");
  Candidate* best = fastest;
  for (Candidate& candidate : candidates) {
    if (candidate.executable == nullptr || !candidate.median_ms) continue;
    // Precision lists the highest first.
    if (candidate.precision < best->precision &&
        *candidate.median_ms <= *fastest->median_ms * kTie) {
      best = &candidate;
    }
  }
  best->chosen = true;
  if (best->reason.empty()) {
    best->reason = best == fastest ? "fastest" : "within 2 % of the fastest, and higher precision";
  }
  for (Candidate& candidate : candidates) {
    if (&candidate == best || candidate.executable == nullptr) continue;
    candidate.reason =
        candidate.median_ms && *candidate.median_ms < *best->median_ms
            ? "not 2 % faster than " + std::string(name_of(best->precision))
            : "slower: " + text_of(*candidate.median_ms) + " against " + text_of(*best->median_ms);
    candidate.executable = nullptr;
  }
  return *best;
}

}  // namespace chexnet_trt
