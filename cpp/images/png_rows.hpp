#pragma once

#include <cstddef>
#include <cstdint>

#include "common/byte_view.hpp"

namespace chexnet_trt {

/// Undoes the filters of a PNG's rows of one byte a pixel (PNG specification, third edition, 9.2).
/// `rows`: for each row the filter's number, 0 to 4, and `width` filtered bytes; what is left at the
/// end is no row. `above`: the row of pixels before the first, or null. `pixels`: room for all of
/// them. Throws InputError for an unknown filter.
void unfilter_png_rows(ByteView rows, std::size_t width, const std::uint8_t* above,
                       std::uint8_t* pixels);

}  // namespace chexnet_trt
