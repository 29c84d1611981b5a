#include "backends/cuda/kernels/conv.cuh"

namespace chexnet_trt::cuda {

cudaError_t launch_conv_half(const ConvKernelArguments& arguments, const ConvTile& tile,
                             cudaStream_t stream) {
  return launch_shape<__half>(arguments, tile, stream);
}

}  // namespace chexnet_trt::cuda
