#pragma once

#include <openvino/op/op.hpp>

namespace chexnet_trt::openvino {

/// The channels of several images one behind the other, each normalised and stored in 8 bits again,
/// in one step: y[n, h, w, c] = floor(scale[c] * x[n, h, w, c] + shift[c]) within 0..255.
///
/// Inputs: images i8 [N, H, W, C_0], [N, H, W, C_1] ...; scale and shift, f32 [2, C_0 + C_1 + ...].
/// Output: u8 [N, H, W, C_0 + C_1 + ...].
///
/// OpenVINO copies the images into one, reads that and writes another: as many bytes again, and
/// slower. Its CPU plugin takes no layout for an op of ours but the plain one; channels are last
/// here because they are last in memory where int8 convolutions read and write.
class ConcatNormalise : public ov::op::Op {
 public:
  OPENVINO_OP("ConcatNormalise", "chexnet_trt")

  ConcatNormalise() = default;
  explicit ConcatNormalise(const ov::OutputVector& inputs);

  /// Whether this CPU has the kernel.
  static bool is_available();

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor& visitor) override;
  bool has_evaluate() const override;
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;
};

}  // namespace chexnet_trt::openvino
