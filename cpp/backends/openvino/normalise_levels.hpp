#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chexnet_trt::openvino {

/// Level x of channel c becomes floor(scale[c] * x + shift[c]), kept within 0..255. What is kept must
/// stay within int32.
struct ChannelNormalisation {
  const float* scale;
  const float* shift;
};

/// Whether `largest`, and scale * x + shift for every x up to it either way, stay well within int32: of
/// `scale_and_shift`, first all scales, then all shifts.
bool stays_within_int32(const std::vector<float>& scale_and_shift, double largest);

/// False where the compiler or the CPU has no AVX-512.
bool can_normalise_levels();

/// Normalises `pixels` rows of `channels` levels, dense in `from`; a row of `to` begins `to_stride`
/// after the one before. Needs `can_normalise_levels()`.
void normalise_levels(const std::int8_t* from, std::size_t pixels, std::size_t channels,
                      const ChannelNormalisation& by, std::uint8_t* to, std::size_t to_stride);

}  // namespace chexnet_trt::openvino
