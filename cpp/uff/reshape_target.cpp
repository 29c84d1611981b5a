#include "uff/reshape_target.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace chexnet_trt::uff {
namespace {

constexpr std::int64_t kComputed = -1;

/// Replaces the one `kComputed` among `extents`, so that they hold `count` elements. False when
/// they cannot.
bool complete(Shape& extents, std::int64_t count) {
  const auto computed = std::find(extents.begin(), extents.end(), kComputed);
  if (computed == extents.end()) return element_count(extents) == count;
  *computed = 1;
  const std::int64_t others = element_count(extents);
  if (others == 0 || count % others != 0) return false;
  *computed = count / others;
  return true;
}

std::string text_of(const std::vector<ReshapeEntry>& target) {
  std::string text = "[";
  for (const ReshapeEntry& entry : target) {
    if (text.size() > 1) text += ", ";
    text += entry.is_batch ? "?" : std::to_string(entry.extent);
  }
  return text + "]";
}

/// Extents with zeros copied from `source` and the batch as kBatch.
Shape with_copies(const Shape& source, const std::vector<ReshapeEntry>& target) {
  Shape extents;
  int computed = 0;
  for (std::size_t axis = 0; axis < target.size(); ++axis) {
    std::int64_t extent = target[axis].is_batch ? kBatch : target[axis].extent;
    if (!target[axis].is_batch && extent == kComputed) ++computed;
    if (extent == 0 && axis < source.size()) extent = source[axis];
    if (extent < kComputed || extent == 0) {
      throw InputError("cannot reshape " + to_string(source) + " to " + text_of(target));
    }
    extents.push_back(extent);
  }
  if (computed > 1) {
    throw InputError("the shape " + text_of(target) +
                     " leaves more than one extent open; export the model with a batch of 1");
  }
  return extents;
}

}  // namespace

Shape reshape_target(const Shape& source, const std::vector<ReshapeEntry>& target,
                     const std::set<std::int64_t>& fixed_batches) {
  Shape extents = with_copies(source, target);
  const auto names_batch = [](const ReshapeEntry& entry) { return entry.is_batch; };
  if (source.empty() || source.front() != kBatch) {
    if (std::any_of(target.begin(), target.end(), names_batch) ||
        !complete(extents, element_count(source))) {
      throw InputError("cannot reshape " + to_string(source) + " to " + text_of(target));
    }
    return extents;
  }
  const std::int64_t per_image = element_count(Shape(source.begin() + 1, source.end()));
  const bool leads_with_batch = !extents.empty() && (extents[0] == kBatch || extents[0] == 1 ||
                                                     fixed_batches.count(extents[0]) != 0);
  if (leads_with_batch && std::none_of(target.begin() + 1, target.end(), names_batch)) {
    Shape image(extents.begin() + 1, extents.end());
    if (complete(image, per_image)) {
      image.insert(image.begin(), kBatch);
      return image;
    }
  }
  throw InputError("reshaping " + to_string(source) + " to " + text_of(target) +
                   " would mix the images of a batch; is the size given by --uffInput another than "
                   "the model was exported for?");
}

}  // namespace chexnet_trt::uff
