#pragma once

#include "backends/cuda/kernels/back_to_back_shape.cuh"
#include "backends/cuda/kernels/tile_epilogue.cuh"

namespace chexnet_trt::cuda {

/// A chunk of the middle from its sums: stored as the first convolution's epilogue asks, and left as
/// fragments.
template <typename T, typename Shape>
class MiddleEpilogue {
  using Tile = typename Shape::First;
  using Deal = Runs<T, Tile>;
  using Run = RunOf<T, Deal::kRun>;

 public:
  using Fragments = unsigned[Shape::kMiddleWords / 2][4];

  /// `units`: the first convolution's scales and shifts, in shared memory.
  __device__ MiddleEpilogue(const BackToBackKernelArguments& arguments, const float* units)
      : packed_(arguments.first.epilogue),
        stores_middle_(arguments.stores_middle),
        units_(units),
        channels_(arguments.middle_channels()) {}

  __device__ void begin(const TilePixels& pixels) {
#pragma unroll
    for (int half = 0; half < 2; ++half) pixel_[half] = pixels(Deal::row_of(threadIdx.x, 0, half));
  }
  /// Of the chunk that `finish` comes to next.
  __device__ void read_residuals(int first_channel) {
    const DeviceValue& residual = packed_.epilogue.residual;
    if (residual.data == nullptr) return;
    each([&](int chunk, int half, int column) {
      residuals_[chunk][half].run =
          read_packed<T, Deal::kRun>(residual, place(residual, half, first_channel + column));
    });
  }
  __device__ void finish(const Product<T, Tile>& product, int first_channel,
                         Fragments& fragments) const {
    with_form<T>(packed_,
                 [&](auto form) { finish_as<decltype(form)>(product, first_channel, fragments); });
  }

 private:
  static_assert(Deal::kRun * sizeof(T) == kWordBytes && Deal::kStrips == 1);

  template <typename Form>
  __device__ void finish_as(const Product<T, Tile>& product, int first_channel,
                            Fragments& fragments) const {
    const DeviceValue& output = packed_.epilogue.output;
    const DeviceValue& second = packed_.epilogue.second;
    const bool stores_output = output.data != nullptr && (Form::kHasSecond || stores_middle_);
    Run outputs[Deal::kChunks][2];
    Run middles[Deal::kChunks][2];
#pragma unroll
    for (int chunk = 0; chunk < Deal::kChunks; ++chunk) {
#pragma unroll
      for (int part = 0; part < Deal::kParts; ++part) {
        const int column = Deal::channel_of(threadIdx.x, chunk) + part * 4;
        const AffineFour affine = affine_four(units_, channels_, first_channel + column);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float v[4];
          product.four(0, chunk, half, part, v);
          const auto result =
              run_packed_epilogue<T, Form>(packed_, affine, residuals_[chunk][half].part(part), v);
          outputs[chunk][half].set(part, result.first);
          if constexpr (Form::kHasSecond) {
            middles[chunk][half].set(part, result.second);
          } else {
            middles[chunk][half].set(part, result.first);
          }
        }
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
#pragma unroll
        for (int word = 0; word < 4; ++word) {
          fragments[chunk * 2 + word / 2][word % 2 * 2 + half] =
              middles[chunk][half].run.words[word];
        }
      }
    }
    each([&](int chunk, int half, int column) {
      const int channel = first_channel + column;
      if (stores_output) {
        write_packed(output, place(output, half, channel), outputs[chunk][half].run);
      }
      if (Form::kHasSecond && stores_middle_) {
        write_packed(second, place(second, half, channel), middles[chunk][half].run);
      }
    });
  }

  /// Over the runs of this thread whose pixel there is.
  template <typename Function>
  __device__ void each(Function function) const {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (pixel_[half] < 0) continue;
#pragma unroll
      for (int chunk = 0; chunk < Deal::kChunks; ++chunk) {
        function(chunk, half, Deal::channel_of(threadIdx.x, chunk));
      }
    }
  }
  __device__ std::int64_t place(const DeviceValue& value, int half, int channel) const {
    return static_cast<std::int64_t>(pixel_[half]) * value.pitch + channel;
  }

  const PackedEpilogue& packed_;
  bool stores_middle_;
  const float* units_;
  int channels_;
  int pixel_[2] = {-1, -1};
  Run residuals_[Deal::kChunks][2];
};

}  // namespace chexnet_trt::cuda
