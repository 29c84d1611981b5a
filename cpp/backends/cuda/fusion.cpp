#include "backends/cuda/fusion.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/graph_view.hpp"
#include "common/error.hpp"
#include "graph/op_table.hpp"

// A step starts at an anchor (a convolution, pool, mean, dense layer, or an elementwise node that no
// step has taken) and takes its readers, one after another, while each is the only reader and the
// epilogue has a place for it: per-channel scale and shift, activation, residual sum, activation,
// quantize. What then reads the stored value elementwise becomes the step's second output: the
// scale-shift and activation in front of the next block of a pre-activation network.
//
// Concat moves nothing: its operands are written into their channels of one value.

namespace chexnet_trt::cuda {
namespace {

constexpr std::int64_t kWord = 16;

ElementType float_element(Precision precision) {
  switch (precision) {
    case Precision::kFloat16: return ElementType::kFloat16;
    case Precision::kBFloat16:
    case Precision::kMixed: return ElementType::kBFloat16;
    default: return ElementType::kFloat32;
  }
}

bool is_8_bit(ElementType element) {
  return element == ElementType::kInt8 || element == ElementType::kUInt8;
}

void compose(Affine& affine, const std::vector<double>& mul, const std::vector<double>& add) {
  const std::size_t channels = std::max(mul.size(), add.size());
  if (affine.mul.empty() && !mul.empty()) affine.mul.assign(channels, 1.0F);
  if (affine.add.empty()) affine.add.assign(channels, 0.0F);
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = mul.empty() ? 1 : mul[c];
    if (!mul.empty()) affine.mul[c] = static_cast<float>(affine.mul[c] * factor);
    const double shift = add.empty() ? 0 : add[c];
    affine.add[c] = static_cast<float>(affine.add[c] * factor + shift);
  }
}

std::vector<float> floats_of(const Tensor& tensor) {
  const std::vector<double> values = tensor.to_doubles();
  return {values.begin(), values.end()};
}

/// A step that is being put together.
struct Chain {
  Step step;
  NodeId end = -1;  ///< the last source that it computes
  enum class Phase { kAffine, kActivated, kSummed, kDone } phase = Phase::kAffine;
  bool is_empty = true;
  bool takes_all = true;  ///< false: only scale, shift and quantize
};

class Fuser {
 public:
  Fuser(const Graph& graph, std::int64_t batch, Precision precision)
      : graph_(graph),
        view_(graph),
        float_element_(float_element(precision)),
        claimed_(graph.nodes().size(), false) {
    program_.images = batch;
  }

  Program run() {
    for (std::size_t index = 0; index < graph_.nodes().size(); ++index) {
      const auto id = static_cast<NodeId>(index);
      if (!claimed_[index] && !view_.is_alias(id) && is_variable(id)) lower(id);
    }
    add_outputs();
    sort_steps();
    return std::move(program_);
  }

 private:
  Value& value(int index) { return program_.values.at(static_cast<std::size_t>(index)); }
  const Node& node(NodeId id) const { return graph_.node(id); }

  bool is_variable(NodeId id) const {
    const Node& own = node(id);
    if (own.op == Op::kInput) return true;
    return std::any_of(own.inputs.begin(), own.inputs.end(),
                       [&](NodeId input) { return !is_constant(input); }) &&
           !own.inputs.empty();
  }
  /// A constant, maybe in 8 bits.
  bool is_constant(NodeId id) const {
    const Node& own = node(id);
    return own.op == Op::kConstant || (own.op == Op::kDequantize && !view_.is_alias(id));
  }

  /// The value that a source stores.
  int value_of(NodeId source) {
    const auto [found, inserted] =
        values_.try_emplace(source, static_cast<int>(program_.values.size()));
    if (inserted) {
      const Extents extents = view_.extents(source);
      program_.values.push_back({node(source).name, extents.height, extents.width, extents.channels,
                                 float_element_, 1, -1, 0});
    }
    return found->second;
  }
  int operand(NodeId id, std::size_t index) {
    return value_of(view_.source(node(id).inputs[index]));
  }

