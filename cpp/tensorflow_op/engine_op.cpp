// The op ChexnetTrtEngine: an engine as a node of a TensorFlow graph. Compiled against the
// TensorFlow that loads it; of chexnet_trt it knows the C interface alone.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "chexnet_trt.h"
#include "tensorflow/core/framework/function.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/platform/logging.h"

namespace {

namespace tf = tensorflow;
using tf::shape_inference::DimensionHandle;
using tf::shape_inference::InferenceContext;
using tf::shape_inference::ShapeHandle;

/// The outputs have the shapes of the attribute, their batch being that of the first input.
absl::Status infer_shapes(InferenceContext* context) {
  std::vector<tf::PartialTensorShape> shapes;
  TF_RETURN_IF_ERROR(context->GetAttr("output_shapes", &shapes));
  if (shapes.size() != static_cast<std::size_t>(context->num_outputs())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "output_shapes has ", shapes.size(), " shapes for ", context->num_outputs(), " outputs"));
  }
  ShapeHandle first;
  TF_RETURN_IF_ERROR(context->WithRankAtLeast(context->input(0), 1, &first));
  const DimensionHandle batch =
      InferenceContext::RankKnown(first) ? context->Dim(first, 0) : context->UnknownDim();
  for (int index = 0; index < context->num_outputs(); ++index) {
    ShapeHandle shape;
    TF_RETURN_IF_ERROR(
        context->MakeShapeFromPartialTensorShape(shapes[static_cast<std::size_t>(index)], &shape));
    const bool batched = InferenceContext::RankKnown(shape) && InferenceContext::Rank(shape) > 0 &&
                         !InferenceContext::ValueKnown(context->Dim(shape, 0));
    if (batched) TF_RETURN_IF_ERROR(context->ReplaceDim(shape, 0, batch, &shape));
    context->set_output(index, shape);
  }
  return absl::OkStatus();
}

REGISTER_OP("ChexnetTrtEngine")
    .Input("inputs: InT")
    .Output("outputs: OutT")
    .Attr("InT: list(type) >= 1")
    .Attr("OutT: list(type) >= 1")
    .Attr("input_names: list(string)")
    .Attr("output_names: list(string)")
    .Attr("output_shapes: list(shape)")
    .Attr("engine: string = ''")
    .Attr("engine_path: string = ''")
    .Attr("max_batch_size: int >= 1")
    .Attr("fallback: list(func) = []")
    .SetShapeFn(infer_shapes)
    .Doc(R"(
Runs an engine of chexnet_trt on a batch of 1 ... max_batch_size.

input_names: the engine's input that each of `inputs` feeds.
output_names: the engine's output that each of `outputs` is.
output_shapes: of `outputs`; an unknown first extent is the batch.
engine: the bytes of the engine's file.
engine_path: the file, in place of `engine`.
fallback: at most one, the same computation in TensorFlow, run where the engine fails; without it
  that is an error.
)");

std::atomic<std::int64_t> fallback_calls{0};

absl::Status status_of(chexnet_trt_code code, const std::string& where) {
  if (code == CHEXNET_TRT_OK) return absl::OkStatus();
  const std::string line = absl::StrCat(where, ": ", chexnet_trt_last_error());
  if (code == CHEXNET_TRT_INPUT_ERROR) return absl::InvalidArgumentError(line);
  return absl::InternalError(line);
}

tf::DataType type_of(chexnet_trt_element element) {
  switch (element) {
    case CHEXNET_TRT_FLOAT32: return tf::DT_FLOAT;
    case CHEXNET_TRT_FLOAT16: return tf::DT_HALF;
    case CHEXNET_TRT_BFLOAT16: return tf::DT_BFLOAT16;
    case CHEXNET_TRT_INT8: return tf::DT_INT8;
    case CHEXNET_TRT_UINT8: return tf::DT_UINT8;
    case CHEXNET_TRT_INT32: return tf::DT_INT32;
    case CHEXNET_TRT_INT64: return tf::DT_INT64;
  }
  return tf::DT_INVALID;
}

