#include "backends/openvino/lowering.hpp"

#include <algorithm>
#include <openvino/op/identity.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>

#include "backends/openvino/errors.hpp"
#include "backends/openvino/lowerings.hpp"
#include "graph/op_table.hpp"

namespace chexnet_trt::openvino {
namespace {

Value lower_node(const LoweringContext& context, const Node& node,
                 const std::vector<Value>& inputs) {
  const LoweringRow& row = lowering_table().at(static_cast<std::size_t>(node.op));
  const std::string where = "node '" + node.name + "' (" + std::string(name_of(node.op)) + ")";
  if (row.lower == nullptr) {
    throw BackendError(where +
                       ": the openvino backend cannot run this op: " + std::string(row.reason));
  }
  return guarded(where, [&] {
    Value value = row.lower(context, node, inputs);
    const bool is_new = std::none_of(inputs.begin(), inputs.end(), [&](const Value& input) {
      return input.output == value.output;
    });
    if (is_new) value.output.get_node()->set_friendly_name(node.name);
    return value;
  });
}

std::vector<std::vector<NodeId>> readers_of(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(graph.nodes().size());
  for (std::size_t id = 0; id < graph.nodes().size(); ++id) {
    for (const NodeId input : graph.nodes()[id].inputs) {
      readers[static_cast<std::size_t>(input)].push_back(static_cast<NodeId>(id));
    }
  }
  for (const GraphOutput& output : graph.outputs()) {
    readers[static_cast<std::size_t>(output.value)].push_back(-1);
  }
  return readers;
}

/// The value that reshapes show in another shape; its bytes are the same. A result that reads a
/// reshape leaves others that read the value with memory that nothing wrote (OpenVINO 2026.4).
ov::Output<ov::Node> without_reshapes(ov::Output<ov::Node> output) {
  while (ov::is_type<ov::op::v1::Reshape>(output.get_node())) {
    output = output.get_node()->input_value(0);
  }
  return output;
}

/// A result that reads an input directly is never written when both lie in the caller's memory, and
/// the input may be overwritten (OpenVINO 2026.4): put a copying node between.
ov::Output<ov::Node> copied_if_input(const ov::Output<ov::Node>& output) {
  if (!ov::is_type<ov::op::v0::Parameter>(output.get_node())) return output;
  return std::make_shared<ov::op::v16::Identity>(output);
}

}  // namespace

const std::vector<LoweringRow>& lowering_table() {
  namespace to = lowerings;
  static const std::vector<LoweringRow> table{
      {Op::kInput, to::input, ""},
      {Op::kConstant, to::constant, ""},
      {Op::kIdentity, to::identity, ""},
      {Op::kConv2D, to::conv2d, ""},
      {Op::kConvTranspose2D, to::conv_transpose2d, ""},
      {Op::kMaxPool, to::max_pool, ""},
      {Op::kAveragePool, to::average_pool, ""},
      {Op::kMatMul, to::matmul, ""},
      {Op::kBinary, to::binary, ""},
      {Op::kUnary, to::unary, ""},
      {Op::kActivation, to::activation, ""},
      {Op::kBatchNorm, to::batch_norm, ""},
      {Op::kLrn, to::lrn, ""},
      {Op::kSoftmax, to::softmax, ""},
      {Op::kReduce, to::reduce, ""},
      {Op::kArgMax, to::arg_max, ""},
      {Op::kArgMin, to::arg_min, ""},
      {Op::kReshape, to::reshape, ""},
      {Op::kTranspose, to::transpose, ""},
      {Op::kConcat, to::concat, ""},
      {Op::kPad, to::pad, ""},
      {Op::kSlice, to::slice, ""},
      {Op::kGather, to::gather, ""},
      {Op::kCast, to::cast, ""},
      {Op::kQuantize, to::quantize, ""},
      {Op::kDequantize, to::dequantize, ""},
  };
  return table;
}

std::shared_ptr<ov::Model> lower(const Graph& graph, std::int64_t batch,
                                 const LoweringOptions& options) {
  ov::ParameterVector parameters;
  const std::vector<std::vector<NodeId>> readers = readers_of(graph);
  StoredImages stored_images;
  std::vector<Value> values;
  values.reserve(graph.nodes().size());
  const LoweringContext context{graph, batch, readers, values, parameters, stored_images, options};
  for (const Node& node : graph.nodes()) {
    std::vector<Value> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId id : node.inputs) inputs.push_back(values[static_cast<std::size_t>(id)]);
    values.push_back(lower_node(context, node, inputs));
  }
  ov::ResultVector results;
  for (const GraphOutput& output : graph.outputs()) {
    const Value& value = values[static_cast<std::size_t>(output.value)];
    auto result = std::make_shared<ov::op::v0::Result>(
        copied_if_input(without_reshapes(logical_output(value))));
    result->set_friendly_name(output.name + "/result");
    results.push_back(result);
  }
  return guarded("the network", [&] { return std::make_shared<ov::Model>(results, parameters); });
}

}  // namespace chexnet_trt::openvino
