#include "graph/attributes.hpp"

#include <string>

#include "common/error.hpp"

namespace chexnet_trt {
namespace {

constexpr std::array<std::string_view, 3> kLayouts{"plain", "nhwc", "nchw"};
constexpr std::array<std::string_view, 7> kBinaryKinds{"add", "sub", "mul", "div",
                                                       "min", "max", "pow"};
constexpr std::array<std::string_view, 20> kUnaryKinds{
    "neg",  "exp",  "log",  "abs",  "sqrt", "rsqrt", "square", "sin",   "cos",  "tan",
    "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh",  "atanh", "ceil", "floor"};
constexpr std::array<std::string_view, 9> kActivationKinds{
    "relu", "relu6", "sigmoid", "tanh", "elu", "selu", "softsign", "softplus", "leaky_relu"};
constexpr std::array<std::string_view, 5> kReduceKinds{"sum", "prod", "max", "min", "mean"};

template <typename Enum, typename Table>
void find(const Table& table, std::string_view name, Enum& value) {
  for (std::size_t index = 0; index < table.size(); ++index) {
    if (table[index] == name) {
      value = static_cast<Enum>(index);
      return;
    }
  }
  throw InputError("unknown name '" + std::string(name) + "'");
}

}  // namespace

std::string_view name_of(TensorLayout value) {
  return kLayouts.at(static_cast<std::size_t>(value));
}
std::string_view name_of(BinaryKind value) {
  return kBinaryKinds.at(static_cast<std::size_t>(value));
}
std::string_view name_of(UnaryKind value) {
  return kUnaryKinds.at(static_cast<std::size_t>(value));
}
std::string_view name_of(ActivationKind value) {
  return kActivationKinds.at(static_cast<std::size_t>(value));
}
std::string_view name_of(ReduceKind value) {
  return kReduceKinds.at(static_cast<std::size_t>(value));
}

void from_name(std::string_view name, TensorLayout& value) { find(kLayouts, name, value); }
void from_name(std::string_view name, BinaryKind& value) { find(kBinaryKinds, name, value); }
void from_name(std::string_view name, UnaryKind& value) { find(kUnaryKinds, name, value); }
void from_name(std::string_view name, ActivationKind& value) {
  find(kActivationKinds, name, value);
}
void from_name(std::string_view name, ReduceKind& value) { find(kReduceKinds, name, value); }

}  // namespace chexnet_trt
