#pragma once

#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/tile_epilogue.cuh"

// Convolution of stride 1 whose window slides over shared memory: a block copies the pixels that its
// tile needs once, not once a tap, and keeps all weights of its channels. Positions count along the
// rows of the padded image, `pitch` to a row, in the input and in the result alike; so tap (y, x) of
// position p is position p + y * pitch + x, and the rows of a tile are consecutive positions, of
// which those beyond the right edge are no pixels of the result. Each word of 16 bytes of a pixel has
// a plane of its own, where 8 positions are the core matrix of wgmma without swizzle (PTX ISA,
// "Shared memory matrix layout").

namespace chexnet_trt::cuda {

/// What is the same for all blocks of a launch.
struct WindowArguments {
  ConvKernelArguments kernel;
  int pitch = 0;           ///< positions of a row of the padded image
  unsigned per_pitch = 0;  ///< 2^32 / pitch, rounded up
  int image_tiles = 0;     ///< of one image
  int tiles = 0;           ///< of all images
  int positions = 0;       ///< that a tile reads
  int plane = 0;           ///< bytes of a plane of the input
  int weight_planes = 0;   ///< words of all taps
  int word_pair = 0;       ///< bytes between the two words of the input that a product takes
  int buffers = 1;         ///< of the input's planes
};

/// The rows of a tile: consecutive positions of an image.
struct WindowPixels {
  const WindowArguments& arguments;
  int image;
  int first;

  __device__ WindowPixels(const WindowArguments& from, int tile, int rows)
      : arguments(from), image(tile / from.image_tiles) {
    first = (tile - image * from.image_tiles) * rows;
  }
  __device__ int operator()(int row) const {
    const ImageSize& out = arguments.kernel.conv.output_size;
    const auto position = static_cast<unsigned>(first + row);
    const auto y = static_cast<int>(__umulhi(position, arguments.per_pitch));
    const int x = static_cast<int>(position) - y * arguments.pitch;
    return x < out.width && y < out.height ? (image * out.height + y) * out.width + x : -1;
  }
};

/// Bytes from one plane of weights to the next: the words of neighbouring planes lie in other banks.
template <typename Shape>
constexpr int kWeightPlane = Shape::kColumns * kWordBytes + kWordBytes;

/// The planes of all weights of a block's channels, each a word of every channel.
template <typename T, typename Shape>
__device__ void copy_weight_planes(const ConvKernelArguments& arguments, int first_channel,
                                   unsigned to) {
  const int words = arguments.words;
  const auto* weights = static_cast<const char*>(arguments.conv.weights);
  for (int i = static_cast<int>(threadIdx.x); i < words * Shape::kColumns;
       i += Shape::kBlockThreads) {
    const int column = i / words;
    const int word = i - column * words;
    const int channel = first_channel + Runs<T, Shape>::channel_of_column(column);
    const std::int64_t from = static_cast<std::int64_t>(channel) * words + word;
    copy_word_async(to + static_cast<unsigned>(word * kWeightPlane<Shape> + column * kWordBytes),
                    weights + from * kWordBytes, channel < arguments.conv.output_size.channels);
  }
}

/// The planes of the pixels that a tile reads. A thread copies one word of every few positions.
template <typename Shape>
__device__ void copy_input_planes(const WindowArguments& arguments, const WindowPixels& tile,
                                  unsigned to) {
  const ConvKernelArguments& kernel = arguments.kernel;
  const ImageSize& in = kernel.conv.input_size;
  const Window& window = kernel.conv.window;
  const int step = Shape::kBlockThreads / kernel.words_a_tap;
  const int first = static_cast<int>(threadIdx.x) / kernel.words_a_tap;
  const int word = static_cast<int>(threadIdx.x) - first * kernel.words_a_tap;
  const int bytes = min(kWordBytes, kernel.pixel_bytes - word * kWordBytes);
  const auto* image = static_cast<const char*>(kernel.conv.input.data) +
                      static_cast<std::int64_t>(tile.image) * in.height * in.width *
                          kernel.pitch_words * kWordBytes;
  const unsigned plane = to + static_cast<unsigned>(word * arguments.plane);
  int y = (tile.first + first) / arguments.pitch;
  int x = tile.first + first - y * arguments.pitch - window.pad_x;
  y -= window.pad_y;
  for (int position = first; position < arguments.positions; position += step) {
    const bool is_inside = static_cast<unsigned>(y) < static_cast<unsigned>(in.height) &&
                           static_cast<unsigned>(x) < static_cast<unsigned>(in.width);
    const int pixel = is_inside ? y * in.width + x : 0;
    copy_part_async(
        plane + static_cast<unsigned>(position * kWordBytes),
        image + static_cast<std::int64_t>(pixel * kernel.pitch_words + word) * kWordBytes,
        is_inside ? bytes : 0);
    x += step;
    while (x >= arguments.pitch - window.pad_x) {
      x -= arguments.pitch;
      ++y;
    }
  }
}

/// All products of a tile, of two words each.
template <typename T, typename Shape>
__device__ void multiply_window(const WindowArguments& arguments, unsigned input, unsigned weights,
                                Product<T, Shape>& product) {
  const Window& window = arguments.kernel.conv.window;
  const bool pairs_taps = arguments.kernel.words_a_tap == 1;
  const int pairs = pairs_taps ? 1 : arguments.kernel.words_a_tap / 2;
  const int tap_step = pairs_taps ? 2 : 1;
  const int group = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 128), 0);
  input += static_cast<unsigned>(group * Shape::kUnitRows * kWordBytes);
  product.hold();
  begin_warpgroup();
  for (int y = 0; y < window.height; ++y) {
    for (int x = 0; x < window.width; x += tap_step) {
      unsigned from = input + static_cast<unsigned>((y * arguments.pitch + x) * kWordBytes);
      for (int pair = 0; pair < pairs; ++pair) {
        product.add(from, arguments.word_pair, weights, kWeightPlane<Shape>);
        from += static_cast<unsigned>(2 * arguments.plane);
        weights += 2 * kWeightPlane<Shape>;
      }
    }
  }
  commit_warpgroup();
}

