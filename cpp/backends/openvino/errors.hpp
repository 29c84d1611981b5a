#pragma once

#include <exception>
#include <string>

#include "common/error.hpp"

namespace chexnet_trt::openvino {

/// The line of an OpenVINO message that says what is wrong, without source locations.
std::string first_useful_line(const std::string& message);

/// Runs `function`; whatever OpenVINO throws leaves as BackendError "`what`: reason".
template <typename Function>
auto guarded(const std::string& what, Function function) {
  try {
    return function();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw BackendError(what + ": " + first_useful_line(error.what()));
  }
}

}  // namespace chexnet_trt::openvino
