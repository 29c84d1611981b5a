#pragma once

#include "backends/cuda/kernels/tensor_core.cuh"
#include "backends/cuda/kernels/tile.cuh"

namespace chexnet_trt::cuda {

/// Copies one word of every row of a tile side for each stage, walking over the taps. A thread
/// handles word `threadIdx.x % 8` of the rows `threadIdx.x / 8 + i * threads / 8`.
template <typename T, typename Shape>
class WordCopier {
  static constexpr int kStep = Shape::kBlockThreads / kStageWords;
  static constexpr int kInputRows = (Shape::kRows + kStep - 1) / kStep;
  static constexpr int kWeightRows = (Shape::kColumns + kStep - 1) / kStep;
  static_assert(Shape::kRows % kStep == 0 && Shape::kColumns % kStep == 0);

 public:
  __device__ WordCopier(const ConvKernelArguments& arguments, int first_pixel, int first_channel,
                        int first_word, int last_word)
      : arguments_(arguments),
        slot_(static_cast<int>(threadIdx.x) % kStageWords),
        row_(static_cast<int>(threadIdx.x) / kStageWords),
        word_(first_word + slot_),
        last_word_(last_word) {
    const int channel = first_channel + Runs<T, Shape>::channel_of_column(row_);
    channels_left_ = arguments.conv.output_size.channels - channel;
    weights_ = static_cast<const char*>(arguments.conv.weights) +
               (static_cast<std::int64_t>(channel) * arguments.words + word_) * kWordBytes;
    const Window& window = arguments.conv.window;
    const ImageSize& in = arguments.conv.input_size;
    const ImageSize& out = arguments.conv.output_size;
    const int tap = word_ / arguments.words_a_tap;
    word_in_tap_ = word_ - tap * arguments.words_a_tap;
    tap_y_ = tap / window.width;
    tap_x_ = tap - tap_y_ * window.width;
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      const int pixel = first_pixel + row_ + i * kStep;
      const int line = pixel / out.width;
      const int image = line / out.height;
      const int x = (pixel - line * out.width) * window.stride_x - window.pad_x;
      const int y = (line - image * out.height) * window.stride_y - window.pad_y;
      const bool is_inside = pixel < arguments.pixels;
      origin_[i] = is_inside ? (image * in.height + y) * in.width + x : 0;
      corner_[i] = make_short2(static_cast<short>(x), static_cast<short>(is_inside ? y : kOutside));
    }
  }

  /// Of a later step. Weights do not depend on earlier kernels.
  __device__ void copy_weights(unsigned to, int steps_ahead) const {
    const int ahead = steps_ahead * kStageWords;
    const bool is_left = word_ + ahead < last_word_;
    const std::int64_t row_bytes = static_cast<std::int64_t>(arguments_.words) * kWordBytes;
#pragma unroll
    for (int i = 0; i < kWeightRows; ++i) {
      // Powers of two: the channels of two summed columns sum up too.
      const int channel = Runs<T, Shape>::channel_of_column(i * kStep);
      const bool is_there = is_left && channel < channels_left_;
      const char* from = is_there ? weights_ + channel * row_bytes + ahead * kWordBytes
                                  : static_cast<const char*>(arguments_.conv.weights);
      copy_word_async(word_address(to, row_ + i * kStep, slot_), from, is_there ? kWordBytes : 0);
    }
  }

  /// Of the step at hand.
  __device__ void copy_input(unsigned to) const {
    const ImageSize& in = arguments_.conv.input_size;
    const auto* input = static_cast<const char*>(arguments_.conv.input.data);
    const int dy = tap_y_ * arguments_.conv.window.dilation_y;
    const int dx = tap_x_ * arguments_.conv.window.dilation_x;
    const int tap_offset = dy * in.width + dx;
    const int byte_in_pixel = word_in_tap_ * kWordBytes;
    const int bytes =
        word_ < last_word_ ? min(kWordBytes, arguments_.pixel_bytes - byte_in_pixel) : 0;
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      const bool is_there =
          static_cast<unsigned>(corner_[i].y + dy) < static_cast<unsigned>(in.height) &&
          static_cast<unsigned>(corner_[i].x + dx) < static_cast<unsigned>(in.width);
      const int pixel = is_there ? origin_[i] + tap_offset : 0;
      const char* from =
          input + static_cast<std::int64_t>(pixel) * arguments_.pitch_bytes + byte_in_pixel;
      copy_word_async(word_address(to, row_ + i * kStep, slot_), is_there ? from : input,
                      is_there ? bytes : 0);
    }
  }

  /// To the next step.
  __device__ void advance() {
    word_ += kStageWords;
    weights_ += kStageWords * kWordBytes;
    word_in_tap_ += kStageWords;
    while (word_in_tap_ >= arguments_.words_a_tap) {
      word_in_tap_ -= arguments_.words_a_tap;
      if (++tap_x_ == arguments_.conv.window.width) {
        tap_x_ = 0;
        ++tap_y_;
      }
    }
  }

 private:
  static constexpr int kOutside = -32768;

  const ConvKernelArguments& arguments_;
  int slot_;
  int row_;
  int word_;
  int last_word_;
  int word_in_tap_;
  int tap_y_;
  int tap_x_;
  int channels_left_;
  const char* weights_;
  int origin_[kInputRows];     ///< the input pixel under the first tap, maybe outside the image
  short2 corner_[kInputRows];  ///< its column and row in the image
};

}  // namespace chexnet_trt::cuda
