#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "calibration/calibration_cache.hpp"
#include "common/byte_view.hpp"
#include "common/error.hpp"

/// Anything but InputError and a table that survives the way through its text is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chexnet_trt::CalibrationTable table;
  try {
    table = chexnet_trt::table_from_text(chexnet_trt::ByteView(data, size).text());
  } catch (const chexnet_trt::InputError&) {
    return 0;
  }
  const std::string text = chexnet_trt::to_text(table);
  const chexnet_trt::CalibrationTable again = chexnet_trt::table_from_text(text);
  if (chexnet_trt::to_text(again) != text || again.ranges != table.ranges) std::abort();
  return 0;
}
