#pragma once

#include <limits>

#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/packed.cuh"

// The input kernel of images of three colours whose 2 x 2 blocks become pixels. A thread takes one
// block: it shares no number with another, and what a warp reads together is contiguous.

namespace chexnet_trt::cuda {

constexpr int kColours = 3;
constexpr int kBlockSide = 2;
constexpr int kBlockNumbers = kBlockSide * kBlockSide * kColours;
constexpr int kStoreBytes = sizeof(uint4);

/// Stores of a pixel of the result.
template <typename T>
constexpr int kBlockWords =
    (kBlockNumbers * static_cast<int>(sizeof(T)) + kStoreBytes - 1) / kStoreBytes;

struct ColourAffine {
  float mul[kColours];
  float add[kColours];
  __device__ explicit ColourAffine(const DeviceEpilogue& epilogue) {
#pragma unroll
    for (int c = 0; c < kColours; ++c) {
      mul[c] = epilogue.mul != nullptr ? epilogue.mul[c] : 1.0F;
      add[c] = epilogue.add != nullptr ? epilogue.add[c] : 0.0F;
    }
  }
};

/// The rows, or the columns, of a block: those outside the image are moved to its border.
struct BlockLines {
  int at[kBlockSide];
  bool is_inside[kBlockSide];
  __device__ BlockLines(int first, int size) {
#pragma unroll
    for (int i = 0; i < kBlockSide; ++i) {
      at[i] = min(max(first + i, 0), size - 1);
      is_inside[i] = at[i] == first + i;
    }
  }
};

/// The numbers of a block by row, column and colour; 0 outside the image.
template <typename In, bool ChannelsFirst>
__device__ void read_block(const In* image, const ImageSize& size, const BlockLines& rows,
                           const BlockLines& columns, const ColourAffine& affine,
                           float (&v)[kBlockNumbers]) {
  const int colour_step = ChannelsFirst ? size.height * size.width : 1;
  In stored[kBlockNumbers];
#pragma unroll
  for (int i = 0; i < kBlockNumbers; ++i) {
    const int pixel = i / kColours;
    const int at = rows.at[pixel / kBlockSide] * size.width + columns.at[pixel % kBlockSide];
    const In* colours = image + static_cast<unsigned>(ChannelsFirst ? at : at * kColours);
    stored[i] = colours[i % kColours * colour_step];
  }
#pragma unroll
  for (int i = 0; i < kBlockNumbers; ++i) {
    const int pixel = i / kColours;
    const bool is_inside =
        rows.is_inside[pixel / kBlockSide] && columns.is_inside[pixel % kBlockSide];
    const float number = to_float(stored[i]) * affine.mul[i % kColours] + affine.add[i % kColours];
    v[i] = is_inside ? number : 0.0F;
  }
}

/// Saturates four levels of signed or unsigned char.
template <typename T>
__device__ unsigned packed_levels(int a, int b, int c, int d) {
  unsigned word;
  if constexpr (std::is_same_v<T, signed char>) {
    asm("{ .reg .b32 upper; cvt.pack.sat.s8.s32.b32 upper, %4, %3, 0;"
        " cvt.pack.sat.s8.s32.b32 %0, %2, %1, upper; }"
        : "=r"(word)
        : "r"(a), "r"(b), "r"(c), "r"(d));
  } else {
    asm("{ .reg .b32 upper; cvt.pack.sat.u8.s32.b32 upper, %4, %3, 0;"
        " cvt.pack.sat.u8.s32.b32 %0, %2, %1, upper; }"
        : "=r"(word)
        : "r"(a), "r"(b), "r"(c), "r"(d));
  }
  return word;
}

/// Four numbers as they are stored; 8 bits round half to even.
template <typename T>
__device__ PackedRun<T> stored_four(const float* v, float inverse) {
  PackedRun<T> run;
  if constexpr (kIsLevel<T>) {
    run.words[0] = packed_levels<T>(__float2int_rn(v[0] * inverse), __float2int_rn(v[1] * inverse),
                                    __float2int_rn(v[2] * inverse), __float2int_rn(v[3] * inverse));
  } else if constexpr (std::is_same_v<T, float>) {
#pragma unroll
    for (int i = 0; i < 4; ++i) run.words[i] = __float_as_uint(v[i]);
  } else {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const auto pair = FloatPairs<T>::from_floats(v[i * 2], v[i * 2 + 1]);
      run.words[i] = *reinterpret_cast<const unsigned*>(&pair);
    }
  }
  return run;
}

/// A pixel of the result as it is stored, zeros behind its numbers.
template <typename T>
struct BlockPixel {
  unsigned parts[kBlockWords<T> * 4] = {};

