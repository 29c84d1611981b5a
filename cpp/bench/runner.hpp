#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/engine.hpp"

namespace chexnet_trt {

/// Called about every 50 ms from the thread that called `run_bench`, also during warm-up. False
/// stops: what was measured until then is returned. An exception from it cancels.
using BenchProgress = std::function<bool(double elapsed_ms, std::size_t queries)>;

struct BenchOptions {
  std::int64_t batch = 1;
  /// At least so many queries are kept.
  std::int64_t iterations = 10;
  double warm_up_ms = 200;
  /// Measured time after warm-up; 0: `iterations` alone decide; negative: until `progress` stops
  /// it.
  double duration_s = 3;
  /// Contexts in flight.
  int streams = 1;
  /// A host thread a stream. Without, one thread drives all in turn, so that a query is seen to end
  /// when its turn comes.
  bool threads = false;
  /// Pause between queries after warm-up.
  double idle_ms = 0;
  /// Pause before the first query.
  double sleep_ms = 0;
  /// One view an input, dense; empty: random numbers.
  std::vector<ByteView> inputs;
  std::uint64_t seed = 1;
  BenchProgress progress;
};

/// One query; milliseconds since the start of the run, by the host clock or, for what a device does,
/// its own. On a CPU backend the computation counts from the start of the enqueue.
struct Trace {
  double start_enqueue = 0;
  double end_enqueue = 0;
  double start_compute = 0;
  double end_compute = 0;
  /// Copying inputs to the device right before the computation, and outputs from it right after.
  double h2d_ms = 0;
  double d2h_ms = 0;

  double enqueue_ms() const { return end_enqueue - start_enqueue; }
  double compute_ms() const { return end_compute - start_compute; }
  /// When the result is in the host's memory.
  double end() const { return end_compute + d2h_ms; }
  double latency_ms() const { return end() - start_enqueue; }
};

struct BenchResult {
  /// Without warm-up, by start of computation.
  std::vector<Trace> traces;
  std::size_t warm_up_queries = 0;
  bool random_input = false;
  /// Of the last query of the first stream, one an output.
  std::vector<std::vector<std::byte>> outputs;
};

/// Measures as trtexec does: queries run until `iterations` have been kept and `duration_s` has
/// passed; those that started within `warm_up_ms` are dropped. Raises InputError on options or
/// inputs that do not fit the engine, BackendError when an inference fails.
BenchResult run_bench(const std::shared_ptr<Engine>& engine, const BenchOptions& options);

}  // namespace chexnet_trt
