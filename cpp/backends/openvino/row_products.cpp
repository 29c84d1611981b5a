#include "backends/openvino/row_products.hpp"

#include <vector>

namespace chexnet_trt::openvino {

std::uint8_t* thread_levels(std::size_t bytes) {
  struct alignas(64) CacheLine {
    std::array<std::uint8_t, 64> levels;
  };
  static thread_local std::vector<CacheLine> lines;
  lines.resize(std::max(lines.size(), (bytes + sizeof(CacheLine) - 1) / sizeof(CacheLine)));
  return lines.front().levels.data();
}

}  // namespace chexnet_trt::openvino
