#pragma once

#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/middle_epilogue.cuh"
#include "backends/cuda/kernels/slot_ring.cuh"

// Two pointwise convolutions in one kernel, as CUTLASS's "back-to-back" products: what the first one's
// epilogue computes goes from registers straight into the second one's product, so that a wide value
// between two narrow ones is not read again, and not written where nobody else reads it. The middle is
// taken kMiddleChannels at a time. The sums of a thread are dealt just so that they are the fragment
// of rows that wgmma takes from registers; the image of the weights (back_to_back.hpp) is permuted to
// match, and bulk copies keep a ring of slots filled with its parts. Each warpgroup computes 64 pixels
// of a tile on its own.

namespace chexnet_trt::cuda {

/// Begins to copy the scales and shifts of all channels of the middle.
template <typename Shape>
__device__ inline void copy_units(const BackToBackKernelArguments& arguments, unsigned to) {
  const auto* units = reinterpret_cast<const float4*>(arguments.first.epilogue.epilogue.units);
  for (int i = static_cast<int>(threadIdx.x); i < arguments.middle_channels();
       i += Shape::kThreads) {
    copy_word_async(to + static_cast<unsigned>(i * kWordBytes), units + i, true);
  }
}

/// Begins to copy the words of the 64 pixels of this warpgroup, as Tile's rows lie.
__device__ inline void copy_strip(const ConvKernelArguments& conv, int first_pixel, unsigned to) {
  constexpr int kStep = 128 / kStageWords;
  const auto thread = static_cast<int>(threadIdx.x % 128);
  const int row = thread / kStageWords;
  const int slot = thread % kStageWords;
  const auto* input = static_cast<const char*>(conv.conv.input.data);
  for (int word = slot; word < conv.words; word += kStageWords, to += 64 * kStageBytes) {
#pragma unroll
    for (int i = 0; i < 64; i += kStep) {
      const int pixel = first_pixel + row + i;
      copy_word_async(
          word_address(to, row + i, slot),
          input + static_cast<std::int64_t>(pixel * conv.pitch_words + word) * kWordBytes,
          pixel < conv.pixels);
    }
  }
}

template <typename Fragments>
__device__ inline void hold_fragments(Fragments& fragments) {
#pragma unroll
  for (auto& fragment : fragments) {
#pragma unroll
    for (unsigned& word : fragment) asm volatile("" : "+r"(word)::"memory");
  }
}

/// The first product of a chunk: `words` of every pixel by those of kMiddleChannels channels, planes
/// from `weights` on.
template <typename T, typename Shape>
__device__ inline void multiply_first(unsigned strip, unsigned weights, int words,
                                      Product<T, typename Shape::First>& product) {
  constexpr int kPlane = kMiddleChannels * kWordBytes;
  product.hold();
  begin_warpgroup();
  for (int word = 0; word < words; word += 2) {
    const int rows = word / kStageWords * 64 * kStageBytes + word % kStageWords * kWordBytes;
    product.add(matrix_descriptor(strip + static_cast<unsigned>(rows)),
                plane_descriptor(weights + static_cast<unsigned>(word * kPlane), kPlane), word > 0);
  }
  commit_warpgroup();
}

template <typename T, typename Shape>
__device__ inline void multiply_second(
    const typename MiddleEpilogue<T, Shape>::Fragments& fragments, unsigned weights, bool adds,
    Product<T, typename Shape::Second>& sums) {
  constexpr int kPlane = Shape::kColumns * kWordBytes;
  sums.hold();
  begin_warpgroup();
#pragma unroll
  for (int step = 0; step < Shape::kMiddleWords / 2; ++step) {
    sums.add(fragments[step],
             plane_descriptor(weights + static_cast<unsigned>(step * 2 * kPlane), kPlane),
             adds || step > 0);
  }
  commit_warpgroup();
}

/// The tiles of one warpgroup.
template <typename T, typename Shape>
__device__ inline void compute_tiles(const BackToBackKernelArguments& arguments,
                                     unsigned char* shared, SlotRing ring) {
  using First = typename Shape::First;
  using Second = typename Shape::Second;
  const BackToBackMemory<Shape> memory(arguments);
  const auto base = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const int group = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 128), 0);
  const unsigned strip = base + static_cast<unsigned>(group * memory.strip);
  const int first_bytes = arguments.first.words * kMiddleChannels * kWordBytes;
  const int pixels = arguments.first.pixels;
  const auto step = static_cast<int>(gridDim.x);
  auto tile = static_cast<int>(blockIdx.x);
  const auto copy = [&](int which) {
    copy_strip(arguments.first, which * Shape::kRows + group * 64, strip);
    commit_copies();
  };
  const AffineShelf<Second> shelf(reinterpret_cast<float*>(shared + memory.shelf));
  shelf.copy(arguments.second.epilogue.epilogue.units, 0, Shape::kColumns);
  copy_units<Shape>(arguments, base + static_cast<unsigned>(memory.units));
  wait_for_predecessors();
  copy(tile);
  MiddleEpilogue<T, Shape> middle(arguments, reinterpret_cast<const float*>(shared + memory.units));
  middle.begin({tile * Shape::kRows, pixels});
  middle.read_residuals(0);
  wait_for_copies<0>();
  synchronise(1, Shape::kThreads);
  Product<T, First> product;
  Product<T, Second> sums;
  typename MiddleEpilogue<T, Shape>::Fragments fragments = {};
  const int all_turns = (arguments.tiles - tile + step - 1) / step * arguments.chunks;
  int turns_left = all_turns;
  for (; tile < arguments.tiles; tile += step) {
    const int next = tile + step;
    wait_for_copies<0>();
    publish_copies();
    synchronise(2 + group, 128);
    for (int chunk = 0; chunk < arguments.chunks; ++chunk) {
      const bool is_last = chunk + 1 == arguments.chunks;
      const unsigned slot = ring.wait();
      multiply_first<T, Shape>(strip, slot, arguments.first.words, product);
      if (threadIdx.x == 0 && turns_left < all_turns) ring.refill(chunk, turns_left);
      __syncwarp();
      product.template wait<0>();
      if (is_last && next < arguments.tiles) {
        synchronise(2 + group, 128);
        copy(next);
      }
      middle.finish(product, chunk * kMiddleChannels, fragments);
      if (!is_last) {
        middle.read_residuals((chunk + 1) * kMiddleChannels);
      } else if (next < arguments.tiles) {
        middle.begin({next * Shape::kRows, pixels});
        middle.read_residuals(0);
      }
      multiply_second<T, Shape>(fragments, slot + static_cast<unsigned>(first_bytes), chunk > 0,
                                sums);
      sums.template wait<0>();
      hold_fragments(fragments);
      ring.release();
      --turns_left;
    }
    TileEpilogue<T, Second, true>(arguments.second.epilogue, {tile * Shape::kRows, pixels}, shelf,
                                  0, Shape::kColumns)
        .finish(sums);
  }
}