  __device__ BlockPixel(const float (&v)[kBlockNumbers], float inverse) {
    constexpr int kParts = static_cast<int>(sizeof(T));  // of four numbers
#pragma unroll
    for (int four = 0; four < kBlockNumbers / 4; ++four) {
      const PackedRun<T> run = stored_four<T>(v + four * 4, inverse);
#pragma unroll
      for (int i = 0; i < kParts; ++i) parts[four * kParts + i] = run.words[i];
    }
  }
  __device__ uint4 word(int i) const {
    return {parts[i * 4], parts[i * 4 + 1], parts[i * 4 + 2], parts[i * 4 + 3]};
  }
};

__device__ inline uint4 of_neighbour(const uint4& word) {
  return {__shfl_xor_sync(~0U, word.x, 1), __shfl_xor_sync(~0U, word.y, 1),
          __shfl_xor_sync(~0U, word.z, 1), __shfl_xor_sync(~0U, word.w, 1)};
}

/// `to`: pixel 0 of the image. Two lanes with two words each exchange one, so that together they
/// store a pixel at a time, a whole sector of 32 bytes. All lanes of a warp are to call this.
template <typename T>
__device__ void write_pixel(uint4* to, int pitch_words, int pixel, int pixels,
                            const BlockPixel<T>& own) {
  if constexpr (kBlockWords<T> == 2) {
    const bool is_odd = pixel % 2 != 0;
    const uint4 received = of_neighbour(is_odd ? own.word(0) : own.word(1));
    const int even = pixel - static_cast<int>(is_odd);
    uint4* word = to + even * pitch_words + static_cast<int>(is_odd);
    if (even < pixels) *word = is_odd ? received : own.word(0);
    if (even + 1 < pixels) word[pitch_words] = is_odd ? own.word(1) : received;
  } else {
    if (pixel >= pixels) return;
#pragma unroll
    for (int i = 0; i < kBlockWords<T>; ++i) to[pixel * pitch_words + i] = own.word(i);
  }
}

/// Blocks: pixels of an image x images.
template <typename In, bool ChannelsFirst, typename Out>
__global__ void input_blocks_kernel(const __grid_constant__ InputArguments arguments) {
  release_successor();
  const ImageSize& size = arguments.size;
  const DeviceValue& output = arguments.epilogue.output;
  const int pixels = arguments.output_height * arguments.output_width;
  const auto pixel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const auto y = static_cast<int>(static_cast<unsigned>(pixel) /
                                  static_cast<unsigned>(arguments.output_width));
  const int x = pixel - y * arguments.output_width;
  const BlockLines rows(y * kBlockSide - arguments.pad_y, size.height);
  const BlockLines columns(x * kBlockSide - arguments.pad_x, size.width);
  const ColourAffine affine(arguments.epilogue);
  const auto image = static_cast<std::int64_t>(blockIdx.y);
  const int pitch_words = static_cast<int>(output.pitch * sizeof(Out) / kStoreBytes);
  wait_for_predecessors();
  float v[kBlockNumbers];
  read_block<In, ChannelsFirst>(
      static_cast<const In*>(arguments.data) + image * (size.height * size.width * kColours), size,
      rows, columns, affine, v);
  write_pixel<Out>(static_cast<uint4*>(output.data) + image * pixels * pitch_words, pitch_words,
                   pixel, pixels, BlockPixel<Out>(v, output.inverse));
}

/// Whether `input_blocks_kernel` computes it: the numbers of an image are counted in 32 bits.
template <typename Out>
bool is_in_blocks(const InputArguments& arguments) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  constexpr int kMostImages = 65535;
  const ImageSize& size = arguments.size;
  const DeviceValue& output = arguments.epilogue.output;
  const std::int64_t bytes = output.pitch * static_cast<std::int64_t>(sizeof(Out));
  const std::int64_t numbers = static_cast<std::int64_t>(size.height) * size.width * kColours;
  return arguments.block == kBlockSide && size.channels == kColours && size.images <= kMostImages &&
         numbers <= kMost && bytes % kStoreBytes == 0 && bytes >= kBlockWords<Out> * kStoreBytes &&
         reinterpret_cast<std::uintptr_t>(output.data) % kStoreBytes == 0;
}

template <typename Out>
cudaError_t launch_input_blocks(const InputArguments& arguments, cudaStream_t stream) {
  const bool is_first = arguments.channels_first;
  const auto kernel = arguments.element == ElementType::kUInt8
                          ? (is_first ? input_blocks_kernel<unsigned char, true, Out>
                                      : input_blocks_kernel<unsigned char, false, Out>)
                          : (is_first ? input_blocks_kernel<float, true, Out>
                                      : input_blocks_kernel<float, false, Out>);
  const std::int64_t pixels =
      static_cast<std::int64_t>(arguments.output_height) * arguments.output_width;
  return launch(kernel, dim3(blocks_for(pixels), static_cast<unsigned>(arguments.size.images)),
                kThreads, 0, 1, stream, arguments);
}

}  // namespace chexnet_trt::cuda
