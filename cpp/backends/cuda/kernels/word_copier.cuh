#pragma once

#include "backends/cuda/kernels/tensor_core.cuh"
#include "backends/cuda/kernels/tile.cuh"

namespace chexnet_trt::cuda {

/// Where the input words of the rows of a tile lie. Words count from the beginning of the input.
/// Rows are `row + i * Step`, i below `Rows`; those beyond the result count as outside.
template <int Rows, int Step, bool IsPointwise>
class RowWords;

/// A window of one pixel in every place: rows are consecutive pixels of the input too.
template <int Rows, int Step>
class RowWords<Rows, Step, true> {
 public:
  __device__ RowWords(const ConvKernelArguments& arguments, int first_pixel, int word)
      : word_(word),
        first_(first_pixel * arguments.pitch_words + word),
        pitch_(arguments.pitch_words),
        pixels_left_(arguments.pixels - first_pixel) {}

  __device__ int word_in_tap() const { return word_; }
  __device__ int word(int i) const { return first_ + i * Step * pitch_; }
  __device__ bool is_inside(int i) const { return i * Step < pixels_left_; }
  __device__ void advance() {
    word_ += kStageWords;
    first_ += kStageWords;
  }

 private:
  int word_;
  int first_;
  int pitch_;
  int pixels_left_;
};

template <int Rows, int Step>
class RowWords<Rows, Step, false> {
 public:
  __device__ RowWords(const ConvKernelArguments& arguments, int first_pixel, int word)
      : arguments_(arguments) {
    const Window& window = arguments.conv.window;
    const ImageSize& in = arguments.conv.input_size;
    const auto width = static_cast<unsigned>(arguments.conv.output_size.width);
    const auto height = static_cast<unsigned>(arguments.conv.output_size.height);
    const unsigned tap = static_cast<unsigned>(word) / static_cast<unsigned>(arguments.words_a_tap);
    word_in_tap_ = word - static_cast<int>(tap) * arguments.words_a_tap;
    tap_y_ = static_cast<int>(tap / static_cast<unsigned>(window.width));
    tap_x_ = static_cast<int>(tap) - tap_y_ * window.width;
#pragma unroll
    for (int i = 0; i < Rows; ++i) {
      const auto pixel = static_cast<unsigned>(first_pixel + i * Step);
      const unsigned line = pixel / width;
      const unsigned image = line / height;
      const int x = static_cast<int>(pixel - line * width) * window.stride_x - window.pad_x;
      const int y = static_cast<int>(line - image * height) * window.stride_y - window.pad_y;
      const bool is_there = static_cast<int>(pixel) < arguments.pixels;
      origin_[i] =
          ((static_cast<int>(image) * in.height + y) * in.width + x) * arguments.pitch_words;
      corner_[i] = make_short2(static_cast<short>(x), static_cast<short>(is_there ? y : kOutside));
    }
    find_tap();
  }

  __device__ int word_in_tap() const { return word_in_tap_; }
  __device__ int word(int i) const { return origin_[i] + offset_; }
  __device__ bool is_inside(int i) const {
    const ImageSize& in = arguments_.conv.input_size;
    return static_cast<unsigned>(corner_[i].y + dy_) < static_cast<unsigned>(in.height) &&
           static_cast<unsigned>(corner_[i].x + dx_) < static_cast<unsigned>(in.width);
  }
  __device__ void advance() {
    word_in_tap_ += kStageWords;
    while (word_in_tap_ >= arguments_.words_a_tap) {
      word_in_tap_ -= arguments_.words_a_tap;
      if (++tap_x_ == arguments_.conv.window.width) {
        tap_x_ = 0;
        ++tap_y_;
      }
    }
    find_tap();
  }

 private:
  static constexpr int kOutside = -32768;

  __device__ void find_tap() {
    dy_ = tap_y_ * arguments_.conv.window.dilation_y;
    dx_ = tap_x_ * arguments_.conv.window.dilation_x;
    offset_ =
        (dy_ * arguments_.conv.input_size.width + dx_) * arguments_.pitch_words + word_in_tap_;
  }

