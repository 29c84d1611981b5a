#ifndef CHEXNET_TRT_H_
#define CHEXNET_TRT_H_

#include <stddef.h>
#include <stdint.h>

/* Engines for programs that share no C++ runtime with this library, and no protobuf: TensorFlow's
 * ops among them. Every function may be called from any thread. */

#ifdef __cplusplus
extern "C" {
#endif
/* NOLINTBEGIN(modernize-use-using): this is C. */

#define CHEXNET_TRT_API __attribute__((visibility("default")))

/* A wrong argument or file; a network that does not compile or run; anything else is a bug. */
typedef enum {
  CHEXNET_TRT_OK = 0,
  CHEXNET_TRT_INPUT_ERROR = 1,
  CHEXNET_TRT_BACKEND_ERROR = 2,
  CHEXNET_TRT_INTERNAL_ERROR = 3
} chexnet_trt_code;

typedef enum {
  CHEXNET_TRT_FLOAT32 = 0,
  CHEXNET_TRT_FLOAT16 = 1,
  CHEXNET_TRT_BFLOAT16 = 2,
  CHEXNET_TRT_INT8 = 3,
  CHEXNET_TRT_UINT8 = 4,
  CHEXNET_TRT_INT32 = 5,
  CHEXNET_TRT_INT64 = 6
} chexnet_trt_element;

/* An input or output. `dims` has -1 where the batch goes. All of it lives as long as the engine. */
typedef struct {
  const char* name;
  chexnet_trt_element element;
  const int64_t* dims;
  size_t rank;
} chexnet_trt_tensor;

typedef struct chexnet_trt_engine chexnet_trt_engine;

/* The line that explains this thread's last failed call. */
CHEXNET_TRT_API const char* chexnet_trt_last_error(void);

/* Where warnings go; NULL, as at first: nowhere. */
CHEXNET_TRT_API void chexnet_trt_set_warning_sink(void (*sink)(const char* line));

/* An engine from the bytes of its file, which the call copies; `name` stands for them in messages.
 * Engines of equal bytes are one in memory. */
CHEXNET_TRT_API chexnet_trt_code chexnet_trt_load_bytes(const void* bytes, size_t size,
                                                        const char* name,
                                                        chexnet_trt_engine** engine);
/* The same from a file, which is mapped. */
CHEXNET_TRT_API chexnet_trt_code chexnet_trt_load_file(const char* path,
                                                       chexnet_trt_engine** engine);
/* No call of this engine may be running. NULL is fine. */
CHEXNET_TRT_API void chexnet_trt_release(chexnet_trt_engine* engine);

CHEXNET_TRT_API int64_t chexnet_trt_max_batch(const chexnet_trt_engine* engine);
CHEXNET_TRT_API size_t chexnet_trt_input_count(const chexnet_trt_engine* engine);
CHEXNET_TRT_API size_t chexnet_trt_output_count(const chexnet_trt_engine* engine);
/* `index` is below the count. */
CHEXNET_TRT_API chexnet_trt_tensor chexnet_trt_input(const chexnet_trt_engine* engine,
                                                     size_t index);
CHEXNET_TRT_API chexnet_trt_tensor chexnet_trt_output(const chexnet_trt_engine* engine,
                                                      size_t index);

/* One inference, of 1 ... max_batch; returns when it is done. Dense buffers in the engine's order,
 * of the tensors' shapes, are read and written in place. A batch size compiles on first use. */
CHEXNET_TRT_API chexnet_trt_code chexnet_trt_run(chexnet_trt_engine* engine, int64_t batch,
                                                 const void* const* inputs, void* const* outputs);

/* NOLINTEND(modernize-use-using) */
#ifdef __cplusplus
}
#endif

#endif
