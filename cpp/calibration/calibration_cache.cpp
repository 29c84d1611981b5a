#include "calibration/calibration_cache.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/mapped_file.hpp"
#include "common/utf8.hpp"

namespace chexnet_trt {
namespace {

constexpr double kLevels = 127;
constexpr float kSmallestScale = std::numeric_limits<float>::min();
constexpr float kLargestScale = std::numeric_limits<float>::max() / 127;
constexpr std::size_t kLargestFile = std::size_t{64} << 20U;
constexpr std::string_view kHeaderStart = "TRT-";
constexpr std::string_view kHexDigits = "0123456789abcdef";

// The fields of the provenance as they stand in a table, in order.
using Fields = std::vector<std::pair<std::string, std::string>>;

Fields fields_of(const Provenance& provenance) {
  return {{"network_sha256", provenance.network_sha256},
          {"images_sha256", provenance.images_sha256},
          {"image_count", std::to_string(provenance.image_count)},
          {"preprocessing_sha256", provenance.preprocessing_sha256},
          {"algorithm", provenance.algorithm},
          {"calibrator_version", std::to_string(provenance.calibrator_version)},
          {"sample_limit", std::to_string(provenance.sample_limit)}};
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Raises InputError when a field is not of its kind.
void check(const Provenance& provenance) {
  const auto require = [](bool good, const char* field, const char* kind) {
    if (!good) throw InputError(std::string("the provenance's ") + field + " is not " + kind);
  };
  require(is_sha256(provenance.network_sha256), "network_sha256", "a sha256");
  require(is_sha256(provenance.images_sha256), "images_sha256", "a sha256");
  require(provenance.image_count > 0, "image_count", "a positive number");
  require(is_sha256(provenance.preprocessing_sha256), "preprocessing_sha256", "a sha256");
  const std::string& algorithm = provenance.algorithm;
  require(!algorithm.empty() && is_printable(algorithm) && algorithm.find(':') == std::string::npos,
          "algorithm", "a name");
  require(provenance.calibrator_version > 0, "calibrator_version", "a positive number");
  require(provenance.sample_limit >= 0, "sample_limit", "a number");
}

/// -1 for what is no number.
std::int64_t count_from(const std::string& text) {
  std::int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, count);
  return result.ec == std::errc() && result.ptr == end ? count : -1;
}

/// Raises InputError when one is missing, unknown or not of its kind.
Provenance provenance_from(std::map<std::string, std::string> fields) {
  const auto take = [&](const char* field) {
    auto node = fields.extract(field);
    if (node.empty())
      throw InputError("the provenance lacks #" + std::string(field) + "; calibrate again");
    return std::move(node.mapped());
  };
  Provenance result;
  result.network_sha256 = take("network_sha256");
  result.images_sha256 = take("images_sha256");
  result.image_count = count_from(take("image_count"));
  result.preprocessing_sha256 = take("preprocessing_sha256");
  result.algorithm = take("algorithm");
  result.calibrator_version = count_from(take("calibrator_version"));
  result.sample_limit = count_from(take("sample_limit"));
  if (!fields.empty()) {
    throw InputError("the provenance has fields that this release does not know; calibrate again");
  }
  check(result);
  return result;
}

float scale_of(double amax) { return static_cast<float>(amax / kLevels); }

bool is_usable(float scale) { return scale >= kSmallestScale && scale <= kLargestScale; }

std::uint32_t bits_of(float scale) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &scale, sizeof(bits));
  return bits;
}

float scale_from_bits(std::uint32_t bits) {
  float scale = 0;
  std::memcpy(&scale, &bits, sizeof(scale));
  return scale;
}

std::string entry(const std::string& name, float scale) {
  std::string digits;
  for (int shift = 28; shift >= 0; shift -= 4) {
    digits += kHexDigits[(bits_of(scale) >> static_cast<unsigned>(shift)) & 0xfU];
  }
  return name + ": " + digits + "\n";
}

void check_range(const std::string& name, double amax) {
  if (name.empty() || name.find('\n') != std::string::npos || !is_utf8(name)) {
    throw InputError("a calibration table cannot hold a value whose name is no line of text");
  }
  if (!is_usable(scale_of(amax))) {
    throw InputError("the dynamic range of '" + name + "' is not a positive, finite float32");
  }
}

