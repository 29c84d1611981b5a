#pragma once

#include <openvino/core/coordinate_diff.hpp>
#include <openvino/core/strides.hpp>
#include <openvino/op/op.hpp>

namespace chexnet_trt::openvino {

/// A convolution of 8-bit levels, stored in 8 bits again, and what is added to it before that.
///   y[n, h, w, o] = round(scale[o] * (x conv weights)[n, h, w, o] + shift[o]
///                         + added_scale[o] * added[n, h, w, o]),
/// to even between two, kept within what `levels` holds.
///
/// Inputs: x u8 [N, H, W, C]; weights i8 [O, D], of which D are [window, C], packed (level_product.hpp),
/// O a multiple of 32 and D of 64, zeros behind; scale, shift and maybe added_scale f32 [2 or 3, O];
/// and then added i8 [N, H', W', O]. More are not read.
/// Output: `levels`, u8 or i8, [N, H', W', O].
class LevelConvolution : public ov::op::Op {
 public:
  OPENVINO_OP("LevelConvolution", "chexnet_trt")

  struct Attributes {
    ov::Shape window{1, 1};
    ov::Strides strides{1, 1};
    ov::CoordinateDiff pads_begin{0, 0};
    ov::CoordinateDiff pads_end{0, 0};
    ov::element::Type levels = ov::element::u8;
  };

  LevelConvolution() = default;
  LevelConvolution(const ov::OutputVector& inputs, Attributes attributes);

  /// Whether this CPU has the kernel.
  static bool is_available();
  /// Whether it takes the place of OpenVINO's convolutions: with AMX, where it is faster on CPUs that
  /// others use too and about as fast on quiet ones. With VNNI OpenVINO's are faster.
  static bool pays();

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor& visitor) override;
  bool has_evaluate() const override;
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;

 private:
  void check_attributes() const;
  /// H' or W' of an image of `size`.
  std::size_t places_along(std::size_t axis, std::size_t size) const;

  Attributes attributes_;
};

}  // namespace chexnet_trt::openvino
