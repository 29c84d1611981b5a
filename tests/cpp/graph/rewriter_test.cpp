#include "graph/rewriter.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "graph/one_of_each.hpp"
#include "graph/text.hpp"

namespace chexnet_trt {
namespace {

TEST(Rewriter, CopyingEverythingChangesNothing) {
  const Graph source = one_of_each();
  GraphRewriter rewriter(source);
  for (NodeId id = 0; id < static_cast<NodeId>(source.nodes().size()); ++id) rewriter.copy(id);
  EXPECT_EQ(to_text(rewriter.finish()), to_text(source));
}

TEST(Rewriter, UsersOfAReplacedNodeReadTheNewOne) {
  Graph source;
  const NodeId x = source.add_input("x", {ElementType::kFloat32, {kBatch, 2}});
  const NodeId same = source.add(Op::kIdentity, "same", {x});
  const NodeId y =
      source.add(Op::kActivation, "y", {same}, ActivationAttributes{ActivationKind::kTanh, 0});
  source.add_output("y", y);
  GraphRewriter rewriter(source);
  rewriter.copy(x);
  EXPECT_FALSE(rewriter.is_mapped(same));
  EXPECT_THROW(rewriter.copy(y), Error);
  rewriter.replace(same, rewriter.mapped(x));
  rewriter.copy(y);
  EXPECT_EQ(rewriter.unique_name("same"), "same_1");
  const Graph result = rewriter.finish();
  result.verify();
  EXPECT_EQ(result.nodes().size(), 2U);
  EXPECT_EQ(result.node(result.outputs()[0].value).inputs, std::vector<NodeId>{0});
}

TEST(Rewriter, ADroppedOutputIsABug) {
  const Graph source = one_of_each();
  GraphRewriter rewriter(source);
  EXPECT_THROW(rewriter.finish(), Error);
}

}  // namespace
}  // namespace chexnet_trt
