#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "calibration/algorithm.hpp"
#include "graph/dynamic_range.hpp"

namespace chexnet_trt {

/// What a table was made from. A table serves only a build with the same.
struct Provenance {
  std::string network_sha256;  // each: 64 lower-case hexadecimal digits
  std::string images_sha256;
  std::int64_t image_count = 0;
  std::string preprocessing_sha256;
  std::string algorithm;  // to_string(CalibrationMethod)
  std::int64_t calibrator_version = 0;
  std::int64_t sample_limit = 0;  // numbers of a value that an image counts with; 0: all
};

/// "" when `found` is as `wanted`, else the first field that differs with both values, in words.
std::string mismatch(const Provenance& wanted, const Provenance& found);

/// TensorRT's calibration cache, a text:
///     TRT-8601-EntropyCalibration2        the version of TensorRT and its calibrator
///     input_tensor: 3caa1fe1              amax / 127, the bits of a float32 in hexadecimal
/// A name may hold ": "; the last one on a line counts. An entry of 0 carries no range. The
/// provenance is in entries of 0 too, which other readers take for values of another network:
///     #image_count=500: 00000000
/// Readers, as far as is known: TensorRT takes a table only if the header names its own release and
/// the calibrator in use (trtexec's is EntropyCalibration2), whatever made the numbers: edit the
/// header to move a table. ONNX Runtime's TensorRT provider asks for "TRT-" alone, and cuts a
/// line at its first ':', so it loses names that hold one.
struct CalibrationTable {
  std::string header;
  DynamicRanges ranges;
  /// Absent from a table that another tool wrote.
  std::optional<Provenance> provenance;
};

/// 8.6.1, the last TensorRT that reads UFF.
inline constexpr int kTensorRtVersion = 8601;

/// "TRT-<version>-EntropyCalibration2", or "...-MinMaxCalibration" for minmax and, as TensorRT has
/// no calibrator of that name, for percentile.
std::string table_header(CalibrationAlgorithm algorithm, int tensorrt_version = kTensorRtVersion);

/// `amax` after a way through a table: the nearest 127 * (a float32).
double storable_amax(double amax);

/// Raises InputError when a name, a range or the provenance cannot be written.
std::string to_text(const CalibrationTable& table);

/// Raises InputError with the line when `text` is no such table: no header, a line without a scale,
/// one that is negative, not finite or too small for a normal float, a value twice, a provenance
/// that lacks a field, no entry at all.
CalibrationTable table_from_text(std::string_view text);

/// Files; InputError names the path. Reading refuses more than 64 MiB, writing is atomic.
CalibrationTable read_calibration_table(const std::string& path);
void write_calibration_table(const std::string& path, const CalibrationTable& table);

}  // namespace chexnet_trt