/// Block (x, y) computes the tiles x, x + gridDim.x, ... of the channels of column y.
template <typename T, typename Shape>
__global__ void __launch_bounds__(Shape::kBlockThreads, Shape::kBlocksAtOnce)
    window_kernel(const __grid_constant__ WindowArguments arguments) {
  extern __shared__ unsigned char dynamic_shared[];
  const auto start = static_cast<unsigned>(__cvta_generic_to_shared(dynamic_shared));
  const ConvKernelArguments& kernel = arguments.kernel;
  const int first_channel = static_cast<int>(blockIdx.y) * Shape::kColumns;
  const unsigned weights = start + Shape::kAffine;
  const unsigned planes =
      weights + static_cast<unsigned>(arguments.weight_planes * kWeightPlane<Shape>);
  const int buffer_bytes = kernel.words_a_tap * arguments.plane;
  const auto buffer = [&](int index) {
    return planes + static_cast<unsigned>(index % arguments.buffers * buffer_bytes);
  };
  const auto pixels_of = [&](int tile) { return WindowPixels(arguments, tile, Shape::kRows); };
  release_successor();
  copy_weight_planes<T, Shape>(kernel, first_channel, weights);
  const AffineShelf<Shape> shelf(reinterpret_cast<float*>(dynamic_shared));
  shelf.copy(kernel.epilogue.epilogue.units, first_channel, kernel.conv.output_size.channels);
  wait_for_predecessors();
  const auto step = static_cast<int>(gridDim.x);
  int tile = static_cast<int>(blockIdx.x);
  copy_input_planes<Shape>(arguments, pixels_of(tile), buffer(0));
  commit_copies();
  for (int index = 0; tile < arguments.tiles; tile += step, ++index) {
    const bool copies_ahead = arguments.buffers > 1 && tile + step < arguments.tiles;
    if (copies_ahead) {
      copy_input_planes<Shape>(arguments, pixels_of(tile + step), buffer(index + 1));
    }
    commit_copies();
    wait_for_copies<1>();
    publish_copies();
    __syncthreads();
    TileEpilogue<T, Shape, true, WindowPixels> epilogue(
        kernel.epilogue, pixels_of(tile), shelf, first_channel, kernel.conv.output_size.channels);
    epilogue.begin();
    Product<T, Shape> product;
    multiply_window<T, Shape>(arguments, buffer(index), weights, product);
    product.template wait<0>();
    __syncthreads();
    if (!copies_ahead && tile + step < arguments.tiles) {
      copy_input_planes<Shape>(arguments, pixels_of(tile + step), buffer(index + 1));
    }
    commit_copies();
    epilogue.finish(product);
  }
}

