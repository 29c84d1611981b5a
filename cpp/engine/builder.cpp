#include "engine/builder.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "backends/registry.hpp"
#include "backends/timing_cache_file.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "engine/sliced_executable.hpp"
#include "graph/op_table.hpp"
#include "passes/class_activation.hpp"

namespace chexnet_trt {
namespace {

constexpr std::uint64_t kTimingSeed = 1;

bool has_batch(const Graph& graph) {
  const std::vector<NodeId> inputs = graph.inputs();
  return std::any_of(inputs.begin(), inputs.end(), [&](NodeId id) {
    const Shape& shape = graph.node(id).type.shape;
    return !shape.empty() && shape.front() == kBatch;
  });
}

void check_options(const Graph& graph, const BuildOptions& options) {
  if (options.max_batch < 1) {
    throw InputError("max batch " + std::to_string(options.max_batch) + ": it must be 1 or more");
  }
  if (options.timing_batch < 0 || options.timing_batch > options.max_batch) {
    throw InputError("timing batch " + std::to_string(options.timing_batch) + " is outside 1 ... " +
                     std::to_string(options.max_batch) + ", the max batch");
  }
  if (options.max_batch > 1 && !has_batch(graph)) {
    throw InputError("max batch " + std::to_string(options.max_batch) +
                     ": the inputs of this network have no batch; use 1");
  }
  if (options.threads < 0 || options.streams < 1 || options.slice < 0) {
    throw InputError("threads and slice must be 0 or more and streams 1 or more");
  }
  if (options.slice > 0 && !can_slice(input_infos(graph), output_infos(graph))) {
    throw InputError("slice " + std::to_string(options.slice) +
                     ": an input or output of this network has no batch to cut; leave it out");
  }
  if (options.slices_at_once < 1 || (options.slices_at_once > 1 && options.slice == 0)) {
    throw InputError("slices at once must be 1 or more, and more than 1 needs a slice");
  }
  if (options.obey &&
      std::set<Precision>(options.precisions.begin(), options.precisions.end()).size() > 1) {
    throw InputError("obeying a precision takes one precision, several are permitted");
  }
}

/// Lists every node that the backend cannot lower, not just the first.
void check_ops(const Graph& graph, const Backend& backend) {
  std::string problems;
  int count = 0;
  for (const Node& node : graph.nodes()) {
    const std::string reason = backend.unsupported_reason(node.op);
    if (reason.empty()) continue;
    ++count;
    problems += (problems.empty() ? " '" : "; '") + node.name + "' (" +
                std::string(name_of(node.op)) + "): " + reason;
  }
  if (count == 0) return;
  throw InputError("the backend '" + std::string(backend.name()) + "' cannot run " +
                   std::to_string(count) + (count == 1 ? " node:" : " nodes:") + problems);
}

bool has(const std::vector<Precision>& precisions, Precision wanted) {
  return std::find(precisions.begin(), precisions.end(), wanted) != precisions.end();
}

bool is_quantized(Precision precision) {
  return precision == Precision::kInt8 || precision == Precision::kMixed;
}

/// Empty when `precision` can be built. An emulated one is slow, and built only when it is forced.
std::string lacking(Precision precision, const BuildOptions& options, const Backend& backend) {
  const std::string name(name_of(precision));
  const auto ruled_out = options.ruled_out.find(precision);
  if (ruled_out != options.ruled_out.end()) return ruled_out->second;
  if (is_quantized(precision) && !options.int8) return "there are no dynamic ranges: calibrate";
  if (has(backend.precisions(), precision)) return "";
  if (!has(backend.emulated_precisions(), precision)) {
    return "this device (" + backend.device_name() + ") has no " + name + " kernels";
  }
  return options.obey ? "" : "this device only emulates " + name + ", slower than fp32";
}

std::vector<Candidate> list_candidates(const BuildOptions& options, const Backend& backend) {
  std::set<Precision> precisions(options.precisions.begin(), options.precisions.end());
  if (!options.obey || precisions.empty()) precisions.insert(Precision::kFloat32);
  std::vector<Candidate> candidates;
  for (const Precision precision : precisions) {
    Candidate candidate;
    candidate.precision = precision;
    candidate.reason = lacking(precision, options, backend);
    if (options.obey && !candidate.reason.empty()) {
      throw InputError("cannot build in " + std::string(name_of(precision)) + ": " +
                       candidate.reason + "; permit it without forcing it, or use fp32");
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

EngineConfig make_config(const BuildOptions& options, const Backend& backend) {
  EngineConfig config;
  config.backend = backend.name();
  config.max_batch = options.max_batch;
  config.threads = options.threads;
  config.streams = options.streams;
  config.profiling = options.profiling;
  config.slice = options.slice;
  config.slices_at_once = options.slices_at_once;
  config.fingerprint = backend.fingerprint();
  config.device = backend.device_name();
  return config;
}

/// One build, stage by stage; every stage uses what the earlier ones left.
class Build {
 public:
  Build(const Graph& graph, const BuildOptions& options, Backend& backend)
      : source_(graph), options_(options), backend_(backend) {}

  BuildResult run() {
    check();
    optimize_graph();
    quantize_graph();
    add_outputs();
    compile_candidates();
    choose_precision();
    choose_slices();
    return finish();
  }

 private:
  void check() {
    check_options(source_, options_);
    check_slices_at_once();
    batch_ = options_.timing_batch == 0 ? options_.max_batch : options_.timing_batch;
    if (options_.slice > 0) batch_ = std::min(batch_, options_.slice);
    report_.timing_batch = batch_;
    report_.candidates = list_candidates(options_, backend_);
    report_.untimed = backend_.cannot_run();
    if (is_untimed()) {
      log(Severity::kWarning,
          "precisions are not compared, and kernels are timed only where the engine is loaded: " +
              report_.untimed);
      keep_lowest(report_.candidates);
    }
    buildable_ = static_cast<int>(
        std::count_if(report_.candidates.begin(), report_.candidates.end(),
                      [](const Candidate& candidate) { return candidate.reason.empty(); }));
    if (options_.slice == 0 && !is_untimed()) {
      report_.slices = slice_candidates(batch_, most_slices_at_once(), input_infos(source_),
                                        output_infos(source_));
    }
    begin("check");
    source_.verify();
    if (!options_.timing_cache.empty()) load_timings(options_.timing_cache, backend_);
  }

  void optimize_graph() {
    begin("optimize");
    optimized_ = optimize(source_, &report_.passes);
    check_ops(optimized_, backend_);
    config_ = make_config(options_, backend_);
  }

  /// Only when a candidate runs it.
  void quantize_graph() {
    const bool wanted = std::any_of(
        report_.candidates.begin(), report_.candidates.end(), [](const Candidate& candidate) {
          return candidate.reason.empty() && is_quantized(candidate.precision);
        });
    if (!wanted) return;
    const Int8Options& int8 = *options_.int8;
    quantized_ = quantize(optimized_, int8.ranges, int8.high_precision, int8.types);
    check_ops(*quantized_, backend_);
  }

  /// Last, so that quantising and its ranges know nothing of it.
  void add_outputs() {
    if (!options_.class_activation) return;
    optimized_ = add_class_activation(optimized_);
    check_ops(optimized_, backend_);
    if (quantized_) quantized_ = add_class_activation(*quantized_);
  }

  const Graph& network() const {
    return is_quantized(config_.precision) ? *quantized_ : optimized_;
  }

  void compile_candidates() {
    for (Candidate& candidate : report_.candidates) {
      if (!candidate.reason.empty()) continue;
      begin("compile " + std::string(name_of(candidate.precision)));
      config_.precision = candidate.precision;
      candidate.executable = backend_.compile(network(), config_.slice_options(batch_));
    }
  }

  void choose_precision() {
    begin("time");
    if (buildable_ > 1) {
      time_candidates(report_.candidates, random_input(), options_.timing_budget_ms);
    }
    Candidate& chosen = choose(report_.candidates);
    if (buildable_ == 1) chosen.reason = reason_without_timing();
    config_.precision = chosen.precision;
    executable_ = std::exchange(chosen.executable, nullptr);
  }

  bool is_untimed() const { return !report_.untimed.empty(); }

  std::string reason_without_timing() const {
    if (options_.obey) return "forced";
    if (!is_untimed() || report_.candidates.size() == 1) return "the only one";
    return "the lowest that is permitted: nothing is timed";
  }

  void check_slices_at_once() const {
    const int most = most_slices_at_once();
    if (options_.slices_at_once <= most) return;
    throw InputError(std::to_string(options_.slices_at_once) +
                     " slices at once: here it is at most " + std::to_string(most) +
                     ", a thread for each, and 1 with streams or profiling");
  }

  /// Streams leave no thread to spare, and layers are timed one by one.
  int most_slices_at_once() const {
    const bool is_alone = options_.streams == 1 && !options_.profiling;
    return is_alone ? backend_.most_streams(options_.threads) : 1;
  }

  void choose_slices() {
    if (report_.slices.empty()) return;
    begin("slice");
    const SliceChoice choice = choose_slice(report_.slices, batch_, executable_, network(), config_,
                                            backend_, random_input(), options_.timing_budget_ms);
    executable_ = choice.executable;
    if (choice.slice < batch_) config_.slice = choice.slice;
    config_.slices_at_once = choice.at_once;
    batch_ = choice.slice;
  }

  BuildResult finish() {
    begin("finish");
    std::vector<std::int64_t> blob_batches;
    if (options_.embed_blob) blob_batches.push_back(batch_);
    auto engine = std::make_shared<Engine>(network(), config_, backend_, std::move(blob_batches));
    engine->add_slice(batch_, std::move(executable_));
    if (!options_.timing_cache.empty()) save_timings(options_.timing_cache, backend_);
    if (options_.progress) options_.progress("finish", stages(), stages());
    report_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return {std::move(engine), std::move(report_)};
  }

  int stages() const { return 4 + buildable_ + (report_.slices.empty() ? 0 : 1); }

  void begin(const std::string& stage) {
    if (options_.progress) options_.progress(stage, done_++, stages());
  }

  HostBuffers random_input() const {
    HostBuffers buffers(input_infos(optimized_), output_infos(optimized_), batch_, backend_);
    buffers.fill_inputs_randomly(kTimingSeed);
    return buffers;
  }

  const Graph& source_;
  const BuildOptions& options_;
  Backend& backend_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  BuildReport report_;
  EngineConfig config_;
  Graph optimized_;
  std::optional<Graph> quantized_;
  /// The batch that is compiled and timed; the slice once that is chosen.
  std::int64_t batch_ = 1;
  std::shared_ptr<Executable> executable_;
  int buildable_ = 0;
  int done_ = 0;
};

}  // namespace

BuildResult build(const Graph& graph, const BuildOptions& options) {
  return build(graph, options, backend(options.backend));
}

BuildResult build(const Graph& graph, const BuildOptions& options, Backend& backend) {
  return Build(graph, options, backend).run();
}

}  // namespace chexnet_trt
