#include "engine/builder.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "backends/registry.hpp"
#include "common/error.hpp"
#include "graph/op_table.hpp"

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
  if (options.threads < 0 || options.streams < 1) {
    throw InputError("threads must be 0 or more and streams 1 or more");
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

/// Empty when `precision` can be built. An emulated one is slow, and built only when it is forced.
std::string lacking(Precision precision, const Backend& backend, bool forced) {
  const std::string name(name_of(precision));
  if (precision == Precision::kInt8) return "the network is not quantised";
  if (has(backend.precisions(), precision)) return "";
  if (!has(backend.emulated_precisions(), precision)) {
    return "this device (" + backend.device_name() + ") has no " + name + " kernels";
  }
  return forced ? "" : "this device only emulates " + name + ", slower than fp32";
}

std::vector<Candidate> list_candidates(const BuildOptions& options, const Backend& backend) {
  std::set<Precision> precisions(options.precisions.begin(), options.precisions.end());
  if (!options.obey || precisions.empty()) precisions.insert(Precision::kFloat32);
  std::vector<Candidate> candidates;
  for (const Precision precision : precisions) {
    Candidate candidate;
    candidate.precision = precision;
    candidate.reason = lacking(precision, backend, options.obey);
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
  config.fingerprint = backend.fingerprint();
  config.device = backend.device_name();
  return config;
}

}  // namespace

BuildResult build(const Graph& graph, const BuildOptions& options) {
  return build(graph, options, backend(options.backend));
}

BuildResult build(const Graph& graph, const BuildOptions& options, Backend& backend) {
  const auto start = std::chrono::steady_clock::now();
  BuildReport report;
  report.timing_batch = options.timing_batch == 0 ? options.max_batch : options.timing_batch;
  check_options(graph, options);
  report.candidates = list_candidates(options, backend);
  const auto missing = std::count_if(report.candidates.begin(), report.candidates.end(),
                                     [](const Candidate& one) { return !one.reason.empty(); });
  const int buildable = static_cast<int>(report.candidates.size()) - static_cast<int>(missing);
  const int total = 4 + buildable;
  int done = 0;
  const auto begin = [&](const std::string& stage) {
    if (options.progress) options.progress(stage, done++, total);
  };

  begin("check");
  graph.verify();

  begin("optimize");
  Graph optimized = optimize(graph, &report.passes);
  check_ops(optimized, backend);

  EngineConfig config = make_config(options, backend);
  for (Candidate& candidate : report.candidates) {
    if (!candidate.reason.empty()) continue;
    begin("compile " + std::string(name_of(candidate.precision)));
    config.precision = candidate.precision;
    candidate.executable = backend.compile(optimized, config.compile_options(report.timing_batch));
  }

  begin("time");
  if (buildable > 1) {
    HostBuffers buffers(input_infos(optimized), output_infos(optimized), report.timing_batch);
    buffers.fill_inputs_randomly(kTimingSeed);
    time_interleaved(report.candidates, buffers, options.timing_budget_ms);
  }
  Candidate& chosen = choose(report.candidates);
  if (buildable == 1) chosen.reason = options.obey ? "forced" : "the only one";
  config.precision = chosen.precision;

  begin("finish");
  std::vector<std::int64_t> blob_batches;
  if (options.embed_blob) blob_batches.push_back(report.timing_batch);
  auto engine = std::make_shared<Engine>(std::move(optimized), std::move(config), backend,
                                         std::move(blob_batches));
  engine->add_executable(report.timing_batch, std::exchange(chosen.executable, nullptr));
  if (options.progress) options.progress("finish", total, total);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {std::move(engine), std::move(report)};
}

}  // namespace chexnet_trt
