#include "backends/cuda/kernels/conv.cuh"

namespace chexnet_trt::cuda {

cudaError_t launch_conv_bfloat16(const ConvKernelArguments& arguments, const ConvTile& tile,
                                 cudaStream_t stream) {
  return launch_shape<__nv_bfloat16>(arguments, tile, stream);
}

}  // namespace chexnet_trt::cuda