/// Reads a table line by line; its errors carry no line number yet.
class TableParser {
 public:
  void line(std::string_view text) {
    if (table_.header.empty()) return header(text);
    const std::size_t colon = text.rfind(": ");
    if (colon == std::string_view::npos || colon == 0) {
      throw InputError("no 'name: scale' with the scale in hexadecimal");
    }
    const std::string name(text.substr(0, colon));
    const float scale = scale_from(text.substr(colon + 2));
    if (scale == 0) return without_range(name);
    if (!table_.ranges.emplace(name, scale * kLevels).second) {
      throw InputError("the value of this line has a scale already");
    }
  }

  CalibrationTable finish() {
    if (table_.header.empty()) throw InputError("it is empty; calibrate again");
    if (table_.ranges.empty()) throw InputError("it holds no scale; calibrate again");
    if (!fields_.empty()) table_.provenance = provenance_from(std::move(fields_));
    return std::move(table_);
  }

 private:
  void header(std::string_view text) {
    if (text.substr(0, kHeaderStart.size()) != kHeaderStart || !is_printable(text)) {
      throw InputError(
          "no header like 'TRT-8601-EntropyCalibration2'; name a calibration table of TensorRT's "
          "format");
    }
    table_.header = text;
  }

  static float scale_from(std::string_view digits) {
    std::uint32_t bits = 0;
    const char* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, bits, 16);
    const bool is_number = result.ec == std::errc() && result.ptr == end;
    // Fewer digits of a scale are those of a file that was cut.
    if (!is_number || digits.size() > 8 || (bits != 0 && digits.size() < 8)) {
      throw InputError("the scale is not 8 hexadecimal digits");
    }
    const float scale = scale_from_bits(bits);
    if (bits != 0 && !is_usable(scale)) {
      throw InputError("the scale is negative, not finite or out of range");
    }
    return scale;
  }

  void without_range(const std::string& name) {
    const std::size_t equals = name.find('=');
    if (name.front() != '#' || equals == std::string::npos) return;
    if (!fields_.emplace(name.substr(1, equals - 1), name.substr(equals + 1)).second) {
      throw InputError("the provenance has this field already");
    }
  }

  CalibrationTable table_;
  std::map<std::string, std::string> fields_;
};

std::string_view without_return(std::string_view line) {
  return !line.empty() && line.back() == '\r' ? line.substr(0, line.size() - 1) : line;
}

}  // namespace

std::string mismatch(const Provenance& wanted, const Provenance& found) {
  const Fields ours = fields_of(wanted);
  const Fields theirs = fields_of(found);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].second == theirs[i].second) continue;
    return ours[i].first + " is " + theirs[i].second + " in the table and " + ours[i].second +
           " here";
  }
  return "";
}

std::string table_header(CalibrationAlgorithm algorithm, int tensorrt_version) {
  const bool is_entropy = algorithm == CalibrationAlgorithm::kEntropy;
  return std::string(kHeaderStart) + std::to_string(tensorrt_version) +
         (is_entropy ? "-EntropyCalibration2" : "-MinMaxCalibration");
}

double storable_amax(double amax) { return scale_of(amax) * kLevels; }

std::string to_text(const CalibrationTable& table) {
  if (table.header.rfind(kHeaderStart, 0) != 0 || !is_printable(table.header)) {
    throw InputError("the header of a calibration table starts with 'TRT-'");
  }
  std::string text = table.header + "\n";
  if (table.provenance) {
    check(*table.provenance);
    for (const auto& [field, value] : fields_of(*table.provenance)) {
      text += '#';
      text += field;
      text += entry("=" + value, 0);
    }
  }
  for (const auto& [name, amax] : table.ranges) {
    check_range(name, amax);
    text += entry(name, scale_of(amax));
  }
  return text;
}

CalibrationTable table_from_text(std::string_view text) {
  if (!is_utf8(text)) throw InputError("it is not UTF-8 text");
  TableParser parser;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_return(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    try {
      parser.line(line);
    } catch (const InputError& error) {
      throw InputError("line " + std::to_string(number) + ": " + error.what());
    }
  }
  return parser.finish();
}

CalibrationTable read_calibration_table(const std::string& path) {
  const auto file = MappedFile::open(path);
  try {
    if (file->bytes().size > kLargestFile) throw InputError("it is larger than 64 MiB");
    return table_from_text(file->bytes().text());
  } catch (const InputError& error) {
    throw InputError("cannot read the calibration table '" + path + "': " + error.what());
  }
}

void write_calibration_table(const std::string& path, const CalibrationTable& table) {
  const std::string text = to_text(table);
  AtomicFile file(path);
  file.write(ByteView(std::string_view(text)));
  file.commit();
}

}  // namespace chexnet_trt
