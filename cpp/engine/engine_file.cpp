#include <algorithm>
#include <charconv>
#include <utility>

#include "backends/registry.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/utf8.hpp"
#include "engine/engine.hpp"
#include "engine/external_engine.hpp"
#include "graph/text.hpp"
#include "plan/plan_reader.hpp"
#include "plan/plan_writer.hpp"

// Sections: "graph" and "weights" (graph/text.hpp), "config" (engine_config.hpp), "manifest" (JSON)
// and "blob/BACKEND/BATCH", or "blob/BACKEND/plan" for a runtime outside this library. The I/O
// contract has no section: names, types, shapes and layouts are those of the graph's input nodes and
// outputs, and a second copy could only disagree with them.

namespace chexnet_trt {
namespace {

/// Lines that tell which file is meant.
template <typename Parse>
auto parse_section(const PlanReader& plan, Parse parse) {
  try {
    return parse();
  } catch (const InputError& error) {
    throw InputError("'" + plan.name() + "': " + error.what());
  }
}

/// A section that is text. Its names reach messages and Python, so they must be sound.
std::string_view text_section(const PlanReader& plan, std::string_view name) {
  const std::string_view text = plan.section(name).text();
  if (is_utf8(text)) return text;
  throw InputError("'" + plan.name() + "' is damaged: its section '" + std::string(name) +
                   "' is not UTF-8 text; build it again");
}

std::string blob_prefix(const std::string& backend) { return "blob/" + backend + "/"; }

EngineBlobs blobs_of(const PlanReader& plan, const EngineConfig& config) {
  EngineBlobs blobs{{}, plan.owner()};
  const std::string prefix = blob_prefix(config.backend);
  for (const PlanEntry& entry : plan.entries()) {
    if (entry.name.compare(0, prefix.size(), prefix) != 0) continue;
    const char* const end = entry.name.data() + entry.name.size();
    std::int64_t batch = 0;
    const auto [stop, code] = std::from_chars(entry.name.data() + prefix.size(), end, batch);
    if (code != std::errc() || stop != end || batch < 1 || batch > config.max_batch) {
      throw InputError("'" + plan.name() + "' has a section '" + entry.name +
                       "' for no batch size of its own; build it again");
    }
    blobs.by_batch[batch] = plan.section(entry.name);
  }
  return blobs;
}

/// Whether blobs compiled for `config` may be used on `backend`; warns when not.
bool fits_device(const PlanReader& plan, const EngineConfig& config, const Backend& backend,
                 bool require_exact_device) {
  if (config.fingerprint == backend.fingerprint()) return true;
  const std::string difference = "'" + plan.name() + "' was compiled for " + config.device + " (" +
                                 config.fingerprint + "), this is " + backend.device_name() + " (" +
                                 backend.fingerprint() + ")";
  if (require_exact_device) {
    throw InputError(difference + "; build it on this device, or allow it to be rebuilt");
  }
  const bool runs = backend.cannot_run().empty();
  log(Severity::kWarning, difference + (runs ? "; compiling it again from the graph"
                                             : "; it does not run here: " + backend.cannot_run()));
  return false;
}

void check_precision(const PlanReader& plan, const EngineConfig& config, const Backend& backend) {
  std::vector<Precision> precisions = backend.precisions();
  const std::vector<Precision> emulated = backend.emulated_precisions();
  precisions.insert(precisions.end(), emulated.begin(), emulated.end());
  if (std::find(precisions.begin(), precisions.end(), config.precision) != precisions.end()) return;
  throw InputError("'" + plan.name() + "' runs in " + std::string(name_of(config.precision)) +
                   ", for which this device (" + backend.device_name() +
                   ") has no kernels; build it here in another precision");
}

/// Whether blobs that were compiled with `built` may be used with `wanted`.
bool same_options(const EngineConfig& built, const EngineConfig& wanted) {
  return wanted.threads == built.threads && wanted.streams == built.streams &&
         wanted.profiling == built.profiling && wanted.slices_at_once == built.slices_at_once;
}

/// The configuration of an engine of that file on this device.
EngineConfig adapted(EngineConfig config, const LoadOptions& options, const Backend& backend) {
  config.threads = options.threads.value_or(config.threads);
  config.streams = options.streams.value_or(config.streams);
  config.profiling = options.profiling.value_or(config.profiling);
  config.slices_at_once = std::min(config.slices_at_once, backend.most_streams(config.threads));
  config.fingerprint = backend.fingerprint();
  config.device = backend.device_name();
  return config;
}

EngineConfig config_of(const PlanReader& plan) {
  return parse_section(plan, [&] { return config_from_text(text_section(plan, "config")); });
}

Graph graph_of(const PlanReader& plan) {
  return parse_section(plan, [&] {
    return graph_from_text(text_section(plan, "graph"), plan.section("weights"), plan.owner());
  });
}

std::string external_section(const EngineConfig& config) {
  return blob_prefix(config.backend) + "plan";
}

/// The sections of every engine file. Keep it until they are written.
class CommonSections {
 public:
  CommonSections(const Graph& graph, const EngineConfig& config, std::string manifest)
      : graph_(graph),
        text_(to_text(graph)),
        config_(to_text(config)),
        manifest_(std::move(manifest)) {}

