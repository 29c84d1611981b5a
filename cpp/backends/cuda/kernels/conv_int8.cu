#include "backends/cuda/kernels/conv.cuh"

namespace chexnet_trt::cuda {

cudaError_t launch_conv_int8(const ConvKernelArguments& arguments, const ConvTile& tile,
                             cudaStream_t stream) {
  return launch_shape<signed char>(arguments, tile, stream);
}

}  // namespace chexnet_trt::cuda