inline bool is_power_of_two(int number) { return (number & (number - 1)) == 0; }

/// What this kernel can compute: whole pairs of words, or of taps of one word.
inline bool slides(const ConvKernelArguments& kernel) {
  const Window& window = kernel.conv.window;
  const bool has_pairs =
      kernel.words_a_tap == 1 ? window.width % 2 == 0 : is_power_of_two(kernel.words_a_tap);
  return window.height * window.width > 1 && window.stride_y == 1 && window.stride_x == 1 &&
         window.dilation_y == 1 && window.dilation_x == 1 && has_pairs &&
         kernel.words_a_tap <= kStageWords * 2;
}

template <typename T, typename Shape>
cudaError_t launch_window(const ConvKernelArguments& kernel, cudaStream_t stream) {
  const ImageSize& out = kernel.conv.output_size;
  const Window& window = kernel.conv.window;
  constexpr auto kKernel = window_kernel<T, Shape>;
  if (!slides(kernel) || !is_packed<T>(kernel.conv.epilogue, out.channels, Runs<T, Shape>::kRun)) {
    return cudaErrorInvalidValue;
  }
  WindowArguments arguments;
  arguments.kernel = kernel;
  arguments.pitch = out.width + window.width - 1;
  arguments.per_pitch =
      static_cast<unsigned>(0xFFFFFFFFULL / static_cast<unsigned>(arguments.pitch)) + 1;
  const int last = (out.height - 1) * arguments.pitch + out.width;  // positions of an image
  if (last > 1 << 16) return cudaErrorInvalidValue;                 // or per_pitch is too coarse
  arguments.image_tiles = (last + Shape::kRows - 1) / Shape::kRows;
  arguments.tiles = arguments.image_tiles * out.images;
  arguments.positions = Shape::kRows + (window.height - 1) * arguments.pitch + window.width - 1;
  const int lines = (arguments.positions * kWordBytes + kStageBytes - 1) / kStageBytes;
  arguments.plane = lines * kStageBytes + kWordBytes;  // neighbouring planes lie in other banks
  arguments.weight_planes = kernel.words;
  arguments.word_pair = kernel.words_a_tap == 1 ? kWordBytes : arguments.plane;
  // Beyond the last positions nothing is read, but for pairs of taps, whose planes overlap,
  // compute-sanitizer takes a product's two words for planes behind each other.
  const int rest = kernel.words_a_tap == 1 ? 63 * kWordBytes : 0;
  const int fixed = Shape::kAffine + kernel.words * kWeightPlane<Shape> + rest;
  const int buffer = kernel.words_a_tap * arguments.plane;
  const int share = shared_bytes_at_most() / Shape::kBlocksAtOnce - 1024;
  const int room = fixed + buffer <= share ? share : shared_bytes_at_most();
  arguments.buffers = fixed + 2 * buffer <= room ? 2 : 1;
  const int shared = fixed + arguments.buffers * buffer;
  if (shared > shared_bytes_at_most()) return cudaErrorInvalidValue;
  const cudaError_t allowed =
      cudaFuncSetAttribute(kKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
  if (allowed != cudaSuccess) return allowed;
  const int columns = (out.channels + Shape::kColumns - 1) / Shape::kColumns;
  const int blocks = std::max(multiprocessors() * Shape::kBlocksAtOnce / columns, 1);
  const dim3 grid(static_cast<unsigned>(std::min(arguments.tiles, blocks)),
                  static_cast<unsigned>(columns));
  return launch(kKernel, grid, Shape::kBlockThreads, static_cast<std::size_t>(shared), 1, stream,
                arguments);
}

}  // namespace chexnet_trt::cuda
