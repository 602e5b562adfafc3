// In: a call. Out: statistics of samples of it, and the JSON line of a runner; `accc time` samples in the same way.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>
#include <time.h>

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// How long a case is sampled: BUDGET seconds.
inline double budget() {
  static const double value = getenv("BUDGET") ? atof(getenv("BUDGET")) : 0.5;
  return value;
}

// What the calling thread has computed: on one thread, and a machine with other work on it, this is the time of a call.
inline double seconds_computed() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

struct Statistics {
  double min, median, p90;
  double computed; // the median of the calling thread's own time
  long calls;
};

// A warm-up of a third of the time; then samples, at least seven, of calls above 50 ms three. Calls below 100 µs are repeated until a sample lasts
// that long, so that reading the clocks does not decide it.
inline Statistics measure(const std::function<void()> &call) {
  const double sample = 100e-6;
  double start = seconds_now();
  long warm = 0;
  do {
    call();
    warm++;
  } while (seconds_now() - start < budget() * 0.3 || warm < 2);
  const double each = (seconds_now() - start) / warm;
  const long batch = each < sample ? long(sample / each) + 1 : 1;
  std::vector<double> times, computed;
  start = seconds_now();
  do {
    const double own = seconds_computed(), before = seconds_now();
    for (long i = 0; i < batch; i++) call();
    times.push_back((seconds_now() - before) / batch);
    computed.push_back((seconds_computed() - own) / batch);
  } while (times.size() < (each < 0.05 ? 7 : 3) || (seconds_now() - start < budget() && times.size() < 200000));
  std::sort(times.begin(), times.end());
  std::sort(computed.begin(), computed.end());
  return {times[0], times[times.size() / 2], times[times.size() * 9 / 10], computed[computed.size() / 2],
          long(times.size()) * batch};
}

inline void print(const char *peer, int threads, Statistics s) {
  printf("{\"peer\":\"%s\",\"threads\":%d,\"min_us\":%.3f,\"med_us\":%.3f,\"p90_us\":%.3f,\"cpu_us\":%.3f,\"n\":%ld}\n",
         peer, threads, s.min * 1e6, s.median * 1e6, s.p90 * 1e6, s.computed * 1e6, s.calls);
  fflush(stdout);
}

// Floats on a cache line, filled with small values that do not repeat with the period of a tile.
inline float *floats(size_t count) {
  auto *data = static_cast<float *>(aligned_alloc(64, (count * 4 + 63) / 64 * 64 + 64));
  for (size_t i = 0; i < count; i++) data[i] = float(i % 13) * 0.01f - 0.05f;
  return data;
}

// The numbers of an operation, from argument `first` on: `gemm 128 768 3072`.
inline std::vector<long> numbers(int argc, char **argv, int first) {
  std::vector<long> values;
  for (int i = first; i < argc; i++) values.push_back(atol(argv[i]));
  return values;
}
