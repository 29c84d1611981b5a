#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.hpp"

// A network as this backend runs it: values in device memory and the steps that compute them, one
// kernel a step. Made by fusion.hpp, without a GPU.

namespace chexnet_trt::cuda {

/// An image or, with one pixel, a row of a matrix, for every image of the batch: rows, columns,
/// channels innermost.
struct Value {
  std::string name;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;
  ElementType element = ElementType::kFloat32;
  /// Of 8-bit values: the real number is the stored one times `scale`.
  float scale = 1;
  /// The value in whose channels this one lies, from `offset` on; -1: memory of its own.
  int parent = -1;
  std::int64_t offset = 0;
  /// The binding of the network whose memory it takes, dense; -1: none.
  int binding = -1;
};

/// v * mul + add, one number a channel; empty: 1 and 0.
struct Affine {
  std::vector<float> mul;
  std::vector<float> add;
};

/// What a step does to the number that it has computed, before and after it is stored:
///   v = activation(affine(v)); v = activation_after(v + residual); rounded to `output`, stored;
///   second_activation(second_affine(v)) rounded to `second`, stored.
struct Epilogue {
  Affine affine;
  std::optional<ActivationAttributes> activation;
  int residual = -1;  ///< a value; -1: none
  std::optional<ActivationAttributes> activation_after;
  int output = -1;
  /// False: only `second` is read; a value in 8 bits is rounded all the same.
  bool stores_output = true;
  Affine second_affine;
  std::optional<ActivationAttributes> second_activation;
  int second = -1;
};

/// Reads a binding of the network.
struct InputStep {
  std::size_t binding = 0;
  ElementType element = ElementType::kFloat32;
  bool channels_first = false;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;
  /// With 2, each 2 x 2 block of the padded image becomes a pixel (row, column, channel in this
  /// order), so that a convolution of stride 2 over few channels becomes one of stride 1 over many.
  std::int64_t block = 1;
  Spatial pads{0, 0};
};

struct ConvStep {
  int input = -1;
  /// float32, or int8 beside an 8-bit input: [out][height][width][in].
  Tensor weights;
  Spatial strides{1, 1};
  Spatial dilations{1, 1};
  Spatial pads{0, 0};  ///< above and left; below and right follow from the sizes
  /// What its input goes through as it is read, or before (ConvTile::maps_first): without residual
  /// and second output. Its output is what the weights are multiplied with.
  std::optional<Epilogue> prologue = std::nullopt;
};

struct PoolStep {
  int input = -1;
  bool is_max = true;
  Spatial kernel{1, 1};
  Spatial strides{1, 1};
  Spatial pads{0, 0};
};

/// The mean over all pixels.
struct MeanStep {
  int input = -1;
};

/// [batch, in] x [out, in] transposed.
struct DenseStep {
  int input = -1;
  Tensor weights;  ///< float32 [out, in]
};

/// The epilogue alone.
struct MapStep {
  int input = -1;
};

/// Writes a binding of the network, dense; `channels_first`: as NCHW.
struct OutputStep {
  int input = -1;
  std::size_t binding = 0;
  bool channels_first = false;
};

/// Writes a binding of int32 or int64: the channel with the largest number, the first of equals.
struct ArgMaxStep {
  int input = -1;
  std::size_t binding = 0;
  ElementType element = ElementType::kInt64;
};

// Of ops that are rare in image classifiers (kernels/simple.hpp).

/// The numbers of an image as one row; `channels_first`: as if it lay as CHW.
struct FlattenStep {
  int input = -1;
  bool channels_first = false;
};

/// Over the channels of every pixel.
struct SoftmaxStep {
  int input = -1;
};

struct GroupedConvStep {
  int input = -1;
  /// Levels of 8 bits beside an 8-bit input, as ConvStep's: [out][height][width][in of a group].
  Tensor weights;
  std::int64_t groups = 1;
  Spatial strides{1, 1};
  Spatial dilations{1, 1};
  Spatial pads{0, 0};
};

struct TransposedConvStep {
  int input = -1;
  Tensor weights;  ///< float32 [out][height][width][in]
  Spatial strides{1, 1};
  Spatial pads{0, 0};  ///< of the convolution that it reverses
};

struct UnaryStep {
  int input = -1;
  UnaryKind kind = UnaryKind::kNeg;
};

/// input by other, or by a number a channel. Either may be one pixel for all of an image.
struct PairStep {
  int input = -1;
  int other = -1;  ///< -1: `per_channel`
  std::vector<float> per_channel;
  bool is_reversed = false;  ///< other by input
  BinaryKind kind = BinaryKind::kAdd;
};

/// Output (y, x, channel) is input begin + stride * (y, x, channel), 0 outside.
struct WindowStep {
  int input = -1;
  std::array<std::int64_t, 3> begin{0, 0, 0};
  std::array<std::int64_t, 3> strides{1, 1, 1};
};

struct LrnStep {
  int input = -1;
  LrnAttributes attributes;
};

/// Over all pixels.
struct ReduceStep {
  int input = -1;
  ReduceKind kind = ReduceKind::kSum;
};

using StepKind =
    std::variant<InputStep, ConvStep, PoolStep, MeanStep, DenseStep, MapStep, OutputStep,
                 ArgMaxStep, FlattenStep, SoftmaxStep, GroupedConvStep, TransposedConvStep,
                 UnaryStep, PairStep, WindowStep, LrnStep, ReduceStep>;

struct Step {
  std::string name;
  /// The nodes of the graph that it computes.
  std::vector<std::string> nodes;
  StepKind kind;
  Epilogue epilogue;
};

/// Two steps that one kernel can compute (back_to_back.hpp).
struct BackToBack {
  std::size_t first = 0;
  std::size_t second = 0;
  /// The value between them has to be stored for other readers.
  bool stores_middle = false;
};

struct Program {
  std::int64_t images = 1;
  std::vector<Value> values;
  /// In an order in which every value is written before it is read.
  std::vector<Step> steps;
  std::vector<BackToBack> back_to_back;
};

/// "conv" or another name of a kind.
std::string_view type_of(const Step& step);
/// Of a convolution whose window is one pixel in every place of an image of its result's size.
bool is_pointwise(const Program& program, const Step& step);
/// The value that a convolution multiplies.
int multiplied_of(const ConvStep& conv);
/// The values that `step` reads and writes.
std::vector<int> reads_of(const Step& step);
std::vector<int> writes_of(const Step& step);
/// The value that owns the memory of `value`, and the first of its channels that `value` takes.
struct Place {
  int owner = -1;
  std::int64_t offset = 0;
};
Place place_of(const Program& program, int value);
/// Elements between the pixels of an owner: whole 16-byte words, but for a binding.
std::int64_t pitch_of(const Value& owner);

}  // namespace chexnet_trt::cuda
