#pragma once

#include <vector>

#include "graph/graph.hpp"

namespace chexnet_trt::evaluators {

// One function an op that constants are folded through, of type `Evaluator` (op_table.hpp).
Tensor identity(const std::vector<Tensor>& inputs, const Attributes& attributes,
                const ValueType& type);
Tensor binary(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type);
Tensor unary(const std::vector<Tensor>& inputs, const Attributes& attributes,
             const ValueType& type);
Tensor activation(const std::vector<Tensor>& inputs, const Attributes& attributes,
                  const ValueType& type);
Tensor reduce(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type);
Tensor reshape(const std::vector<Tensor>& inputs, const Attributes& attributes,
               const ValueType& type);
Tensor transpose(const std::vector<Tensor>& inputs, const Attributes& attributes,
                 const ValueType& type);
Tensor concat(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type);
Tensor pad(const std::vector<Tensor>& inputs, const Attributes& attributes, const ValueType& type);
Tensor slice(const std::vector<Tensor>& inputs, const Attributes& attributes,
             const ValueType& type);
Tensor gather(const std::vector<Tensor>& inputs, const Attributes& attributes,
              const ValueType& type);
Tensor cast(const std::vector<Tensor>& inputs, const Attributes& attributes, const ValueType& type);

}  // namespace chexnet_trt::evaluators