template <typename T, typename Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    back_to_back_kernel(const __grid_constant__ BackToBackKernelArguments arguments) {
#if defined(CHEXNET_TRT_HAS_WGMMA)
  extern __shared__ unsigned char dynamic_shared[];
  const auto unaligned = static_cast<unsigned>(__cvta_generic_to_shared(dynamic_shared));
  const unsigned base = (unaligned + kRingAlignment - 1) / kRingAlignment * kRingAlignment;
  const BackToBackMemory<Shape> memory(arguments);
  SlotRing ring(arguments, base + static_cast<unsigned>(memory.slots),
                base + static_cast<unsigned>(memory.barriers));
  release_successor();
  if (threadIdx.x == 0) ring.init(Shape::kThreads / 32);
  __syncthreads();
  compute_tiles<T, Shape>(arguments, dynamic_shared + (base - unaligned), ring);
#endif
}

template <typename T, typename Shape>
cudaError_t launch_back_to_back_shape(BackToBackKernelArguments arguments, cudaStream_t stream) {
  constexpr auto kKernel = back_to_back_kernel<T, Shape>;
  const int middle = arguments.first.conv.output_size.channels;
  const auto fits = [](const ConvKernelArguments& conv, int run) {
    return is_packed<T>(conv.conv.epilogue, conv.conv.output_size.channels, run);
  };
  if (!fits(arguments.first, Runs<T, typename Shape::First>::kRun) ||
      !fits(arguments.second, Runs<T, typename Shape::Second>::kRun)) {
    return cudaErrorInvalidValue;
  }
  arguments.chunks = middle / kMiddleChannels;
  arguments.slot_bytes = arguments.first.words * kMiddleChannels * kWordBytes + Shape::kSecondBytes;
  const int room = shared_bytes_at_most() - static_cast<int>(kRingAlignment) -
                   BackToBackMemory<Shape>(arguments).end;
  arguments.slots = std::min(arguments.chunks, room / (arguments.slot_bytes + kWordBytes));
  if (arguments.slots < std::min(2, arguments.chunks)) return cudaErrorInvalidValue;
  arguments.tiles = (arguments.first.pixels + Shape::kRows - 1) / Shape::kRows;
  const int shared = BackToBackMemory<Shape>(arguments).end + static_cast<int>(kRingAlignment);
  static const cudaError_t configured = cudaFuncSetAttribute(
      kKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes_at_most());
  if (configured != cudaSuccess) return configured;
  const dim3 grid(static_cast<unsigned>(std::min(arguments.tiles, multiprocessors())));
  return launch(kKernel, grid, Shape::kThreads, static_cast<std::size_t>(shared), 1, stream,
                arguments);
}

}  // namespace chexnet_trt::cuda
