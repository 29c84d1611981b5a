#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "c_api/chexnet_trt.h"
#include "c_api/loaded_engine.hpp"
#include "common/error.hpp"
#include "common/log.hpp"

using chexnet_trt::Binding;
using chexnet_trt::ByteView;
using chexnet_trt::ElementType;
using chexnet_trt::LoadedEngine;
using chexnet_trt::TensorInfo;

struct chexnet_trt_engine {
  std::shared_ptr<LoadedEngine> loaded;
};

namespace {

// The two lists of element types are one, in the same order.
static_assert(static_cast<int>(ElementType::kFloat32) == CHEXNET_TRT_FLOAT32);
static_assert(static_cast<int>(ElementType::kFloat16) == CHEXNET_TRT_FLOAT16);
static_assert(static_cast<int>(ElementType::kBFloat16) == CHEXNET_TRT_BFLOAT16);
static_assert(static_cast<int>(ElementType::kInt8) == CHEXNET_TRT_INT8);
static_assert(static_cast<int>(ElementType::kUInt8) == CHEXNET_TRT_UINT8);
static_assert(static_cast<int>(ElementType::kInt32) == CHEXNET_TRT_INT32);
static_assert(static_cast<int>(ElementType::kInt64) == CHEXNET_TRT_INT64);

thread_local std::string last_error;

chexnet_trt_code failed(chexnet_trt_code code, const char* what) {
  last_error = what;
  return code;
}

/// No exception leaves the library.
template <typename Function>
chexnet_trt_code guarded(Function function) {
  try {
    function();
    return CHEXNET_TRT_OK;
  } catch (const chexnet_trt::InputError& error) {
    return failed(CHEXNET_TRT_INPUT_ERROR, error.what());
  } catch (const chexnet_trt::BackendError& error) {
    return failed(CHEXNET_TRT_BACKEND_ERROR, error.what());
  } catch (const std::exception& error) {
    return failed(CHEXNET_TRT_INTERNAL_ERROR, error.what());
  }
}

chexnet_trt_tensor tensor_of(const TensorInfo& info) {
  return {info.name.c_str(), static_cast<chexnet_trt_element>(info.element), info.shape.data(),
          info.shape.size()};
}

const chexnet_trt::Engine& engine_of(const chexnet_trt_engine* engine) {
  return engine->loaded->engine();
}

}  // namespace

const char* chexnet_trt_last_error() { return last_error.c_str(); }

void chexnet_trt_set_warning_sink(void (*sink)(const char* line)) {
  if (sink == nullptr) {
    chexnet_trt::set_log_sink(nullptr);
    return;
  }
  chexnet_trt::set_log_sink([sink](chexnet_trt::Severity severity, const std::string& line) {
    if (severity == chexnet_trt::Severity::kWarning) sink(line.c_str());
  });
}

chexnet_trt_code chexnet_trt_load_bytes(const void* bytes, size_t size, const char* name,
                                        chexnet_trt_engine** engine) {
  return guarded([&] {
    *engine = new chexnet_trt_engine{LoadedEngine::from_bytes(ByteView(bytes, size), name)};
  });
}

chexnet_trt_code chexnet_trt_load_file(const char* path, chexnet_trt_engine** engine) {
  return guarded([&] { *engine = new chexnet_trt_engine{LoadedEngine::from_file(path)}; });
}

void chexnet_trt_release(chexnet_trt_engine* engine) { delete engine; }

int64_t chexnet_trt_max_batch(const chexnet_trt_engine* engine) {
  return engine_of(engine).max_batch();
}

size_t chexnet_trt_input_count(const chexnet_trt_engine* engine) {
  return engine_of(engine).inputs().size();
}

size_t chexnet_trt_output_count(const chexnet_trt_engine* engine) {
  return engine_of(engine).outputs().size();
}

chexnet_trt_tensor chexnet_trt_input(const chexnet_trt_engine* engine, size_t index) {
  return tensor_of(engine_of(engine).inputs().at(index));
}

chexnet_trt_tensor chexnet_trt_output(const chexnet_trt_engine* engine, size_t index) {
  return tensor_of(engine_of(engine).outputs().at(index));
}

chexnet_trt_code chexnet_trt_run(chexnet_trt_engine* engine, int64_t batch,
                                 const void* const* inputs, void* const* outputs) {
  return guarded([&] {
    std::vector<Binding> bindings;
    bindings.reserve(chexnet_trt_input_count(engine) + chexnet_trt_output_count(engine));
    for (size_t index = 0; index < chexnet_trt_input_count(engine); ++index) {
      bindings.push_back({const_cast<void*>(inputs[index])});
    }
    for (size_t index = 0; index < chexnet_trt_output_count(engine); ++index) {
      bindings.push_back({outputs[index]});
    }
    engine->loaded->run(batch, bindings);
  });
}