  void lower(NodeId id) {
    switch (node(id).op) {
      case Op::kInput: return lower_input(id);
      case Op::kConv2D: return lower_conv(id);
      case Op::kMaxPool:
      case Op::kAveragePool: return lower_pool(id);
      case Op::kReduce: return lower_mean(id);
      case Op::kMatMul: return lower_dense(id);
      case Op::kConcat: return lower_concat(id);
      case Op::kArgMax: return;  // an output, or nothing
      case Op::kBinary:
      case Op::kActivation:
      case Op::kQuantize: return lower_elementwise(id);
      default: refuse(node(id), "does not compute this op here");
    }
  }

  Chain begin(NodeId anchor, StepKind kind) {
    Chain chain;
    chain.step.name = node(anchor).name;
    chain.step.nodes.push_back(node(anchor).name);
    chain.step.kind = std::move(kind);
    chain.end = anchor;
    return chain;
  }

  void claim(Chain& chain, NodeId id) {
    claimed_[static_cast<std::size_t>(id)] = true;
    chain.step.nodes.push_back(node(id).name);
    chain.is_empty = false;
  }

  /// The only reader of `id` when that is a node that no step has taken; else -1.
  NodeId sole_reader(NodeId id) const {
    const std::vector<NodeId>& readers = view_.readers(id);
    if (readers.size() != 1 || readers[0] < 0) return -1;
    return claimed_[static_cast<std::size_t>(readers[0])] ? -1 : readers[0];
  }

  bool takes_same_pixels(NodeId a, NodeId b) const {
    const Extents left = view_.extents(a);
    const Extents right = view_.extents(b);
    return left.height == right.height && left.width == right.width &&
           left.channels == right.channels;
  }

  /// `reader` as scale and shift of what it reads beside a constant.
  bool absorb_affine(Affine& affine, NodeId reader) const {
    const Node& own = node(reader);
    if (own.op != Op::kBinary) return false;
    const bool constant_left = graph_.constant(own.inputs[0]) != nullptr;
    const Tensor* constant = graph_.constant(own.inputs[constant_left ? 0 : 1]);
    if (constant == nullptr) return false;
    if (!takes_same_pixels(reader, own.inputs[constant_left ? 1 : 0])) return false;
    const std::optional<std::vector<double>> given = view_.per_channel(*constant, reader);
    if (!given) return false;
    std::vector<double> values = *given;
    switch (std::get<BinaryAttributes>(own.attributes).kind) {
      case BinaryKind::kAdd: compose(affine, {}, values); return true;
      case BinaryKind::kMul: compose(affine, values, {}); return true;
      case BinaryKind::kSub:
        if (constant_left) {
          compose(affine, std::vector<double>(values.size(), -1), values);
        } else {
          for (double& each : values) each = -each;
          compose(affine, {}, values);
        }
        return true;
      case BinaryKind::kDiv:
        if (constant_left) return false;
        for (double& each : values) each = 1 / each;
        compose(affine, values, {});
        return true;
      default: return false;
    }
  }

  bool absorb_activation(Chain& chain, NodeId reader) {
    const Node& own = node(reader);
    if (own.op != Op::kActivation) return false;
    const auto& activation = std::get<ActivationAttributes>(own.attributes);
    if (chain.phase == Chain::Phase::kAffine) {
      chain.step.epilogue.activation = activation;
      chain.phase = Chain::Phase::kActivated;
      return true;
    }
    if (chain.phase != Chain::Phase::kSummed) return false;
    chain.step.epilogue.activation_after = activation;
    chain.phase = Chain::Phase::kDone;
    return true;
  }

  bool absorb_sum(Chain& chain, NodeId reader) {
    const Node& own = node(reader);
    if (own.op != Op::kBinary || chain.phase > Chain::Phase::kActivated) return false;
    if (std::get<BinaryAttributes>(own.attributes).kind != BinaryKind::kAdd) return false;
    const bool is_left = view_.source(own.inputs[0]) == chain.end;
    const NodeId other = own.inputs[is_left ? 1 : 0];
    if (is_constant(other) || !takes_same_pixels(reader, other) ||
        !takes_same_pixels(reader, chain.end)) {
      return false;
    }
    chain.step.epilogue.residual = value_of(view_.source(other));
    chain.phase = Chain::Phase::kSummed;
    return true;
  }

