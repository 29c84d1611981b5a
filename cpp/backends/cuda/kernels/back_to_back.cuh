#pragma once

#include "backends/cuda/kernels/launch.cuh"
#include "backends/cuda/kernels/shared_barrier.cuh"
#include "backends/cuda/kernels/tile_epilogue.cuh"

// Two pointwise convolutions in one kernel, as CUTLASS's "back-to-back" products: what the first one's
// epilogue computes goes from registers straight into the second one's product, so that a wide value
// between two narrow ones is not read again, and not written where nobody else reads it. The middle is
// taken kMiddleChannels at a time. The sums of a thread are dealt just so that they are the fragment
// of rows that wgmma takes from registers; the image of the weights (back_to_back.hpp) is permuted to
// match, and bulk copies keep a ring of slots filled with its parts. Each warpgroup computes 64 pixels
// of a tile on its own.

namespace chexnet_trt::cuda {

template <typename T, int Groups_, int Columns_>
struct BackToBackShape {
  static constexpr int kGroups = Groups_;    ///< warpgroups
  static constexpr int kColumns = Columns_;  ///< channels of the second convolution
  static constexpr int kRows = 64 * kGroups;
  using First = Tile<Unit::kWarpgroup, kRows, kMiddleChannels, 64, kMiddleChannels, 1, 1>;
  using Second = Tile<Unit::kWarpgroup, kRows, kColumns, 64, kColumns, 1, 1>;
  static constexpr int kThreads = 128 * kGroups;
  static constexpr int kMiddleWords = kMiddleChannels * static_cast<int>(sizeof(T)) / kWordBytes;
  static constexpr int kSecondBytes = kMiddleWords * kColumns * kWordBytes;  ///< of a slot
};

/// What is the same for all blocks of a launch.
struct BackToBackKernelArguments {
  ConvKernelArguments first;
  ConvKernelArguments second;
  const void* image = nullptr;
  bool stores_middle = false;
  int chunks = 0;      ///< of the middle
  int slots = 0;       ///< as many as chunks: each is filled just once
  int slot_bytes = 0;  ///< the chunk's part of the image
  int tiles = 0;
};

/// Where things lie in shared memory: the input of the warpgroups, the slots, barriers, the scales and
/// shifts of both convolutions.
template <typename Shape>
struct BackToBackMemory {
  int strip;  ///< bytes of 64 pixels of the input
  int slots;
  int barriers;
  int units;  ///< of the first convolution, as DeviceEpilogue has them
  int shelf;
  int end;

  __host__ __device__ explicit BackToBackMemory(const BackToBackKernelArguments& arguments) {
    strip = (arguments.first.words + kStageWords - 1) / kStageWords * 64 * kStageBytes;
    slots = Shape::kGroups * strip;
    barriers = slots + arguments.slots * arguments.slot_bytes;
    units = barriers + arguments.slots * kWordBytes;
    shelf = units + arguments.chunks * kMiddleChannels * kWordBytes;
    end = shelf + Shape::Second::kAffine;
  }
};

/// The slots as a warp sees them, one turn after the other: chunk after chunk, tile after tile.
class SlotRing {
 public:
  __device__ SlotRing(const BackToBackKernelArguments& arguments, unsigned slots, unsigned barriers)
      : arguments_(arguments), slots_(slots), barriers_(barriers) {}

  /// By one thread, before __syncthreads; begins to fill all slots.
  __device__ void init(int warps) {
    for (int slot = 0; slot < arguments_.slots; ++slot) {
      init_barrier(full(slot), 1);
      init_barrier(empty(slot), warps);
    }
    publish_barriers();
    for (int slot = 0; slot < arguments_.slots; ++slot) fill(slot, slot);
  }
  /// Until this turn's slot is full; its address.
  __device__ unsigned wait() const {
    wait_for_phase(full(slot_), keeps_all() ? 0 : parity_);
    return address(slot_);
  }
  /// By one thread: once all warps have done with the slot of the turn before, it is filled with the
  /// chunk that it is to hold next, of which there are `turns_left` from this turn on.
  __device__ void refill(int chunk, int turns_left) const {
    if (keeps_all() || turns_left < arguments_.slots) return;
    const bool is_first = slot_ == 0;
    const int slot = (is_first ? arguments_.slots : slot_) - 1;
    wait_for_phase(empty(slot), is_first ? parity_ ^ 1 : parity_);
    fill(slot, (chunk + arguments_.slots - 1) % arguments_.chunks);
  }
  /// This warp has done with the slot; on to the next turn.
  __device__ void release() {
    __syncwarp();
    if (threadIdx.x % 32 == 0) arrive(empty(slot_));
    if (++slot_ < arguments_.slots) return;
    slot_ = 0;
    parity_ ^= 1;
  }

 private:
  __device__ bool keeps_all() const { return arguments_.slots == arguments_.chunks; }
  __device__ void fill(int slot, int chunk) const {
    copy_bulk(address(slot),
              static_cast<const char*>(arguments_.image) +
                  static_cast<std::int64_t>(chunk) * arguments_.slot_bytes,
              arguments_.slot_bytes, full(slot));
  }
  __device__ unsigned address(int slot) const {
    return slots_ + static_cast<unsigned>(slot * arguments_.slot_bytes);
  }
  __device__ unsigned full(int slot) const { return barriers_ + static_cast<unsigned>(slot * 16); }
  __device__ unsigned empty(int slot) const { return full(slot) + 8; }

  const BackToBackKernelArguments& arguments_;
  unsigned slots_;
  unsigned barriers_;
  int slot_ = 0;
  unsigned parity_ = 0;
};

/// Begins to copy the scales and shifts of all channels of the middle.
template <typename Shape>
__device__ inline void copy_units(const BackToBackKernelArguments& arguments, unsigned to) {
  const auto* units = reinterpret_cast<const float4*>(arguments.first.epilogue.epilogue.units);
  for (int i = static_cast<int>(threadIdx.x); i < arguments.chunks * kMiddleChannels;
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

/// A chunk of the middle from its sums: stored as the first convolution's epilogue asks, and left as
/// fragments.
template <typename T, typename Shape>
class MiddleEpilogue {
  using Tile = typename Shape::First;
  using Deal = Runs<T, Tile>;
  using Run = RunOf<T, Deal::kRun>;

 public:
  using Fragments = unsigned[Shape::kMiddleWords / 2][4];

  /// `units`: of all channels.
  __device__ MiddleEpilogue(const BackToBackKernelArguments& arguments, const float* units)
      : packed_(arguments.first.epilogue),
        stores_middle_(arguments.stores_middle),
        units_(units),
        channels_(arguments.chunks * kMiddleChannels) {}

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
