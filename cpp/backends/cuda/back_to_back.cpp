#include "backends/cuda/back_to_back.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "backends/cuda/conv_weights.hpp"
#include "backends/cuda/kernels/column_deal.hpp"
#include "backends/cuda/kernels/kernels.hpp"

namespace chexnet_trt::cuda {
namespace {

constexpr std::size_t kWord = 16;
constexpr std::size_t kPiece = 4;  ///< bytes that a thread holds next to each other of a fragment

const Value& value_at(const Program& program, int value) {
  return program.values.at(static_cast<std::size_t>(value));
}

/// Of the second convolution; each is a kernel of its own.
bool has_kernel(std::int64_t channels) {
  return channels == 64 || channels == 128 || channels == 256;
}

bool can_join(const Program& program, const Step& first, const Step& second) {
  const auto* wide = std::get_if<ConvStep>(&first.kind);
  const auto* narrow = std::get_if<ConvStep>(&second.kind);
  if (wide == nullptr || narrow == nullptr || narrow->input != middle_of(first)) return false;
  const Value& input = value_at(program, wide->input);
  const Value& middle = value_at(program, narrow->input);
  const auto width = static_cast<std::int64_t>(size_of(input.element));
  return is_pointwise(program, first) && is_pointwise(program, second) && !wide->prologue &&
         !narrow->prologue && second.epilogue.residual < 0 && second.epilogue.second < 0 &&
         input.element == middle.element && input.element != ElementType::kFloat32 &&
         middle.channels % kMiddleChannels == 0 &&
         input.channels * width % (2 * static_cast<std::int64_t>(kWord)) == 0 &&
         has_kernel(value_at(program, second.epilogue.output).channels);
}

bool is_read_by_others(const Program& program, int value, std::size_t reader) {
  const Value& own = value_at(program, value);
  if (own.parent >= 0 || own.binding >= 0) return true;  // within another value, or an output
  const auto lies_in_it = [&](int read) { return place_of(program, read).owner == value; };
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    const std::vector<int> reads = reads_of(program.steps[step]);
    if (step != reader && std::any_of(reads.begin(), reads.end(), lies_in_it)) return true;
  }
  return false;
}

/// Words from `rows` of equal length, gathered one after the other.
class WordRows {
 public:
  WordRows(std::vector<std::byte> bytes, std::int64_t rows)
      : bytes_(std::move(bytes)), row_bytes_(bytes_.size() / static_cast<std::size_t>(rows)) {}

  std::size_t words() const { return row_bytes_ / kWord; }
  const std::byte* word(std::int64_t row, std::size_t word) const {
    return bytes_.data() + static_cast<std::size_t>(row) * row_bytes_ + word * kWord;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t row_bytes_;
};

WordRows weights_of(const Program& program, const Step& step) {
  const auto& conv = std::get<ConvStep>(step.kind);
  const ElementType element = value_at(program, conv.input).element;
  return {packed_weights(conv.weights, weight_element(element)), conv.weights.shape()[0]};
}

class Image {
 public:
  explicit Image(int element_bytes) : element_bytes_(element_bytes) {}

  /// All words of the rows `first_row` on, dealt among `columns`, plane by plane.
  void add_planes(const WordRows& rows, std::int64_t first_row, int columns) {
    for (std::size_t word = 0; word < rows.words(); ++word) {
      for (int column = 0; column < columns; ++column) {
        add(rows.word(first_row + dealt(column, columns), word), kWord);
      }
    }
  }
  /// `words` words from `first_word` on of all rows, their pieces exchanged.
  void add_exchanged_planes(const WordRows& rows, std::size_t first_word, std::size_t words,
                            int columns) {
    constexpr std::size_t kPieces = kWord / kPiece;
    for (std::size_t word = 0; word < words; ++word) {
      const std::size_t block = first_word + word / kPieces * kPieces;
      for (int column = 0; column < columns; ++column) {
        for (std::size_t piece = 0; piece < kPieces; ++piece) {
          add(rows.word(dealt(column, columns), block + piece) + word % kPieces * kPiece, kPiece);
        }
      }
    }
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  void add(const std::byte* bytes, std::size_t size) {
    bytes_.insert(bytes_.end(), bytes, bytes + size);
  }
  int dealt(int column, int columns) const {
    return dealt_channel(column, columns, run_length(element_bytes_, columns));
  }

  int element_bytes_;
  std::vector<std::byte> bytes_;
};

}  // namespace

int middle_of(const Step& first) {
  return first.epilogue.second >= 0 ? first.epilogue.second : first.epilogue.output;
}

std::vector<BackToBack> find_back_to_back(const Program& program) {
  std::vector<BackToBack> pairs;
  std::set<std::size_t> joined;
  for (std::size_t first = 0; first < program.steps.size(); ++first) {
    if (joined.count(first) != 0) continue;
    for (std::size_t second = first + 1; second < program.steps.size(); ++second) {
      if (!can_join(program, program.steps[first], program.steps[second])) continue;
      const int middle = middle_of(program.steps[first]);
      pairs.push_back({first, second, is_read_by_others(program, middle, second)});
      joined.insert(second);
      break;
    }
  }
  return pairs;
}

const BackToBack* back_to_back_at(const Program& program, std::size_t step) {
  const auto& pairs = program.back_to_back;
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const BackToBack& pair) { return pair.first == step; });
  return found == pairs.end() ? nullptr : &*found;
}

std::vector<std::byte> back_to_back_image(const Program& program, const BackToBack& pair) {
  const Step& first = program.steps.at(pair.first);
  const Step& second = program.steps.at(pair.second);
  const WordRows wide = weights_of(program, first);
  const WordRows narrow = weights_of(program, second);
  const Value& middle = value_at(program, middle_of(first));
  const auto outs = static_cast<int>(value_at(program, second.epilogue.output).channels);
  const auto channels = static_cast<std::size_t>(middle.channels);
  const auto element_bytes = static_cast<int>(size_of(middle.element));
  const std::size_t words = kMiddleChannels * size_of(middle.element) / kWord;
  Image image(element_bytes);
  for (std::size_t channel = 0; channel < channels; channel += kMiddleChannels) {
    image.add_planes(wide, static_cast<std::int64_t>(channel), kMiddleChannels);
    image.add_exchanged_planes(narrow, channel * size_of(middle.element) / kWord, words, outs);
  }
  return image.take();
}

}  // namespace chexnet_trt::cuda
