#pragma once

#include "backends/cuda/kernels/packed.cuh"
#include "backends/cuda/kernels/tensor_core.cuh"
#include "backends/cuda/kernels/tile.cuh"

namespace chexnet_trt::cuda {

/// A convolution's prologue: what a thread has copied of the input goes through scale, shift and relu
/// where it lies, just as a map would have stored it. Threads handle the words that WordCopier deals
/// to them, so no other thread need have copied anything yet. Pointwise convolutions alone, of pixels
/// that are whole words.
template <typename T, typename Shape>
class WordMapper {
  static constexpr int kStep = Shape::kBlockThreads / kStageWords;
  static constexpr int kInputRows = Shape::kRows / kStep;
  static constexpr int kCount = kWordBytes / static_cast<int>(sizeof(T));  ///< channels of a word
  static constexpr int kParts = kCount / 4;

 public:
  /// The words of the stages are `first_word` on, below `last_word`.
  __device__ WordMapper(const ConvKernelArguments& arguments, int first_word, int last_word)
      : arguments_(arguments),
        slot_(static_cast<int>(threadIdx.x % kStageWords)),
        row_(static_cast<int>(threadIdx.x / kStageWords)),
        word_(first_word + slot_),
        last_word_(last_word) {}

  /// Of the next stage. They do not depend on earlier kernels.
  __device__ void read_affine() {
    if (word_ >= last_word_) return;
    const float* units = arguments_.prologue.epilogue.units;
    const int pitch = units_pitch(arguments_.conv.input_size.channels);
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      const float* four = units + word_ * kCount + part * 4;
      mul_[part] = __ldg(reinterpret_cast<const float4*>(four));
      add_[part] = __ldg(reinterpret_cast<const float4*>(four + pitch));
    }
  }
  /// The stage whose rows lie at `rows`; on to the next one.
  __device__ void map(unsigned rows) {
    if (word_ < last_word_) {
#pragma unroll
      for (int i = 0; i < kInputRows; ++i) map_word(word_address(rows, row_ + i * kStep, slot_));
    }
    word_ += kStageWords;
  }

 private:
  using Form = EpilogueForm<false, false, kIsLevel<T>>;
  using Word = RunOf<T, kCount>;

  __device__ void map_word(unsigned address) const {
    Word word;
    load_word(address, word.run.words);
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      float v[4];
      unpack<T>(arguments_.input_levels, word.part(part), v);
      const AffineFour affine{mul_[part], add_[part], {}, {}};
      word.set(part, run_packed_epilogue<T, Form>(arguments_.prologue, affine, {}, v).first);
    }
    store_word(address, word.run.words);
  }

  const ConvKernelArguments& arguments_;
  int slot_;
  int row_;
  int word_;
  int last_word_;
  float4 mul_[kParts];
  float4 add_[kParts];
};

}  // namespace chexnet_trt::cuda
