#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "engine/builder.hpp"
#include "engine/execution_context.hpp"
#include "engine/fake_backend.hpp"

namespace chexnet_trt {

/// Its batches run whole.
inline std::shared_ptr<Engine> build_tiny(FakeBackend& backend, std::int64_t max_batch = 4) {
  BuildOptions options;
  options.max_batch = max_batch;
  options.slice = max_batch;
  return build(tiny_graph(), options, backend).engine;
}

/// An inference of `tiny_graph` with its memory.
struct TinyCall {
  explicit TinyCall(std::int64_t batch_size, float first = 0)
      : batch(batch_size), x(static_cast<std::size_t>(3 * batch_size)), y(x.size()) {
    for (std::size_t index = 0; index < x.size(); ++index) {
      x[index] = first + static_cast<float>(index);
    }
  }
  std::vector<Binding> bindings() { return {{x.data()}, {y.data()}}; }
  std::vector<float> expected() const {
    std::vector<float> values;
    for (const float value : x) values.push_back(2 * value + 1);
    return values;
  }

  std::int64_t batch;
  std::vector<float> x;
  std::vector<float> y;
};

}  // namespace chexnet_trt
