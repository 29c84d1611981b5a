#include "backends/cuda/kernels/conv.cuh"

namespace chexnet_trt::cuda {

cudaError_t launch_conv_float(const ConvKernelArguments& arguments, const ConvTile& tile,
                              cudaStream_t stream) {
  return launch_shape<float>(arguments, tile, stream);
}

}  // namespace chexnet_trt::cuda
