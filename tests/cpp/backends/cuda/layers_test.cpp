#include "backends/cuda/layers.hpp"

#include <gtest/gtest.h>

#include "backends/cuda/fusion.hpp"
#include "backends/cuda/networks.hpp"

namespace chexnet_trt::cuda {
namespace {

TEST(Layers, AreStepsOrTwoThatOneKernelComputes) {
  const Program program =
      fuse(testing::pair_network({}, testing::PairKind::kPreactivation), 1, Precision::kFloat16);
  const BackToBack& pair = program.back_to_back.at(0);
  Tactics tactics(program.steps.size(), plain_conv_tile());
  const std::vector<Layer> alone = layers_of(program, tactics);
  ASSERT_EQ(alone.size(), program.steps.size());
  EXPECT_EQ(name_of(alone[pair.second], program), program.steps[pair.second].name);
  tactics[pair.first] = joined_conv_tile() - 1;
  tactics[pair.second] = joined_conv_tile();
  const std::vector<Layer> layers = layers_of(program, tactics);
  ASSERT_EQ(layers.size(), program.steps.size() - 1);
  const Layer& both = layers.at(pair.first);
  const Step& first = program.steps[pair.first];
  const Step& second = program.steps[pair.second];
  EXPECT_EQ(name_of(both, program), first.name + " + " + second.name);
  std::vector<std::string> nodes = first.nodes;
  nodes.insert(nodes.end(), second.nodes.begin(), second.nodes.end());
  EXPECT_EQ(nodes_of(both, program), nodes);
}

}  // namespace
}  // namespace chexnet_trt::cuda