  const ConvKernelArguments& arguments_;
  int word_in_tap_;
  int tap_y_;
  int tap_x_;
  int dy_;
  int dx_;
  int offset_;
  int origin_[Rows];  ///< the first word of the pixel under the first tap, maybe outside the image
  short2 corner_[Rows];  ///< its column and row in the image
};

/// Copies one word of every row of a tile side for each stage, walking over the taps. A thread
/// handles word `threadIdx.x % 8` of the rows `threadIdx.x / 8 + i * threads / 8`.
template <typename T, typename Shape, bool IsPointwise>
class WordCopier {
  static constexpr int kStep = Shape::kBlockThreads / kStageWords;
  static constexpr int kInputRows = Shape::kRows / kStep;
  static constexpr int kWeightRows = Shape::kColumns / kStep;
  static_assert(Shape::kRows % kStep == 0 && Shape::kColumns % kStep == 0);

 public:
  __device__ WordCopier(const ConvKernelArguments& arguments, int first_pixel, int first_channel,
                        int first_word, int last_word)
      : arguments_(arguments),
        slot_(static_cast<int>(threadIdx.x % kStageWords)),
        row_(static_cast<int>(threadIdx.x / kStageWords)),
        words_left_(last_word - first_word - slot_),
        rows_(arguments, first_pixel + row_, first_word + slot_) {
    const int channel = first_channel + Runs<T, Shape>::channel_of_column(row_);
    channels_left_ = arguments.conv.output_size.channels - channel;
    weights_ = channel * arguments.words + first_word + slot_;
  }

  /// Of a later step. Weights do not depend on earlier kernels.
  __device__ void copy_weights(unsigned to, int steps_ahead) const {
    const int ahead = steps_ahead * kStageWords;
    const auto* weights = static_cast<const char*>(arguments_.conv.weights);
#pragma unroll
    for (int i = 0; i < kWeightRows; ++i) {
      // Powers of two: the channels of two summed columns sum up too.
      const int channel = Runs<T, Shape>::channel_of_column(i * kStep);
      const bool is_there = ahead < words_left_ && channel < channels_left_;
      const int word = weights_ + channel * arguments_.words + ahead;
      copy_word_async(word_address(to, row_ + i * kStep, slot_),
                      weights + static_cast<std::int64_t>(word) * kWordBytes, is_there);
    }
  }

  /// Of the step at hand.
  __device__ void copy_input(unsigned to) const {
    const auto* input = static_cast<const char*>(arguments_.conv.input.data);
    const int bytes_left = arguments_.pixel_bytes - rows_.word_in_tap() * kWordBytes;
    const bool is_left = words_left_ > 0;
    if (arguments_.pixel_bytes % kWordBytes != 0) {
      const int bytes = is_left ? min(kWordBytes, bytes_left) : 0;
#pragma unroll
      for (int i = 0; i < kInputRows; ++i) {
        copy_part_async(word_address(to, row_ + i * kStep, slot_),
                        input + static_cast<std::int64_t>(rows_.word(i)) * kWordBytes,
                        rows_.is_inside(i) ? bytes : 0);
      }
      return;
    }
#pragma unroll
    for (int i = 0; i < kInputRows; ++i) {
      copy_word_async(word_address(to, row_ + i * kStep, slot_),
                      input + static_cast<std::int64_t>(rows_.word(i)) * kWordBytes,
                      is_left && rows_.is_inside(i));
    }
  }

  /// To the next step.
  __device__ void advance() {
    words_left_ -= kStageWords;
    weights_ += kStageWords;
    rows_.advance();
  }

 private:
  const ConvKernelArguments& arguments_;
  int slot_;
  int row_;
  int words_left_;
  int channels_left_;
  int weights_;  ///< word of the first row
  RowWords<kInputRows, kStep, IsPointwise> rows_;
};

}  // namespace chexnet_trt::cuda
