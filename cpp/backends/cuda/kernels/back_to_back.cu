#include "backends/cuda/kernels/back_to_back.cuh"

namespace chexnet_trt::cuda {
namespace {

/// As many warpgroups as the registers for `Columns` sums of a row allow.
template <typename T, int Columns>
cudaError_t launch_rows(const BackToBackKernelArguments& arguments, int rows, cudaStream_t stream) {
  if constexpr (Columns >= 128) {
    if (rows == 128) {
      return launch_back_to_back_shape<T, BackToBackShape<T, 2, Columns>>(arguments, stream);
    }
  }
  if constexpr (Columns <= 128) {
    if (rows == 192) {
      return launch_back_to_back_shape<T, BackToBackShape<T, 3, Columns>>(arguments, stream);
    }
  }
  if constexpr (Columns <= 64) {
    if (rows == 256) {
      return launch_back_to_back_shape<T, BackToBackShape<T, 4, Columns>>(arguments, stream);
    }
  }
  return cudaErrorInvalidValue;
}

template <typename T>
cudaError_t launch_columns(const BackToBackKernelArguments& arguments, int rows,
                           cudaStream_t stream) {
  switch (arguments.second.conv.output_size.channels) {
    case 64: return launch_rows<T, 64>(arguments, rows, stream);
    case 128: return launch_rows<T, 128>(arguments, rows, stream);
    case 256: return launch_rows<T, 256>(arguments, rows, stream);
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace

cudaError_t launch_back_to_back(const BackToBackArguments& arguments, const ConvTile& tile,
                                cudaStream_t stream) {
  if (!has_warpgroups()) return cudaErrorInvalidDeviceFunction;
  BackToBackKernelArguments kernel;
  kernel.first = ConvKernelArguments(arguments.first);
  kernel.second = ConvKernelArguments(arguments.second);
  kernel.image = arguments.image;
  kernel.stores_middle = arguments.stores_middle;
  switch (arguments.first.input.element) {
    case ElementType::kFloat16: return launch_columns<__half>(kernel, tile.rows, stream);
    case ElementType::kBFloat16: return launch_columns<__nv_bfloat16>(kernel, tile.rows, stream);
    case ElementType::kInt8: return launch_columns<signed char>(kernel, tile.rows, stream);
    case ElementType::kUInt8: return launch_columns<unsigned char>(kernel, tile.rows, stream);
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace chexnet_trt::cuda
