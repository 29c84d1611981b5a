#include "images/png_rows.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

using Byte = std::uint8_t;

void undo_sub(const Byte* row, std::size_t width, Byte* pixels) {
  Byte left = 0;
  for (std::size_t x = 0; x < width; ++x) {
    pixels[x] = left = static_cast<Byte>(row[x] + left);
  }
}

void undo_up(const Byte* row, const Byte* above, std::size_t width, Byte* pixels) {
  for (std::size_t x = 0; x < width; ++x) {
    pixels[x] = static_cast<Byte>(row[x] + above[x]);
  }
}

void undo_average(const Byte* row, const Byte* above, std::size_t width, Byte* pixels) {
  Byte left = 0;
  for (std::size_t x = 0; x < width; ++x) {
    pixels[x] = left = static_cast<Byte>(row[x] + (left + above[x]) / 2);
  }
}

/// Whichever of the three is nearest to left + up - corner. With 3 * corner - left - up beyond both
/// neighbours it is the one on the other side, else the corner: no branch that pixels could make
/// hard to predict (after stb_image 2.28).
int paeth(int left, int up, int corner) {
  const int threshold = 3 * corner - left - up;
  const int low = left < up ? left : up;
  const int high = left < up ? up : left;
  const int low_or_corner = high <= threshold ? low : corner;
  return threshold <= low ? high : low_or_corner;
}

void undo_paeth(const Byte* row, const Byte* above, std::size_t width, Byte* pixels) {
  Byte left = 0;
  Byte corner = 0;
  for (std::size_t x = 0; x < width; ++x) {
    pixels[x] = left = static_cast<Byte>(row[x] + paeth(left, above[x], corner));
    corner = above[x];
  }
}

void undo(Byte filter, const Byte* row, const Byte* above, std::size_t width, Byte* pixels) {
  switch (filter) {
    case 0: std::copy_n(row, width, pixels); return;
    case 1: return undo_sub(row, width, pixels);
    case 2: return undo_up(row, above, width, pixels);
    case 3: return undo_average(row, above, width, pixels);
    case 4: return undo_paeth(row, above, width, pixels);
    default:
      throw InputError("a PNG row has the filter " + std::to_string(filter) + ", not 0 to 4");
  }
}

}  // namespace

void unfilter_png_rows(ByteView rows, std::size_t width, const Byte* above, Byte* pixels) {
  const std::vector<Byte> black(above == nullptr ? width : 0);
  if (above == nullptr) {
    above = black.data();
  }
  const auto* row = reinterpret_cast<const Byte*>(rows.data);
  for (std::size_t left = rows.size / (width + 1); left > 0; --left) {
    undo(row[0], row + 1, above, width, pixels);
    above = pixels;
    row += width + 1;
    pixels += width;
  }
}

}  // namespace chexnet_trt
