#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "uff/model.hpp"

namespace chexnet_trt::uff {

/// How the caller's buffer of an input is laid out; numbered as in nvuffparser.
enum class UffInputOrder { kNCHW = 0, kNHWC = 1, kNC = 2 };

struct RegisteredInput {
  Shape dims;
  UffInputOrder order = UffInputOrder::kNCHW;
  ElementType element = ElementType::kFloat32;
};

/// UFF -> Graph, with the calls of TensorRT's nvuffparser. The graph has TensorFlow's semantics:
/// the batch is the leading extent and open, images are the values that TensorFlow would compute.
class UffParser {
 public:
  /// `dims` without the batch: (C, H, W) for kNCHW, (H, W, C) for kNHWC, (C) for kNC. Returns true.
  /// Raises InputError on other counts, extents below 1, and a second registration.
  bool register_input(const std::string& name, Shape dims,
                      UffInputOrder order = UffInputOrder::kNCHW,
                      ElementType element = ElementType::kFloat32);

  /// `name`: a node, or the id of a MarkOutput. Without any, every MarkOutput of the file is an
  /// output, called after the node that it marks. Returns true; raises InputError on a second
  /// registration.
  bool register_output(const std::string& name);

  /// Weights are used where they lie, kept alive by `meta.owner`. Inputs that are not registered
  /// get the file's shape if that is known but for the batch. Raises InputError on a broken
  /// network; when nodes cannot be imported its text lists every one of them.
  chexnet_trt::Graph parse(const MetaGraph& meta) const;

  /// Reads the file and parses it; messages name the path.
  chexnet_trt::Graph parse_file(const std::string& path) const;

 private:
  std::map<std::string, RegisteredInput> inputs_;
  std::vector<std::string> outputs_;
};

}  // namespace chexnet_trt::uff
