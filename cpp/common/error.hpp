#pragma once

#include <stdexcept>
#include <string>

#include "common/utf8.hpp"

namespace chexnet_trt {

/// Base of every error that the core raises on purpose. Anything else is a bug.
/// `what()` is one line: what is wrong, where, and what to do. Names in it come from files, so it
/// is made printable.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(printable(message)) {}
};

/// The caller's input is at fault: a file, a network, a shape, an option. The command line exits 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A backend failed to compile or run a valid network. The command line exits 1.
class BackendError : public Error {
 public:
  using Error::Error;
};

}  // namespace chexnet_trt
