#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace chexnet_trt {

/// The real .uff files beside the checkout; none when it stands alone.
inline std::vector<std::string> real_uff_files() {
  std::vector<std::string> paths;
  const std::filesystem::path folder = CHEXNET_TRT_MODELS_DIR;
  if (!std::filesystem::is_directory(folder)) return paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".uff") paths.push_back(entry.path().string());
  }
  return paths;
}

}  // namespace chexnet_trt
