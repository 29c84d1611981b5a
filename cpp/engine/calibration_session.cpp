#include "engine/calibration_session.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>
#include <utility>

#include "backends/registry.hpp"
#include "common/error.hpp"
#include "engine/execution_context.hpp"
#include "passes/quantize.hpp"

namespace chexnet_trt {
namespace {

std::vector<NodeId> observed_values(const Graph& graph) {
  std::vector<NodeId> values;
  for (const QuantizationPoint& point : quantization_points(graph)) values.push_back(point.value);
  if (values.empty()) {
    throw InputError(
        "there is nothing to quantise: no convolution and no matmul with constant "
        "float32 weights");
  }
  return values;
}

Graph observed_graph(const Graph& graph, const std::vector<NodeId>& values,
                     const CalibrationOptions& options) {
  const bool extremes = options.method.algorithm == CalibrationAlgorithm::kMinMax;
  return observe(graph, values,
                 {extremes ? Observation::kExtremes : Observation::kSample, options.sample_limit});
}

/// Observations may miss a NaN: a sample leaves positions out, and maxima pass over it.
void check_finite(const TensorInfo& info, ByteView bytes) {
  if (info.element != ElementType::kFloat32) return;
  for (std::size_t at = 0; at + sizeof(float) <= bytes.size; at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, bytes.data + at, sizeof value);
    if (std::isfinite(value)) continue;
    throw InputError("cannot calibrate: the input '" + info.name +
                     "' was given a value that is not finite (NaN or infinity)");
  }
}

EngineConfig config_of(const CalibrationOptions& options, const Backend& backend) {
  EngineConfig config;
  config.backend = backend.name();
  config.max_batch = options.max_batch;
  config.threads = options.threads;
  config.fingerprint = backend.fingerprint();
  config.device = backend.device_name();
  return config;
}

}  // namespace

CalibrationSession::CalibrationSession(const Graph& graph, const CalibrationOptions& options)
    : CalibrationSession(graph, options, chexnet_trt::backend(options.backend)) {}

CalibrationSession::CalibrationSession(const Graph& graph, const CalibrationOptions& options,
                                       Backend& backend)
    : method_(options.method) {
  if (options.max_batch < 1 || options.threads < 0 || options.sample_limit < 0) {
    throw InputError("calibration needs a batch of 1 or more, threads and samples of 0 or more");
  }
  const std::vector<NodeId> values = observed_values(graph);
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const NodeId value : values) names.push_back(graph.node(value).name);
  engine_ = std::make_shared<Engine>(observed_graph(graph, values, options),
                                     config_of(options, backend), backend);
  context_ = engine_->create_context();
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  calibrator_ = std::make_unique<Calibrator>(
      std::move(names),
      [this](const std::vector<ByteView>& inputs, std::int64_t batch) {
        return run(inputs, batch);
      },
      options.threads > 0 ? options.threads : static_cast<int>(cores));
}

CalibrationSession::~CalibrationSession() = default;

void CalibrationSession::add(const std::vector<ByteView>& inputs, std::int64_t batch) {
  calibrator_->add(inputs, batch);
}

DynamicRanges CalibrationSession::ranges() const { return calibrator_->ranges(method_); }

std::vector<Activation> CalibrationSession::run(const std::vector<ByteView>& inputs,
                                                std::int64_t batch) {
  if (inputs.size() != engine_->inputs().size()) {
    throw InputError("the network has " + std::to_string(engine_->inputs().size()) +
                     " inputs, got " + std::to_string(inputs.size()));
  }
  if (buffers_ == nullptr || buffers_->batch() != batch) {
    buffers_ = std::make_unique<HostBuffers>(engine_->create_buffers(batch));
  }
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    check_finite(engine_->inputs()[index], inputs[index]);
    buffers_->set_input(index, inputs[index]);
  }
  context_->execute(batch, buffers_->bindings());
  std::vector<Activation> activations;
  for (std::size_t index = 0; index < engine_->outputs().size(); ++index) {
    const ByteView bytes = buffers_->output(index);
    activations.push_back({reinterpret_cast<const float*>(bytes.data), bytes.size / sizeof(float)});
  }
  return activations;
}

}  // namespace chexnet_trt
