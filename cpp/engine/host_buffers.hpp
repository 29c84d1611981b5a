#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/backend.hpp"
#include "engine/tensor_info.hpp"

namespace chexnet_trt {

/// Host memory of a backend's choice (Backend::allocate_host) for the inputs and outputs of one
/// inference, zeroed, each at a multiple of 64.
class HostBuffers {
 public:
  HostBuffers(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs,
              std::int64_t batch, Backend& backend);

  std::int64_t batch() const { return batch_; }
  /// Inputs, then outputs.
  std::vector<Binding> bindings() const;
  ByteView input(std::size_t index) const { return views_.at(index); }
  ByteView output(std::size_t index) const { return views_.at(inputs_.size() + index); }
  /// Copies `bytes`, which must fill the input: otherwise InputError.
  void set_input(std::size_t index, ByteView bytes);
  /// The same numbers for the same seed: floats -1 ... 1, int8 and uint8 over their range, int32
  /// and int64 0 or 1 because they tend to be indices.
  void fill_inputs_randomly(std::uint64_t seed);

 private:
  std::byte* data(std::size_t index) const;

  std::vector<TensorInfo> inputs_;
  std::int64_t batch_;
  std::shared_ptr<std::byte> storage_;
  std::vector<ByteView> views_;
};

}  // namespace chexnet_trt
