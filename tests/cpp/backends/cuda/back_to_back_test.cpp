#include "backends/cuda/back_to_back.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "backends/cuda/compiled_program.hpp"
#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/device_harness.hpp"
#include "backends/cuda/fusion.hpp"
#include "backends/cuda/memory_plan.hpp"
#include "backends/cuda/networks.hpp"
#include "common/error.hpp"

namespace chexnet_trt::cuda {
namespace {

using testing::expect_close;
using testing::Kind;
using testing::OnDevice;
using testing::options_for;
using testing::pair_network;
using testing::PairKind;
using testing::PairShape;
using testing::ranges_of;

const ConvStep& conv_of(const Program& program, std::size_t step) {
  return std::get<ConvStep>(program.steps.at(step).kind);
}

TEST(BackToBack, FindsAWideValueBetweenTwoPointwiseConvolutions) {
  for (const PairKind kind :
       {PairKind::kPreactivation, PairKind::kSharedMiddle, PairKind::kPlain}) {
    const Program program = fuse(pair_network({}, kind), 2, Precision::kFloat16);
    ASSERT_EQ(program.back_to_back.size(), 1U);
    const BackToBack& pair = program.back_to_back[0];
    EXPECT_EQ(program.steps[pair.first].name, "wide");
    EXPECT_EQ(program.steps[pair.second].name, "narrow");
    EXPECT_EQ(pair.stores_middle, kind != PairKind::kPreactivation);
    EXPECT_EQ(back_to_back_at(program, pair.first), &pair);
    EXPECT_EQ(back_to_back_at(program, pair.second), nullptr);
  }
}

TEST(BackToBack, StoresAMiddleOfWhichOthersReadAPart) {
  Graph g = pair_network({}, PairKind::kPreactivation);
  Program program = fuse(g, 2, Precision::kFloat16);
  const BackToBack pair = program.back_to_back.at(0);
  ASSERT_FALSE(pair.stores_middle);
  Value part = program.values[static_cast<std::size_t>(middle_of(program.steps[pair.first]))];
  part.parent = middle_of(program.steps[pair.first]);
  part.channels = 64;
  program.values.push_back(part);
  Step reader;
  reader.kind = MapStep{static_cast<int>(program.values.size()) - 1};
  program.steps.push_back(reader);
  EXPECT_TRUE(find_back_to_back(program).at(0).stores_middle);
}

TEST(BackToBack, LeavesAloneWhatTheKernelCannotTake) {
  const auto pairs = [](const PairShape& shape, Precision precision) {
    return fuse(pair_network(shape, PairKind::kPreactivation), 2, precision).back_to_back.size();
  };
  EXPECT_EQ(pairs({64, 128, 256}, Precision::kFloat16), 1U);
  EXPECT_EQ(pairs({64, 128, 256}, Precision::kFloat32), 0U);
  EXPECT_EQ(pairs({64, 128, 96}, Precision::kFloat16), 0U);
  EXPECT_EQ(pairs({64, 96, 64}, Precision::kFloat16), 0U);
  EXPECT_EQ(pairs({24, 128, 64}, Precision::kFloat16), 0U);
  EXPECT_TRUE(fuse(testing::dense_network(), 2, Precision::kFloat16).back_to_back.empty());
}

TEST(BackToBack, KeepsTheSecondResultApartFromAllThatTheFirstReads) {
  const Program program = fuse(pair_network({}, PairKind::kPreactivation), 2, Precision::kFloat16);
  const MemoryPlan plan = plan_memory(program);
  const BackToBack& pair = program.back_to_back.at(0);
  const int result = program.steps[pair.second].epilogue.output;
  const auto range_of = [&](int value) {
    const Value& own = program.values[static_cast<std::size_t>(value)];
    const std::size_t begin = plan.offsets[static_cast<std::size_t>(value)];
    const auto count = static_cast<std::size_t>(2 * own.height * own.width * pitch_of(own));
    return std::pair(begin, begin + count * size_of(own.element));
  };
  const auto own = range_of(result);
  for (const int read : reads_of(program.steps[pair.first])) {
    const auto other = range_of(read);
    EXPECT_TRUE(own.second <= other.first || other.second <= own.first);
  }
}

/// Element `index` of the packed bytes, and of row `row` of packed weights.
template <typename T>
T element_at(const std::vector<std::byte>& bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// Where the kernel finds a weight, told from the instruction's layouts (PTX ISA, "wgmma: matrix
/// fragments"): thread t of four holds, of every 4 * kRun channels, those from t * kRun on, four bytes
/// of which are a part of its fragment.
template <typename T>
void expect_image(const Graph& graph, Precision precision) {
  const Program program = fuse(graph, 1, precision);
  const BackToBack& pair = program.back_to_back.at(0);
  const std::vector<std::byte> image = back_to_back_image(program, pair);
  const auto packed = [&](std::size_t step) {
    const ConvStep& conv = conv_of(program, step);
    const Value& input = program.values[static_cast<std::size_t>(conv.input)];
    return packed_weights(conv.weights, weight_element(input.element));
  };
  const std::vector<std::byte> wide = packed(pair.first);
  const std::vector<std::byte> narrow = packed(pair.second);
  const auto in = static_cast<std::size_t>(conv_of(program, pair.first).weights.shape()[3]);
  const auto middle = static_cast<std::size_t>(conv_of(program, pair.second).weights.shape()[3]);
  const auto out = static_cast<std::size_t>(conv_of(program, pair.second).weights.shape()[0]);
  constexpr std::size_t kInWord = 16 / sizeof(T);
  constexpr std::size_t kRun = kInWord;
  constexpr std::size_t kInPiece = 4 / sizeof(T);
  const auto dealt = [&](std::size_t column) {  // kRun / 2 groups of 8 columns share 4 * kRun
    const std::size_t group = column / 8;
    return group / (kRun / 2) * 4 * kRun + column % 8 / 2 * kRun + group % (kRun / 2) * 2 +
           column % 2;
  };
  std::size_t at = 0;  // in elements
  for (std::size_t first = 0; first < middle; first += 64) {
    for (std::size_t word = 0; word < in / kInWord; ++word) {
      for (std::size_t column = 0; column < 64; ++column) {
        for (std::size_t i = 0; i < kInWord; ++i, ++at) {
          ASSERT_EQ(element_at<T>(image, at),
                    element_at<T>(wide, (first + dealt(column)) * in + word * kInWord + i));
        }
      }
    }
    for (std::size_t word = 0; word < 64 / kInWord; ++word) {
      const std::size_t block = word / 4;  // of 4 * kRun channels
      const std::size_t piece = word % 4;  // of a run
      for (std::size_t column = 0; column < out; ++column) {
        for (std::size_t i = 0; i < kInWord; ++i, ++at) {
          const std::size_t thread = i / kInPiece;
          const std::size_t channel =
              first + block * 4 * kRun + thread * kRun + piece * kInPiece + i % kInPiece;
          ASSERT_EQ(element_at<T>(image, at),
                    element_at<T>(narrow, dealt(column) * middle + channel));
        }
      }
    }
  }
  EXPECT_EQ(at * sizeof(T), image.size());
}

TEST(BackToBack, ImagesHoldEveryWeightWhereTheKernelReadsIt) {
  const Graph g = pair_network({96, 192, 128}, PairKind::kPreactivation);
  expect_image<std::uint16_t>(g, Precision::kFloat16);
  expect_image<std::int8_t>(quantize(g, ranges_of(g)), Precision::kInt8);
}

/// Tiles of as many warpgroups as the kernel has for `out` channels.
bool takes(const ConvTile& tile, std::int64_t out) {
  if (tile.kernel != ConvKernel::kBackToBack) return false;
  if (tile.rows == 128) return out >= 128;
  return tile.rows == 192 ? out <= 128 : out <= 64;
}

/// Every tile that takes the pair, against the interpreter or against two kernels.
void try_tiles(const Graph& graph, const Kind& kind, std::int64_t batch, std::int64_t out,
               bool interprets, const std::string& what) {
  const testing::Arrays inputs = reference::random_inputs(graph, batch, 7);
  const auto run_with = [&](const Tactics& tactics) {
    auto compiled = std::make_shared<CompiledProgram>(graph, options_for(batch, kind.precision), 0);
    compiled->tactics = tactics;
    return testing::run(*make_execution(compiled), graph, batch, inputs);
  };
  const Program program = fuse(graph, batch, kind.precision);
  const BackToBack& pair = program.back_to_back.at(0);
  const Tactics alone(program.steps.size(), plain_conv_tile());
  const testing::Arrays expected =
      interprets ? reference::interpret(graph, batch, inputs) : run_with(alone);
  for (std::size_t tile = 0; tile < conv_tiles().size(); ++tile) {
    if (!takes(conv_tiles()[tile], out)) continue;
    Tactics tactics = alone;
    tactics[pair.first] = tile;
    tactics[pair.second] = joined_conv_tile();
    expect_close(
        run_with(tactics), expected, kind.tolerance,
        what + " " + name_of(conv_tiles()[tile]) + " " + std::string(name_of(kind.precision)));
  }
}

constexpr Kind kKinds[] = {
    {Precision::kFloat16, 5e-3}, {Precision::kBFloat16, 4e-2}, {Precision::kInt8, 1e-2}};

void try_pair(const PairShape& shape, PairKind pair_kind, std::int64_t batch, bool interprets) {
  const Graph g = pair_network(shape, pair_kind);
  const Graph quantized = quantize(g, ranges_of(g));
  const std::string what = std::to_string(shape.in) + " " + std::to_string(shape.middle) + " " +
                           std::to_string(shape.out) + " kind " +
                           std::to_string(static_cast<int>(pair_kind));
  for (const Kind& kind : kKinds) {
    const Graph& graph = kind.precision == Precision::kInt8 ? quantized : g;
    try_tiles(graph, kind, batch, shape.out, interprets, what);
  }
}

TEST_F(OnDevice, RunsTwoConvolutionsBackToBack) {
  for (const PairShape& shape : {PairShape{64, 256, 64}, PairShape{128, 384, 128},
                                 PairShape{256, 320, 256}, PairShape{96, 192, 128}}) {
    for (const PairKind kind :
         {PairKind::kPreactivation, PairKind::kSharedMiddle, PairKind::kPlain}) {
      try_pair(shape, kind, 3, true);
      if (HasFatalFailure()) return;
    }
  }
}

/// More tiles than multiprocessors.
TEST_F(OnDevice, RunsManyTilesBackToBack) {
  for (const PairShape& shape :
       {PairShape{64, 256, 64}, PairShape{128, 384, 128}, PairShape{256, 320, 256}}) {
    try_pair(shape, PairKind::kPreactivation, 450, false);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace chexnet_trt::cuda
