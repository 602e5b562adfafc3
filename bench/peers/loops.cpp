// loops THREADS plain|streamed chain|relu N, softmax|layernorm ROWS COLUMNS: what one loop written by hand can do, compiled
// with g++ -Ofast and its vector math (libmvec), OpenMP over rows. streamed: with non-temporal stores.
#include <cmath>
#include <immintrin.h>
#include <omp.h>
#include "timing.h"

static void chain(const float *x, const float *__restrict r, float *__restrict y, long n) {
  for (long i = 0; i < n; i++) {
    const float t = 1.3f * x[i] + 0.2f;
    y[i] = 0.5f * t * (1.f + erff(t * 0.70710678f)) * 0.7f + r[i];
  }
}

static void relu(const float *x, float *__restrict y, long n) {
  for (long i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

static void relu_streamed(const float *x, float *y, long n) {
#ifdef __AVX512F__
  const __m512 zero = _mm512_setzero_ps();
  for (long i = 0; i < n; i += 16) _mm512_stream_ps(y + i, _mm512_max_ps(_mm512_load_ps(x + i), zero));
#else
  const __m256 zero = _mm256_setzero_ps();
  for (long i = 0; i < n; i += 8) _mm256_stream_ps(y + i, _mm256_max_ps(_mm256_load_ps(x + i), zero));
#endif
  _mm_sfence();
}

static void softmax(const float *x, float *__restrict y, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *a = x + r * columns;
    float *b = y + r * columns, most = -INFINITY, sum = 0;
    for (long i = 0; i < columns; i++) most = a[i] > most ? a[i] : most;
    for (long i = 0; i < columns; i++) {
      b[i] = expf(a[i] - most);
      sum += b[i];
    }
    for (long i = 0; i < columns; i++) b[i] *= 1 / sum;
  }
}

static void layer_norm(const float *x, float *__restrict y, const float *weight, const float *bias, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *a = x + r * columns;
    float *b = y + r * columns, sum = 0, squares = 0;
    for (long i = 0; i < columns; i++) {
      sum += a[i];
      squares += a[i] * a[i];
    }
    const float mean = sum / columns, scale = 1 / sqrtf(squares / columns - mean * mean + 1e-5f);
    for (long i = 0; i < columns; i++) b[i] = (a[i] - mean) * scale * weight[i] + bias[i];
  }
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: loops THREADS plain|streamed chain|relu|softmax|layernorm NUMBERS...\n");
    return 2;
  }
  const int threads = atoi(argv[1]);
  const std::string variant = argv[2], op = argv[3];
  const auto v = numbers(argc, argv, 4);
  const bool rows = v.size() == 2;
  const long n = rows ? v[0] * v[1] : v[0], unit = rows ? v[1] : 16;
  float *x = floats(n), *r = floats(n), *y = floats(n);
  for (long i = 0; i < n; i++) x[i] = float(i % 1000) * 0.006f - 3;
  omp_set_num_threads(threads);
  print(variant == "streamed" ? "gcc_streamed" : "gcc_loop", threads, measure([&] {
#pragma omp parallel
    {
      const long t = omp_get_thread_num(), units = n / unit;
      const long low = units * t / threads * unit, count = units * (t + 1) / threads * unit - low;
      if (op == "chain") chain(x + low, r + low, y + low, count);
      else if (op == "relu" && variant == "streamed") relu_streamed(x + low, y + low, count);
      else if (op == "relu") relu(x + low, y + low, count);
      else if (op == "softmax") softmax(x + low, y + low, count / unit, unit);
      else layer_norm(x + low, y + low, r, r, count / unit, unit);
    }
  }));
}
