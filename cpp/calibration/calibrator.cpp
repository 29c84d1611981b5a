#include "calibration/calibrator.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>

#include "calibration/calibration_cache.hpp"
#include "common/error.hpp"

namespace chexnet_trt {
namespace {

/// `job(index)` for every one of `order`, begun in that order, on `threads` threads. Rethrows the
/// exception of the smallest index.
void run_parallel(const std::vector<std::size_t>& order, int threads,
                  const std::function<void(std::size_t)>& job) {
  std::vector<std::exception_ptr> errors(order.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) {
      try {
        job(order[i]);
      } catch (...) {
        errors[order[i]] = std::current_exception();
      }
    }
  };
  const std::size_t helpers = std::min(static_cast<std::size_t>(threads), order.size());
  std::vector<std::thread> pool;
  for (std::size_t i = 1; i < helpers; ++i) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

/// A large array begun last would leave the other threads waiting.
std::vector<std::size_t> largest_first(const std::vector<Activation>& activations) {
  std::vector<std::size_t> order(activations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return activations[left].size > activations[right].size;
  });
  return order;
}

void add_named(Histogram& histogram, const Activation& activation, const std::string& name) {
  try {
    histogram.add(activation.data, activation.size);
  } catch (const InputError& error) {
    throw InputError("cannot calibrate '" + name + "': " + error.what() +
                     "; check the network's weights and the images' preprocessing");
  }
}

}  // namespace

Calibrator::Calibrator(std::vector<std::string> names, RunBatch run, int threads)
    : names_(std::move(names)),
      run_(std::move(run)),
      threads_(std::max(threads, 1)),
      histograms_(names_.size()) {}

void Calibrator::add(const std::vector<ByteView>& inputs, std::int64_t batch) {
  const std::vector<Activation> activations = run_(inputs, batch);
  if (activations.size() != names_.size()) {
    throw std::logic_error("a calibration run returned another number of values than was asked");
  }
  run_parallel(largest_first(activations), threads_, [&](std::size_t index) {
    add_named(histograms_[index], activations[index], names_[index]);
  });
  image_count_ += batch;
}

DynamicRanges Calibrator::ranges(const CalibrationMethod& method) const {
  if (image_count_ == 0) {
    throw InputError("cannot calibrate without images; give calibration data");
  }
  DynamicRanges result;
  for (std::size_t index = 0; index < names_.size(); ++index) {
    result[names_[index]] = storable_amax(threshold(histograms_[index], method));
  }
  return result;
}

}  // namespace chexnet_trt
