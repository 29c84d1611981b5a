#include "bench/runner.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "common/error.hpp"
#include "engine/execution_context.hpp"
#include "engine/host_buffers.hpp"

namespace chexnet_trt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kProgressInterval(50);

void sleep_ms(double milliseconds) {
  if (milliseconds > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds));
  }
}

/// What all streams of a run share.
struct Run {
  explicit Run(const BenchOptions& bench_options) : options(bench_options) {}

  double now() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }
  bool is_warm(double start_compute) const { return start_compute >= options.warm_up_ms; }
  /// trtexec's rule, for the queries of one driving thread.
  bool finished(std::size_t kept, double last_start) const {
    if (stop) return true;
    if (options.duration_s < 0 || kept < static_cast<std::size_t>(options.iterations)) return false;
    return last_start >= options.warm_up_ms + options.duration_s * 1000;
  }

  const BenchOptions& options;
  Clock::time_point start;
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> queries{0};
};

/// The result is in the host's memory at `end`; what the device did right before, it timed itself.
void end_at(Trace& trace, double end, const std::optional<DeviceTimes>& device) {
  trace.end_compute = end;
  if (!device) return;
  trace.h2d_ms = device->h2d;
  trace.d2h_ms = device->d2h;
  trace.end_compute = end - device->d2h;
  trace.start_compute = trace.end_compute - device->compute;
}

/// A context with its buffers and traces.
class Stream {
 public:
  Stream(const std::shared_ptr<Engine>& engine, const BenchOptions& options)
      : buffers_(engine->create_buffers(options.batch)),
        output_count_(engine->outputs().size()),
        context_(engine) {
    if (options.inputs.empty()) {
      buffers_.fill_inputs_randomly(options.seed);
    } else if (options.inputs.size() != engine->inputs().size()) {
      throw InputError("the engine has " + std::to_string(engine->inputs().size()) +
                       " inputs, got data for " + std::to_string(options.inputs.size()));
    }
    for (std::size_t index = 0; index < options.inputs.size(); ++index) {
      buffers_.set_input(index, options.inputs[index]);
    }
  }

  void enqueue(const Run& run) {
    Trace trace;
    trace.start_enqueue = run.now();
    trace.start_compute = trace.start_enqueue;
    context_.enqueue(buffers_.batch(), buffers_.bindings());
    trace.end_enqueue = run.now();
    in_flight_ = trace;
  }
  /// Ends the query in flight, if there is one.
  void synchronize(Run& run) {
    if (!in_flight_) return;
    context_.wait();
    end_at(*in_flight_, run.now(), context_.device_times());
    if (run.is_warm(in_flight_->start_compute)) {
      traces_.push_back(*in_flight_);
    } else {
      ++warm_up_queries_;
    }
    ++run.queries;
    in_flight_.reset();
  }

  const std::vector<Trace>& traces() const { return traces_; }
  /// Queries after warm-up, with the one in flight.
  std::size_t kept(const Run& run) const {
    return traces_.size() + (in_flight_ && run.is_warm(in_flight_->start_compute) ? 1 : 0);
  }
  std::size_t warm_up_queries() const { return warm_up_queries_; }
  std::vector<std::vector<std::byte>> outputs() const {
    std::vector<std::vector<std::byte>> copies;
    for (std::size_t index = 0; index < output_count_; ++index) {
      const ByteView bytes = buffers_.output(index);
      copies.emplace_back(bytes.begin(), bytes.end());
    }
    return copies;
  }

 private:
  // The context is destroyed first: it waits for what still uses the buffers.
  HostBuffers buffers_;
  std::size_t output_count_;
  ExecutionContext context_;
  std::optional<Trace> in_flight_;
  std::vector<Trace> traces_;
  std::size_t warm_up_queries_ = 0;
};

using Streams = std::vector<std::unique_ptr<Stream>>;

