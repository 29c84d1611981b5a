#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "common/mapped_file.hpp"
#include "graph/graph.hpp"
#include "passes/pipeline.hpp"
#include "uff/importer.hpp"

namespace chexnet_trt::testing {

/// A network with random weights, and what TensorFlow computes of it
/// (tools/make_tensorflow_fixture.py).
struct TensorFlowFixture {
  static constexpr std::int64_t kImages = 4;
  static constexpr std::int64_t kSize = 32;

  explicit TensorFlowFixture(const std::string& folder) {
    uff::UffParser parser;
    parser.register_input("input_tensor", {3, kSize, kSize});
    parser.register_output("chexnet_sigmoid_tensor");
    graph = optimize(parser.parse_file(folder + "/small_resnet_v2.uff"));
    const auto file = MappedFile::open(folder + "/small_resnet_v2.f32");
    std::vector<float> numbers(file->bytes().size / sizeof(float));
    std::memcpy(numbers.data(), file->bytes().data, numbers.size() * sizeof(float));
    const auto end = numbers.begin() + kImages * 3 * kSize * kSize;
    images.assign(numbers.begin(), end);
    scores.assign(end, numbers.end());
  }

  Graph graph;
  std::vector<double> images;  ///< [kImages, 3, kSize, kSize]
  std::vector<double> scores;  ///< [kImages, 14]
};

}  // namespace chexnet_trt::testing