std::string shape_text(const chexnet_trt_tensor& tensor) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < tensor.rank; ++axis) {
    absl::StrAppend(&text, axis == 0 ? "" : ",");
    if (tensor.dims[axis] < 0) {
      absl::StrAppend(&text, "batch");
    } else {
      absl::StrAppend(&text, tensor.dims[axis]);
    }
  }
  return text + "]";
}

constexpr std::int64_t kUnknown = -1;

/// Whether a shape is that of `tensor` with `batch`, which it sets where it is unknown.
bool fits(const tf::TensorShape& shape, const chexnet_trt_tensor& tensor, std::int64_t* batch) {
  if (static_cast<std::size_t>(shape.dims()) != tensor.rank) return false;
  for (std::size_t axis = 0; axis < tensor.rank; ++axis) {
    const std::int64_t extent = shape.dim_size(static_cast<int>(axis));
    if (tensor.dims[axis] < 0 && *batch == kUnknown) *batch = extent;
    if (extent != (tensor.dims[axis] < 0 ? *batch : tensor.dims[axis])) return false;
  }
  return true;
}

struct ReleaseEngine {
  void operator()(chexnet_trt_engine* engine) const { chexnet_trt_release(engine); }
};

/// An engine whose inputs and outputs are those of a node. Thread-safe.
class NodeEngine {
 public:
  /// Reads the node's attributes. `node` is its name, for messages.
  absl::Status load(tf::OpKernelConstruction* context, const std::string& node) {
    node_ = node;
    TF_RETURN_IF_ERROR(context->GetAttr("max_batch_size", &max_batch_));
    TF_RETURN_IF_ERROR(load_engine(context));
    if (max_batch_ > chexnet_trt_max_batch(engine_.get())) {
      return absl::InvalidArgumentError(
          absl::StrCat(node_, ": max_batch_size ", max_batch_, " is above the engine's ",
                       chexnet_trt_max_batch(engine_.get()), "; build it with a larger max batch"));
    }
    TF_RETURN_IF_ERROR(match(context, "input_names", "InT", chexnet_trt_input_count(engine_.get()),
                             chexnet_trt_input, &inputs_));
    return match(context, "output_names", "OutT", chexnet_trt_output_count(engine_.get()),
                 chexnet_trt_output, &outputs_);
  }

  /// The batch of the node's inputs. An error when their shapes are not the engine's.
  absl::Status batch_of(tf::OpKernelContext* context, std::int64_t* batch) const {
    *batch = kUnknown;
    for (std::size_t index = 0; index < inputs_.size(); ++index) {
      const chexnet_trt_tensor& expected = inputs_[index].tensor;
      const tf::TensorShape& shape = context->input(static_cast<int>(index)).shape();
      if (fits(shape, expected, batch)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(node_, ": the input '", expected.name, "' has shape ", shape.DebugString(),
                       ", the engine takes ", shape_text(expected),
                       index == 0 ? "" : absl::StrCat(", the batch being ", *batch)));
    }
    if (*batch == kUnknown) *batch = 1;
    return absl::OkStatus();
  }

  /// Runs the engine and sets the node's outputs, none of them when it fails.
  absl::Status run(tf::OpKernelContext* context, std::int64_t batch) const {
    if (batch > max_batch_) {
      return absl::InvalidArgumentError(
          absl::StrCat(node_, ": batch ", batch, " is above the engine's ", max_batch_,
                       "; split it, or convert the graph with a larger max batch"));
    }
    std::vector<tf::Tensor> results(outputs_.size());
    std::vector<const void*> inputs(inputs_.size());
    std::vector<void*> outputs(outputs_.size());
    for (std::size_t index = 0; index < inputs_.size(); ++index) {
      inputs[inputs_[index].binding] = context->input(static_cast<int>(index)).data();
    }
    for (std::size_t index = 0; index < outputs_.size(); ++index) {
      TF_RETURN_IF_ERROR(context->allocate_temp(type_of(outputs_[index].tensor.element),
                                                output_shape(outputs_[index].tensor, batch),
                                                &results[index]));
      outputs[outputs_[index].binding] = results[index].data();
    }
    if (batch > 0) {
      TF_RETURN_IF_ERROR(
          status_of(chexnet_trt_run(engine_.get(), batch, inputs.data(), outputs.data()), node_));
    }
    for (std::size_t index = 0; index < results.size(); ++index) {
      context->set_output(static_cast<int>(index), results[index]);
    }
    return absl::OkStatus();
  }

