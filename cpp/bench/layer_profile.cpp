#include "bench/layer_profile.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "common/error.hpp"
#include "engine/execution_context.hpp"
#include "engine/host_buffers.hpp"

namespace chexnet_trt {
namespace {

constexpr std::uint64_t kSeed = 1;

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::vector<LayerProfile> summarize_layers(const std::vector<std::vector<LayerTime>>& runs) {
  std::vector<LayerProfile> profiles;
  if (runs.empty()) return profiles;
  std::map<std::string, std::vector<double>> times;
  for (const LayerTime& layer : runs.front()) {
    if (times.try_emplace(layer.name, runs.size(), 0.0).second) {
      profiles.emplace_back().name = layer.name;
    }
  }
  for (std::size_t run = 0; run < runs.size(); ++run) {
    for (const LayerTime& layer : runs[run]) {
      const auto found = times.find(layer.name);
      if (found != times.end()) found->second[run] += layer.milliseconds;
    }
  }
  double total = 0;
  for (LayerProfile& profile : profiles) {
    const std::vector<double>& values = times.at(profile.name);
    profile.total_ms = std::accumulate(values.begin(), values.end(), 0.0);
    profile.average_ms = profile.total_ms / static_cast<double>(runs.size());
    profile.median_ms = median_of(values);
    total += profile.total_ms;
  }
  for (LayerProfile& profile : profiles) {
    profile.percentage = total > 0 ? profile.total_ms / total * 100 : 0;
  }
  return profiles;
}

std::vector<LayerProfile> profile_layers(const std::shared_ptr<Engine>& engine, std::int64_t batch,
                                         int iterations) {
  if (!engine->config().profiling) {
    throw InputError("the engine is not profiled: build or load it with profiling");
  }
  if (iterations < 1) throw InputError("iterations must be 1 or more");
  HostBuffers buffers = engine->create_buffers(batch);
  buffers.fill_inputs_randomly(kSeed);
  ExecutionContext context(engine);
  context.execute(batch, buffers.bindings());
  std::vector<std::vector<LayerTime>> runs;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    context.execute(batch, buffers.bindings());
    runs.push_back(context.layer_times());
  }
  return summarize_layers(runs);
}

}  // namespace chexnet_trt