  bool absorb(Chain& chain, NodeId reader) {
    const bool absorbed =
        (chain.phase == Chain::Phase::kAffine &&
         absorb_affine(chain.step.epilogue.affine, reader)) ||
        (chain.takes_all && (absorb_activation(chain, reader) || absorb_sum(chain, reader)));
    if (!absorbed) return false;
    claim(chain, reader);
    chain.end = reader;
    return true;
  }

  /// Sets the type of `end`'s value from the quantize node that it is.
  int quantized_value(NodeId end) {
    const int index = value_of(end);
    value(index).element = std::get<QuantizeAttributes>(node(end).attributes).element;
    value(index).scale = scale_of(end);
    return index;
  }

  float scale_of(NodeId quantize) const {
    const Tensor* scale = graph_.constant(node(quantize).inputs[1]);
    if (scale == nullptr) refuse(node(quantize), "needs a constant scale");
    return floats_of(*scale)[0];
  }

  /// Takes what follows, and adds the step.
  void finish(Chain chain) {
    for (NodeId next = sole_reader(chain.end); next >= 0 && absorb(chain, next);) {
      next = sole_reader(chain.end);
    }
    const NodeId next = sole_reader(chain.end);
    if (next >= 0 && node(next).op == Op::kQuantize) take_quantize(chain, next);
    Epilogue& epilogue = chain.step.epilogue;
    epilogue.output = value_of(chain.end);
    keep_type_of_moved(chain);
    if (chain.takes_all) add_second(chain);
    add_step(std::move(chain.step));
  }

  void take_quantize(Chain& chain, NodeId quantize) {
    claim(chain, quantize);
    chain.end = quantize;
    quantized_value(quantize);
  }

  /// A maximum of stored 8-bit values is one of them.
  void keep_type_of_moved(const Chain& chain) {
    const auto* pool = std::get_if<PoolStep>(&chain.step.kind);
    if (pool == nullptr || !pool->is_max || !chain.is_empty) return;
    const Value input = value(pool->input);
    value(chain.step.epilogue.output).element = input.element;
    value(chain.step.epilogue.output).scale = input.scale;
  }

  void add_second(Chain& chain) {
    Epilogue& epilogue = chain.step.epilogue;
    for (const NodeId reader : view_.readers(chain.end)) {
      if (reader < 0 || claimed_[static_cast<std::size_t>(reader)]) continue;
      const NodeId end = extend_second(chain, reader);
      if (end < 0) continue;
      epilogue.second = value_of(end);
      const std::vector<NodeId>& readers = view_.readers(chain.end);
      epilogue.stores_output = readers.size() > 1;
      return;
    }
  }

  /// The end of the elementwise nodes from `reader` on, which are then the chain's; -1: none.
  NodeId extend_second(Chain& chain, NodeId reader) {
    Epilogue& epilogue = chain.step.epilogue;
    NodeId end = -1;
    const auto take = [&](NodeId id) {
      claim(chain, id);
      end = id;
      return sole_reader(id);
    };
    NodeId next = reader;
    while (next >= 0 && absorb_affine(epilogue.second_affine, next)) next = take(next);
    if (next >= 0 && node(next).op == Op::kActivation) {
      epilogue.second_activation = std::get<ActivationAttributes>(node(next).attributes);
      next = take(next);
    }
    if (next >= 0 && node(next).op == Op::kQuantize) {
      quantized_value(next);
      take(next);
    }
    return end;
  }

  void add_step(Step step) {
    for (const int written : writes_of(step)) writers_[written] = program_.steps.size();
    program_.steps.push_back(std::move(step));
  }