 private:
  /// An input or output of the node: which of the engine's it is.
  struct Port {
    std::size_t binding;
    chexnet_trt_tensor tensor;
  };
  using Describe = chexnet_trt_tensor (*)(const chexnet_trt_engine*, std::size_t);

  absl::Status load_engine(tf::OpKernelConstruction* context) {
    std::string bytes;
    std::string path;
    TF_RETURN_IF_ERROR(context->GetAttr("engine", &bytes));
    TF_RETURN_IF_ERROR(context->GetAttr("engine_path", &path));
    if (bytes.empty() == path.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(node_, ": give the node either an engine or an engine_path"));
    }
    chexnet_trt_engine* loaded = nullptr;
    const std::string name = absl::StrCat("engine of ", node_);
    const chexnet_trt_code code =
        path.empty() ? chexnet_trt_load_bytes(bytes.data(), bytes.size(), name.c_str(), &loaded)
                     : chexnet_trt_load_file(path.c_str(), &loaded);
    engine_.reset(loaded);
    return status_of(code, node_);
  }

  /// The ports that the attributes name, in the node's order: all of the engine's, each once.
  absl::Status match(tf::OpKernelConstruction* context, const char* names_attribute,
                     const char* types_attribute, std::size_t count, Describe describe,
                     std::vector<Port>* ports) const {
    std::vector<std::string> names;
    std::vector<tf::DataType> types;
    TF_RETURN_IF_ERROR(context->GetAttr(names_attribute, &names));
    TF_RETURN_IF_ERROR(context->GetAttr(types_attribute, &types));
    if (names.size() != types.size() || names.size() != count) {
      return absl::InvalidArgumentError(absl::StrCat(node_, ": ", names_attribute, " has ",
                                                     names.size(), " names, ", types_attribute, " ",
                                                     types.size(), ", the engine ", count));
    }
    std::map<std::string, std::size_t> bindings;
    for (std::size_t binding = 0; binding < count; ++binding) {
      bindings[describe(engine_.get(), binding).name] = binding;
    }
    for (std::size_t index = 0; index < count; ++index) {
      const auto found = bindings.find(names[index]);
      if (found == bindings.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            node_, ": ", names_attribute, " has '", names[index], "', which the engine has not"));
      }
      const chexnet_trt_tensor tensor = describe(engine_.get(), found->second);
      if (types[index] != type_of(tensor.element)) {
        return absl::InvalidArgumentError(absl::StrCat(
            node_, ": '", tensor.name, "' is ", tf::DataTypeString(types[index]),
            " in the graph and ", tf::DataTypeString(type_of(tensor.element)), " in the engine"));
      }
      ports->push_back({found->second, tensor});
      bindings.erase(found);
    }
    return absl::OkStatus();
  }

  static tf::TensorShape output_shape(const chexnet_trt_tensor& tensor, std::int64_t batch) {
    tf::TensorShape shape;
    for (std::size_t axis = 0; axis < tensor.rank; ++axis) {
      shape.AddDim(tensor.dims[axis] < 0 ? batch : tensor.dims[axis]);
    }
    return shape;
  }

  std::string node_;
  std::int64_t max_batch_ = 0;
  std::unique_ptr<chexnet_trt_engine, ReleaseEngine> engine_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
};

/// 1, 2, 4, 8 ...: enough to be heard, not so much as to drown the rest.
bool is_power_of_two(std::int64_t count) { return (count & (count - 1)) == 0; }