/// Drives `streams` from this thread; `after_round` runs between rounds.
template <typename AfterRound>
void drive(Run& run, Stream* const* begin, Stream* const* end, AfterRound after_round) {
  double last_start = 0;
  std::size_t kept = 0;
  while (!run.finished(kept, last_start)) {
    for (Stream* const* stream = begin; stream != end; ++stream) {
      (*stream)->synchronize(run);
      last_start = run.now();
      (*stream)->enqueue(run);
    }
    kept = 0;
    for (Stream* const* stream = begin; stream != end; ++stream) {
      kept += (*stream)->kept(run);
    }
    after_round();
    if (run.is_warm(last_start)) sleep_ms(run.options.idle_ms);
  }
  for (Stream* const* stream = begin; stream != end; ++stream) (*stream)->synchronize(run);
}

void drive_all(Run& run, const std::vector<Stream*>& streams) {
  Clock::time_point reported = Clock::now();
  drive(run, streams.data(), streams.data() + streams.size(), [&] {
    if (!run.options.progress || Clock::now() - reported < kProgressInterval) return;
    reported = Clock::now();
    if (!run.options.progress(run.now(), run.queries)) run.stop = true;
  });
}

/// Runs a thread a stream and reports from this one; the first error of any stops all.
class Drivers {
 public:
  Drivers(Run& run, const std::vector<Stream*>& streams) : run_(run), running_(streams.size()) {
    for (Stream* const& stream : streams) {
      threads_.emplace_back([this, &stream] { work(&stream); });
    }
  }
  ~Drivers() {
    run_.stop = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  Drivers(const Drivers&) = delete;
  Drivers& operator=(const Drivers&) = delete;

  void join() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!changed_.wait_for(lock, kProgressInterval, [this] { return running_ == 0; })) {
      if (!run_.options.progress) continue;
      lock.unlock();
      if (!run_.options.progress(run_.now(), run_.queries)) run_.stop = true;
      lock.lock();
    }
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work(Stream* const* stream) {
    std::exception_ptr error;
    try {
      drive(run_, stream, stream + 1, [] {});
    } catch (...) {
      error = std::current_exception();
      run_.stop = true;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!error_) error_ = error;
    --running_;
    changed_.notify_all();
  }

  Run& run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

void check(const BenchOptions& options) {
  if (options.iterations < 1) throw InputError("iterations must be 1 or more");
  if (options.streams < 1) throw InputError("streams must be 1 or more");
  if (!(options.warm_up_ms >= 0) || !(options.idle_ms >= 0) || !(options.sleep_ms >= 0)) {
    throw InputError("warm-up, idle and sleep times must not be negative");
  }
  if (options.duration_s < 0 && !options.progress) {
    throw InputError("a run without end needs a progress callback that stops it");
  }
}

BenchResult collect(const Streams& streams, bool random_input) {
  BenchResult result;
  result.random_input = random_input;
  result.outputs = streams.front()->outputs();
  for (const auto& stream : streams) {
    result.warm_up_queries += stream->warm_up_queries();
    result.traces.insert(result.traces.end(), stream->traces().begin(), stream->traces().end());
  }
  std::sort(result.traces.begin(), result.traces.end(),
            [](const Trace& a, const Trace& b) { return a.start_compute < b.start_compute; });
  return result;
}

}  // namespace

BenchResult run_bench(const std::shared_ptr<Engine>& engine, const BenchOptions& options) {
  check(options);
  engine->executable(options.batch);
  Streams streams;
  std::vector<Stream*> driven;
  for (int count = 0; count < options.streams; ++count) {
    streams.push_back(std::make_unique<Stream>(engine, options));
    driven.push_back(streams.back().get());
  }
  Run run(options);
  sleep_ms(options.sleep_ms);
  run.start = Clock::now();
  if (options.threads) {
    Drivers(run, driven).join();
  } else {
    drive_all(run, driven);
  }
  return collect(streams, options.inputs.empty());
}

}  // namespace chexnet_trt
