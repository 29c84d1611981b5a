#pragma once

#include <openvino/op/op.hpp>

namespace chexnet_trt::openvino {

/// A convolution of 1x1 over what ConcatNormalise makes of its images, stored in 8 bits again, in one
/// step: what is normalised stays in the first-level cache until it is multiplied.
///   x = concat_normalise(images, normalisation)                u8 [N, H, W, C]
///   y[n, h, w, o] = round(scale[o] * sum_c x[n, h, w, c] weights[o, c] + shift[o]) within 0..255,
/// to even between two.
///
/// Inputs: images i8 [N, H, W, C_0] ..., normalisation f32 [2, C_0 + ...]; weights i8 [O, D], packed
/// (level_product.hpp), O a multiple of 32 and D of 64, zeros where D is beyond C; scale and shift,
/// f32 [2, O].
/// Output: u8 [N, H, W, O].
class NormalisedConvolution : public ov::op::Op {
 public:
  OPENVINO_OP("NormalisedConvolution", "chexnet_trt")

  NormalisedConvolution() = default;
  explicit NormalisedConvolution(const ov::OutputVector& inputs);

  /// Whether this CPU has the kernel.
  static bool is_available();

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor& visitor) override;
  bool has_evaluate() const override;
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;
};

}  // namespace chexnet_trt::openvino
