#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/precision_choice.hpp"
#include "engine/slice_choice.hpp"
#include "graph/dynamic_range.hpp"
#include "passes/pipeline.hpp"
#include "passes/quantize.hpp"

namespace chexnet_trt {

/// `stage` of the build, of which `done` of `total` are done: "check", "optimize", "compile fp32",
/// "time", "slice", "finish". An exception from it cancels the build.
using BuildProgress = std::function<void(const std::string& stage, int done, int total)>;

/// What quantising the network takes (passes/quantize.hpp).
struct Int8Options {
  DynamicRanges ranges;
  /// Names of convolutions and matmuls that keep floating point.
  std::set<std::string> high_precision;
  QuantizedTypes types = QuantizedTypes::kInt8AndUInt8;
};

struct BuildOptions {
  /// Used by `build` without a Backend; "cuda:1" for another device than the first.
  std::string backend = "openvino";
  /// Permitted besides fp32, which always is.
  std::vector<Precision> precisions;
  /// The one precision of `precisions` is forced (fp32 when there is none): nothing is timed.
  bool obey = false;
  /// Without it int8 and mixed are not built.
  std::optional<Int8Options> int8;
  /// Permitted precisions that are not to be built after all, and why.
  std::map<Precision, std::string> ruled_out;
  std::int64_t max_batch = 1;
  /// The batch at which precisions are compared and that is compiled now; 0: max_batch.
  std::int64_t timing_batch = 0;
  /// Larger batches run in pieces of this size; 0: what is fastest at the timing batch, also side by
  /// side.
  std::int64_t slice = 0;
  /// How many pieces of a given size run side by side, each on its share of the threads.
  int slices_at_once = 1;
  int threads = 0;
  int streams = 1;
  bool profiling = false;
  /// Engine files carry the compiled network for the timing batch.
  bool embed_blob = true;
  /// The engine also computes class activation maps (passes/class_activation.hpp).
  bool class_activation = false;
  double timing_budget_ms = 1000;
  /// A file of kernel times, read first and written last (backends/timing_cache_file.hpp); empty:
  /// none.
  std::string timing_cache;
  BuildProgress progress;
};

struct BuildReport {
  std::vector<PassCount> passes;
  /// In the order fp32, fp16, bf16, int8, mixed; timed on random input.
  std::vector<Candidate> candidates;
  /// How the timing batch may run, timed on random input; empty when only as a whole.
  std::vector<SliceCandidate> slices;
  std::int64_t timing_batch = 1;
  /// Why nothing was timed (Backend::cannot_run); empty where the device was there to time.
  std::string untimed;
  double seconds = 0;
};

struct BuildResult {
  std::shared_ptr<Engine> engine;
  BuildReport report;
};

/// The whole pipeline: checks, passes, choice of precision, compilation. On a backend that cannot
/// run what it compiles nothing is timed: of the permitted precisions the lowest is taken, and
/// batches run whole. Raises InputError when an option does not fit, when class activation maps are
/// asked of a network that cannot have them, when ops have no lowering (all are listed) and when a
/// forced precision has no kernels here; BackendError when the backend fails.
BuildResult build(const Graph& graph, const BuildOptions& options);
BuildResult build(const Graph& graph, const BuildOptions& options, Backend& backend);

}  // namespace chexnet_trt
