#pragma once

#include <string>

#include "backends/backend.hpp"

// A text file of kernel times, for several devices (Backend::fingerprint):
//   chexnet_trt timing cache 1
//   checksum (XXH64 of all that follows, 16 hexadecimal digits)
//   device FINGERPRINT
//   MILLISECONDS <tab> KERNEL <tab> LAYER      (of that device, a line each)

namespace chexnet_trt {

/// Lets `backend` use the times of its device in the file `path`; there may be none. A damaged file
/// is left alone with a warning. Raises InputError when the file is something else, which is not to
/// be written over, and when the backend times no kernels here.
void load_timings(const std::string& path, Backend& backend);

/// Writes the file anew: what it has, with the times of `backend`. Raises InputError.
void save_timings(const std::string& path, Backend& backend);

}  // namespace chexnet_trt