class EngineOp : public tf::AsyncOpKernel {
 public:
  explicit EngineOp(tf::OpKernelConstruction* context) : AsyncOpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("fallback", &fallback_));
    OP_REQUIRES(context, fallback_.size() <= 1,
                absl::InvalidArgumentError(
                    absl::StrCat(name(), ": ", fallback_.size(), " fallbacks, there may be one")));
    loaded_ = engine_.load(context, name());
    if (fallback_.empty()) OP_REQUIRES_OK(context, loaded_);
  }

  /// An inference keeps its thread, so the node is synchronous; a fallback's kernels are waited for.
  tf::AsyncOpKernel* AsAsync() override { return fallback_.empty() ? nullptr : this; }

  void Compute(tf::OpKernelContext* context) override {
    if (!fallback_.empty()) return AsyncOpKernel::Compute(context);
    std::int64_t batch = 0;
    OP_REQUIRES_OK(context, engine_.batch_of(context, &batch));
    OP_REQUIRES_OK(context, engine_.run(context, batch));
  }

  void ComputeAsync(tf::OpKernelContext* context, DoneCallback done) override {
    absl::Status status = loaded_;
    if (status.ok()) {
      std::int64_t batch = 0;
      OP_REQUIRES_OK_ASYNC(context, engine_.batch_of(context, &batch), done);
      status = engine_.run(context, batch);
    }
    if (!status.ok()) {
      report(status);
      run_fallback(context, std::move(done));
      return;
    }
    done();
  }

 private:
  void report(const absl::Status& why) const {
    const std::int64_t count = ++fallback_calls;
    if (is_power_of_two(count)) {
      LOG(ERROR) << "chexnet_trt: TensorFlow computes '" << fallback_.front().name()
                 << "' itself, the engine failed (" << count
                 << " calls in this process): " << why.message();
    }
  }

  void run_fallback(tf::OpKernelContext* context, DoneCallback done) const {
    tf::FunctionLibraryRuntime* library = context->function_library();
    OP_REQUIRES_ASYNC(context, library != nullptr,
                      absl::InternalError(absl::StrCat(name(), ": no function library to find '",
                                                       fallback_.front().name(), "' in")),
                      done);
    tf::FunctionLibraryRuntime::Handle handle = 0;
    OP_REQUIRES_OK_ASYNC(context, instantiate(*context, *library, &handle), done);
    tf::FunctionLibraryRuntime::Options options(context->step_id());
    options.rendezvous = context->rendezvous();
    options.cancellation_manager = context->cancellation_manager();
    options.step_container = context->step_container();
    options.stats_collector = context->stats_collector();
    options.runner = context->runner();
    std::vector<tf::Tensor> arguments;
    arguments.reserve(static_cast<std::size_t>(context->num_inputs()));
    for (int index = 0; index < context->num_inputs(); ++index) {
      arguments.push_back(context->input(index));
    }
    auto results = std::make_shared<std::vector<tf::Tensor>>();
    library->Run(options, handle, arguments, results.get(),
                 [context, results, done = std::move(done)](const absl::Status& status) {
                   OP_REQUIRES_OK_ASYNC(context, status, done);
                   for (std::size_t index = 0; index < results->size(); ++index) {
                     context->set_output(static_cast<int>(index), (*results)[index]);
                   }
                   done();
                 });
  }

  /// As a function of several devices, though it has one: the others are not given the rewrites
  /// that what the graph optimiser makes of a function relies on.
  absl::Status instantiate(const tf::OpKernelContext& context, tf::FunctionLibraryRuntime& library,
                           tf::FunctionLibraryRuntime::Handle* handle) const {
    const std::string& device = context.device()->name();
    tf::FunctionLibraryRuntime::InstantiateOptions options;
    options.target = device;
    options.is_multi_device_function = true;
    options.input_devices.assign(static_cast<std::size_t>(context.num_inputs()), device);
    options.output_devices.assign(static_cast<std::size_t>(context.num_outputs()), device);
    return library.Instantiate(fallback_.front().name(), tf::AttrSlice(&fallback_.front().attr()),
                               options, handle);
  }

  NodeEngine engine_;
  absl::Status loaded_;
  std::vector<tf::NameAttrList> fallback_;  ///< at most one
};

REGISTER_KERNEL_BUILDER(Name("ChexnetTrtEngine").Device(tf::DEVICE_CPU), EngineOp);

[[maybe_unused]] const bool warnings_are_logged = [] {
  // Not to TensorFlow's log, whose warnings are mostly turned off.
  chexnet_trt_set_warning_sink(
      [](const char* line) { std::fprintf(stderr, "chexnet_trt: warning: %s\n", line); });
  return true;
}();

}  // namespace

/// How often the native segment ran in place of an engine in this process.
extern "C" __attribute__((visibility("default"))) std::int64_t chexnet_trt_fallback_calls() {
  return fallback_calls;
}