  void lower_input(NodeId id) {
    if (view_.readers(id).empty()) return;
    const Extents extents = view_.extents(id);
    const std::vector<NodeId> inputs = graph_.inputs();
    InputStep input;
    input.binding =
        static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), id) - inputs.begin());
    input.element = node(id).type.element;
    input.channels_first = view_.layout(id) == TensorLayout::kNchw;
    input.height = extents.height;
    input.width = extents.width;
    input.channels = extents.channels;
    if (input.element != ElementType::kFloat32 && input.element != ElementType::kUInt8) {
      refuse(node(id), "takes float32 and uint8 inputs alone");
    }
    Chain chain = begin(id, input);
    chain.takes_all = false;
    const NodeId next = sole_reader(id);
    if (next >= 0 && node(next).op == Op::kCast && is_floating(node(next).type.element)) {
      claim(chain, next);
      chain.end = next;
    }
    finish(std::move(chain));
  }

  struct Weights {
    Tensor values;
    std::vector<float> scales;  ///< of int8 values; empty: floats
  };

  /// Constant weights in 8 bits or floats.
  Weights weights_of(NodeId layer) const {
    const NodeId id = node(layer).inputs[1];
    if (const Tensor* constant = graph_.constant(id)) return {*constant, {}};
    if (!is_constant(id)) refuse(node(layer), "needs constant weights");
    return {*graph_.constant(node(id).inputs[0]), floats_of(*graph_.constant(node(id).inputs[1]))};
  }

  /// `weights` whose last axis is the one of the scales, as floats.
  static Tensor as_floats(const Weights& weights) {
    std::vector<float> values = floats_of(weights.values);
    for (std::size_t i = 0; i < values.size() && !weights.scales.empty(); ++i) {
      values[i] *= weights.scales[i % weights.scales.size()];
    }
    return Tensor::from_floats(weights.values.shape(), values);
  }

  /// `input`, an 8-bit value, stored as floats.
  int dequantized(int input) {
    const auto [found, inserted] = dequantized_.try_emplace(input, -1);
    if (!inserted) return found->second;
    Value copy = value(input);
    copy.name += "/float";
    copy.element = float_element_;
    copy.scale = 1;
    copy.parent = -1;
    copy.offset = 0;
    found->second = add_copy(input, std::move(copy));
    return found->second;
  }

  int add_copy(int input, Value copy) {
    const int result = static_cast<int>(program_.values.size());
    Step step;
    step.name = copy.name;
    step.kind = MapStep{input};
    step.epilogue.output = result;
    program_.values.push_back(std::move(copy));
    add_step(std::move(step));
    return result;
  }

  void lower_conv(NodeId id) {
    const auto& attributes = std::get<ConvAttributes>(node(id).attributes);
    if (attributes.groups != 1) refuse(node(id), "has no grouped convolution");
    const Weights weights = weights_of(id);
    ConvStep conv;
    conv.input = operand(id, 0);
    conv.strides = attributes.strides;
    conv.dilations = attributes.dilations;
    conv.pads = attributes.pads_begin;
    const bool in_8_bits = is_8_bit(value(conv.input).element) && !weights.scales.empty();
    if (!in_8_bits && is_8_bit(value(conv.input).element)) conv.input = dequantized(conv.input);
    conv.weights = out_channels_first(in_8_bits ? weights.values : as_floats(weights));
    spread_blocks(id, conv);
    const float input_scale = value(conv.input).scale;
    Chain chain = begin(id, std::move(conv));
    if (in_8_bits) {
      std::vector<double> scales(weights.scales.begin(), weights.scales.end());
      for (double& scale : scales) scale *= static_cast<double>(input_scale);
      compose(chain.step.epilogue.affine, scales, {});
    }
    finish(std::move(chain));
  }

  /// Turns the first layer, of stride 2 over a few channels, into one of stride 1 over blocks.
  void spread_blocks(NodeId id, ConvStep& conv) {
    constexpr std::int64_t kFewChannels = 4;
    const NodeId source = view_.source(node(id).inputs[0]);
    const auto writer = writers_.find(conv.input);
    if (writer == writers_.end() || view_.readers(source).size() != 1) return;
    Step& step = program_.steps[writer->second];
    auto* input = std::get_if<InputStep>(&step.kind);
    const Spatial ones{1, 1};
    if (input == nullptr || input->channels > kFewChannels || conv.strides != Spatial{2, 2} ||
        conv.dilations != ones) {
      return;
    }
    const Extents out = view_.extents(id);
    conv.weights = over_blocks(conv.weights);
    conv.strides = ones;
    input->block = 2;
    input->pads = std::exchange(conv.pads, Spatial{0, 0});
    Value& image = value(conv.input);
    image.height = out.height + conv.weights.shape()[1] - 1;
    image.width = out.width + conv.weights.shape()[2] - 1;
    image.channels = conv.weights.shape()[3];
  }

  void lower_pool(NodeId id) {
    const auto& attributes = std::get<PoolAttributes>(node(id).attributes);
    PoolStep pool{operand(id, 0), node(id).op == Op::kMaxPool, attributes.kernel,
                  attributes.strides, attributes.pads_begin};
    finish(begin(id, pool));
  }

  void lower_mean(NodeId id) {
    const auto& attributes = std::get<ReduceAttributes>(node(id).attributes);
    const NodeId input = node(id).inputs[0];
    const Axes pixels = view_.layout(input) == TensorLayout::kNhwc ? Axes{1, 2} : Axes{2, 3};
    if (attributes.kind != ReduceKind::kMean || node(input).type.shape.size() != 4 ||
        attributes.axes != pixels) {
      refuse(node(id), "reduces images to the mean of their pixels alone");
    }
    finish(begin(id, MeanStep{operand(id, 0)}));
  }

  void lower_dense(NodeId id) {
    const auto& attributes = std::get<MatMulAttributes>(node(id).attributes);
    const Weights weights = weights_of(id);
    const Shape& shape = weights.values.shape();
    if (attributes.transpose_a || shape.size() != 2 ||
        (attributes.transpose_b && !weights.scales.empty())) {
      refuse(node(id), "multiplies rows by a constant matrix alone");
    }
    Tensor floats = as_floats(weights);
    if (!attributes.transpose_b) {
      floats = out_channels_first(floats.reshaped({1, 1, shape[0], shape[1]}));
      floats = floats.reshaped({shape[1], shape[0]});
    }
    finish(begin(id, DenseStep{operand(id, 0), std::move(floats)}));
  }

  void lower_elementwise(NodeId id) {
    const std::vector<NodeId>& inputs = node(id).inputs;
    const std::size_t variable = is_constant(inputs[0]) ? 1 : 0;
    const NodeId source = view_.source(inputs[variable]);
    Chain chain = begin(id, MapStep{value_of(source)});
    chain.step.nodes.clear();
    chain.end = source;
    if (node(id).op == Op::kQuantize) {
      take_quantize(chain, id);
      chain.phase = Chain::Phase::kDone;
    } else if (!absorb(chain, id)) {
      refuse(node(id), "adds images, and scales, shifts and activates them channel by channel");
    }
    finish(std::move(chain));
  }

  void lower_concat(NodeId id) {
    const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(node(id).attributes).axis);
    if (axis != view_.channel_axis(id)) refuse(node(id), "concatenates channels alone");
    const Value first = value(operand(id, 0));
    const int whole = value_of(id);
    value(whole).element = first.element;
    value(whole).scale = first.scale;
    std::int64_t offset = 0;
    for (std::size_t index = 0; index < node(id).inputs.size(); ++index) {
      const int part = operand(id, index);
      const int placed = fits(value(part), value(whole), offset) ? part : copy_for(part, whole);
      value(placed).parent = whole;
      value(placed).offset = offset;
      offset += value(part).channels;
    }
  }

  static bool fits(const Value& part, const Value& whole, std::int64_t offset) {
    const auto width = static_cast<std::int64_t>(size_of(whole.element));
    return part.parent < 0 && part.element == whole.element && part.scale == whole.scale &&
           offset * width % kWord == 0;
  }

  int copy_for(int part, int whole) {
    Value copy = value(part);
    copy.name += "/copy";
    copy.element = value(whole).element;
    copy.scale = value(whole).scale;
    copy.parent = -1;
    copy.offset = 0;
    return add_copy(part, std::move(copy));
  }

  void add_outputs() {
    for (std::size_t index = 0; index < graph_.outputs().size(); ++index) {
      const GraphOutput& output = graph_.outputs()[index];
      const Node& own = node(output.value);
      const NodeId source = view_.source(output.value);
      const std::size_t binding = graph_.inputs().size() + index;
      Step step;
      step.name = output.name;
      if (node(source).op == Op::kArgMax) {
        add_arg_max(std::move(step), source, binding);
        continue;
      }
      if (own.type.element != ElementType::kFloat32) refuse(own, "has outputs of float32 alone");
      if (writes_directly(source, binding)) continue;
      const bool channels_first =
          own.type.shape.size() == 4 && view_.layout(output.value) == TensorLayout::kNchw;
      step.kind = OutputStep{value_of(source), binding, channels_first};
      add_step(std::move(step));
    }
  }

  /// Lets the dense layer that computes `source` write the binding, if nobody else reads it.
  bool writes_directly(NodeId source, std::size_t binding) {
    const int index = value_of(source);
    const auto writer = writers_.find(index);
    if (writer == writers_.end() || view_.readers(source).size() != 1) return false;
    const Step& step = program_.steps[writer->second];
    if (!std::holds_alternative<DenseStep>(step.kind) || step.epilogue.output != index)
      return false;
    value(index).element = ElementType::kFloat32;
    value(index).binding = static_cast<int>(binding);
    return true;
  }

  void add_arg_max(Step step, NodeId id, std::size_t binding) {
    const auto axis = static_cast<std::size_t>(std::get<AxisAttributes>(node(id).attributes).axis);
    const NodeId input = node(id).inputs[0];
    if (node(input).type.shape.size() != 2 || axis != 1) {
      refuse(node(id), "has arg_max of matrix rows alone");
    }
    step.nodes.push_back(node(id).name);
    step.kind = ArgMaxStep{value_of(view_.source(input)), binding, node(id).type.element};
    add_step(std::move(step));
  }

  /// A residual may be computed by a later anchor than the step that adds it.
  void sort_steps() {
    std::vector<int> missing(program_.values.size(), 0);  // writes that are still to come
    const auto change = [&](const Step& step, int by) {
      for (int written : writes_of(step)) {
        for (; written >= 0; written = value(written).parent) {
          missing[static_cast<std::size_t>(written)] += by;
        }
      }
    };
    for (const Step& step : program_.steps) change(step, 1);
    const auto is_ready = [&](const Step& step) {
      const std::vector<int> reads = reads_of(step);
      return std::all_of(reads.begin(), reads.end(),
                         [&](int read) { return missing[static_cast<std::size_t>(read)] == 0; });
    };
    std::vector<Step> sorted;
    std::vector<Step> waiting = std::move(program_.steps);
    while (!waiting.empty()) {
      const auto next = std::find_if(waiting.begin(), waiting.end(), is_ready);
      if (next == waiting.end()) throw Error("the steps of the network wait for each other");
      change(*next, -1);
      sorted.push_back(std::move(*next));
      waiting.erase(next);
    }
    program_.steps = std::move(sorted);
  }

  const Graph& graph_;
  GraphView view_;
  ElementType float_element_;
  std::vector<bool> claimed_;
  std::map<NodeId, int> values_;
  std::map<int, int> dequantized_;
  std::map<int, std::size_t> writers_;
  Program program_;
};

}  // namespace

Program fuse(const Graph& graph, std::int64_t batch, Precision precision) {
  return Fuser(graph, batch, precision).run();
}

std::string unsupported_reason(Op op) {
  switch (op) {
    case Op::kInput:
    case Op::kConstant:
    case Op::kIdentity:
    case Op::kConv2D:
    case Op::kMaxPool:
    case Op::kAveragePool:
    case Op::kMatMul:
    case Op::kBinary:
    case Op::kActivation:
    case Op::kReduce:
    case Op::kArgMax:
    case Op::kReshape:
    case Op::kTranspose:
    case Op::kConcat:
    case Op::kCast:
    case Op::kQuantize:
    case Op::kDequantize: return "";
    case Op::kBatchNorm: return "the cuda backend computes it with constant parameters alone";
    default: return "the cuda backend does not compute it";
  }
}

}  // namespace chexnet_trt::cuda