  std::vector<PlanSection> list() const {
    return {plan_section("config", ByteView(config_)),
            plan_section("manifest", ByteView(manifest_)), plan_section("graph", ByteView(text_)),
            PlanSection{"weights", [this](const ByteSink& sink) { write_weights(graph_, sink); }}};
  }

 private:
  const Graph& graph_;
  std::string text_;
  std::string config_;
  std::string manifest_;
};

}  // namespace

std::shared_ptr<Engine> Engine::load(const std::string& path, const LoadOptions& options) {
  return load(PlanReader::open(path), options);
}

std::shared_ptr<Engine> Engine::load(const PlanReader& plan, const LoadOptions& options) {
  return load(plan, options,
              chexnet_trt::backend(on_device(config_of(plan).backend, options.device)));
}

std::shared_ptr<Engine> Engine::load(const std::string& path, const LoadOptions& options,
                                     Backend& backend) {
  return load(PlanReader::open(path), options, backend);
}

std::shared_ptr<Engine> Engine::load(const PlanReader& plan, const LoadOptions& options,
                                     Backend& backend) {
  const EngineConfig built = config_of(plan);
  if (built.backend != backend.name()) {
    throw InputError("'" + plan.name() + "' is for the backend '" + built.backend + "', not '" +
                     std::string(backend.name()) + "'");
  }
  Graph graph = graph_of(plan);
  EngineBlobs blobs = blobs_of(plan, built);
  std::vector<std::int64_t> batches;
  batches.reserve(blobs.by_batch.size());
  for (const auto& [batch, bytes] : blobs.by_batch) batches.push_back(batch);
  const bool fits = fits_device(plan, built, backend, options.require_exact_device);
  check_precision(plan, built, backend);
  auto engine = std::make_shared<Engine>(std::move(graph), adapted(built, options, backend),
                                         backend, std::move(batches));
  const bool same = same_options(built, engine->config());
  engine->set_manifest(std::string(plan.section("manifest").text()));
  if (fits && same) {
    engine->use_blobs(std::move(blobs), plan.name(), options.require_exact_device);
  } else if (fits && !blobs.by_batch.empty()) {
    log(Severity::kInfo, "'" + plan.name() +
                             "': other threads, streams or profiling than it was built " +
                             "with; compiling it again from the graph");
  }
  return engine;
}

void Engine::save(const std::string& path) {
  const CommonSections common(graph_, config_, manifest());
  std::vector<PlanSection> sections = common.list();
  std::vector<std::vector<std::byte>> blobs;
  for (const std::int64_t batch : blob_batches_) {
    blobs.push_back(slices().get(batch)->serialize());
    sections.push_back(plan_section(blob_prefix(config_.backend) + std::to_string(batch),
                                    {blobs.back().data(), blobs.back().size()}));
  }
  write_plan(path, sections);
}

void ExternalEngine::save(const std::string& path) const {
  const CommonSections common(graph, config, manifest);
  std::vector<PlanSection> sections = common.list();
  sections.push_back(plan_section(external_section(config), plan));
  write_plan(path, sections);
}

std::variant<std::shared_ptr<Engine>, ExternalEngine> load_engine_file(const std::string& path,
                                                                       const LoadOptions& options) {
  const PlanReader plan = PlanReader::open(path);
  EngineConfig config = config_of(plan);
  const std::optional<ByteView> bytes = plan.find(external_section(config));
  if (!bytes) return Engine::load(plan, options);
  if (options.device != 0) {
    throw InputError("'" + path + "': device " + std::to_string(options.device) + ": engines of '" +
                     config.backend + "' run on device 0; CUDA_VISIBLE_DEVICES says which that is");
  }
  return ExternalEngine{graph_of(plan), std::move(config),
                        std::string(text_section(plan, "manifest")), *bytes, plan.owner()};
}

}  // namespace chexnet_trt
