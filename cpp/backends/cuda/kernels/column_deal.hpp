#pragma once

#include <cuda_runtime_api.h>

// Which channel each column of a matrix product stands for. Of every 8 columns the matrix
// instructions leave a thread 2 * (lane % 4) and the next; dealt like this, it holds runs of
// consecutive channels, and four neighbours four such runs.

namespace chexnet_trt::cuda {

/// Channels of a run: 16 bytes of them where a unit has as many columns.
constexpr int run_length(int element_bytes, int unit_columns) {
  return 16 / element_bytes < unit_columns / 4 ? 16 / element_bytes : unit_columns / 4;
}

__host__ __device__ constexpr int dealt_channel(int column, int unit_columns, int run) {
  const int in_unit = column % unit_columns;
  const int group = in_unit / 8;
  const int groups = run / 2;  // in which a run lies
  return column - in_unit + group / groups * 4 * run + in_unit % 8 / 2 * run + group % groups * 2 +
         in_unit % 2;
}

}  // namespace chexnet_trt::cuda
