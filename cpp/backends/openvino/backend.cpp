#include "backends/openvino/backend.hpp"

#include <algorithm>
#include <openvino/core/version.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <thread>

#include "backends/blob.hpp"
#include "backends/openvino/concat_normalise.hpp"
#include "backends/openvino/config.hpp"
#include "backends/openvino/element_types.hpp"
#include "backends/openvino/errors.hpp"
#include "backends/openvino/executable.hpp"
#include "backends/openvino/fused_sum.hpp"
#include "backends/openvino/level_convolution.hpp"
#include "backends/openvino/lowering.hpp"
#include "backends/openvino/normalised_convolution.hpp"

namespace chexnet_trt::openvino {
namespace {

void check_options(const CompileOptions& options) {
  if (options.batch < 1) throw InputError("the batch must be at least 1");
  if (options.threads < 0) throw InputError("the number of threads must not be negative");
  if (options.streams < 1) throw InputError("the number of streams must be at least 1");
  const bool has_int8 =
      options.precision == Precision::kInt8 || options.precision == Precision::kMixed;
  if (has_int8 && !adds_int8_products_exactly()) {
    throw BackendError("this CPU has neither VNNI nor AMX: sums of int8 products would saturate");
  }
}

void check_port(const ov::Output<const ov::Node>& port, const ValueType& type,
                const std::string& name, std::int64_t batch) {
  if (port.get_element_type() == element_type_of(type.element) &&
      port.get_shape() == shape_of(type.shape, batch)) {
    return;
  }
  throw BackendError("engine blob: '" + name + "' has another type than in the network");
}

/// Raises BackendError unless the imported model has the inputs and outputs of `graph`.
void check_contract(const ov::CompiledModel& model, const Graph& graph, std::int64_t batch) {
  const std::vector<NodeId> inputs = graph.inputs();
  if (model.inputs().size() != inputs.size() || model.outputs().size() != graph.outputs().size()) {
    throw BackendError("engine blob: made from another network");
  }
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const Node& node = graph.node(inputs[index]);
    check_port(model.input(index), node.type, node.name, batch);
  }
  for (std::size_t index = 0; index < graph.outputs().size(); ++index) {
    const GraphOutput& output = graph.outputs()[index];
    check_port(model.output(index), graph.node(output.value).type, output.name, batch);
  }
}

class OpenVinoBackend : public Backend {
 public:
  OpenVinoBackend()
      : device_(core_.get_property(kDevice, ov::device::full_name)),
        fingerprint_("openvino " + std::string(ov::get_openvino_version().buildNumber) + "; " +
                     device_ + "; " + instruction_sets()) {
    core_.add_extension<ConcatNormalise>();
    core_.add_extension<LevelConvolution>();
    core_.add_extension<NormalisedConvolution>();
    const std::vector<std::string> native = core_.get_property(kDevice, ov::device::capabilities);
    const auto has = [&](const char* name) {
      return std::find(native.begin(), native.end(), name) != native.end();
    };
    for (const Precision precision : {Precision::kFloat16, Precision::kBFloat16}) {
      const bool is_native = has(precision == Precision::kFloat16 ? "FP16" : "BF16");
      if (!honours(core_, precision)) continue;
      (is_native ? precisions_ : emulated_).push_back(precision);
    }
    if (!has("INT8") || !adds_int8_products_exactly()) return;
    const bool has_bf16 = precisions_.back() == Precision::kBFloat16;
    precisions_.push_back(Precision::kInt8);
    if (has_bf16) precisions_.push_back(Precision::kMixed);
  }

  std::string_view name() const override { return "openvino"; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string device_name() const override {
    return device_ + " (" + std::to_string(std::thread::hardware_concurrency()) + " threads)";
  }
  std::vector<Precision> precisions() const override { return precisions_; }
  std::vector<Precision> emulated_precisions() const override { return emulated_; }

  int most_streams(int threads) const override {
    const auto range = core_.get_property(kDevice, ov::range_for_streams);
    const auto most = static_cast<int>(std::get<1>(range));
    return threads > 0 ? std::min(threads, most) : most;
  }

  std::string unsupported_reason(Op op) const override {
    return std::string(lowering_table().at(static_cast<std::size_t>(op)).reason);
  }

  std::unique_ptr<Executable> compile(const Graph& graph, const CompileOptions& options) override {
    check_options(options);
    return guarded("OpenVINO cannot compile the network", [&] {
      std::vector<FusedSum> sums;
      const bool own = LevelConvolution::pays();
      const auto coarse = lower(graph, options.batch, {SumFusion::kCoarse, own, &sums});
      ov::CompiledModel model = core_.compile_model(coarse, kDevice, properties_of(options));
      if (!is_fused(model, sums)) {
        const auto fine = lower(graph, options.batch, {SumFusion::kFine, own});
        model = core_.compile_model(fine, kDevice, properties_of(options));
      }
      check_precision(model, options.precision);
      return make_executable(std::move(model), blob_key(fingerprint_, graph), options, nullptr);
    });
  }

  std::unique_ptr<Executable> deserialize(ByteView blob, const Graph& graph,
                                          const CompileOptions& options) override {
    auto copy = std::make_shared<const std::vector<std::byte>>(blob.begin(), blob.end());
    const ByteView view(copy->data(), copy->size());
    return deserialize_in_place(view, std::move(copy), graph, options);
  }

  std::unique_ptr<Executable> deserialize_in_place(ByteView blob, std::shared_ptr<const void> owner,
                                                   const Graph& graph,
                                                   const CompileOptions& options) override {
    check_options(options);
    const ByteView payload = blob_payload(blob, blob_key(fingerprint_, graph), options);
    return guarded("engine blob", [&] {
      const ov::Tensor bytes(ov::element::u8, {payload.size}, payload.data);
      ov::CompiledModel model = core_.import_model(bytes, kDevice, properties_of(options));
      check_contract(model, graph, options.batch);
      check_precision(model, options.precision);
      return make_executable(std::move(model), blob_key(fingerprint_, graph), options,
                             std::move(owner), blob);
    });
  }

 private:
  ov::Core core_;
  std::string device_;
  std::string fingerprint_;
  std::vector<Precision> precisions_{Precision::kFloat32};
  std::vector<Precision> emulated_;
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return guarded("OpenVINO's CPU device is not usable",
                 [] { return std::make_unique<OpenVinoBackend>(); });
}

}  // namespace chexnet_trt::openvino
