// xsmm THREADS direct|brgemm64|brgemm32 gemm M K N: libxsmm 1.17.
// direct: one generated kernel for the whole product, 1 thread. brgemm: tiles of 64 or 32 rows and 64 columns, A and B packed
// in tiles before, one batch-reduce kernel a tile of C, OpenMP over tiles: how a compiler on libxsmm would do it.
#include <libxsmm.h>
#include <omp.h>
#include "timing.h"

static int fails(const char *why) {
  fprintf(stderr, "libxsmm: %s\n", why);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 7) return fails("usage: xsmm THREADS direct|brgemm64|brgemm32 gemm M K N");
  const int threads = atoi(argv[1]);
  const std::string variant = argv[2];
  const auto size = numbers(argc, argv, 4);
  const int m = size[0], k = size[1], n = size[2];
  omp_set_num_threads(threads);
  libxsmm_init();
  float *a = floats(size_t(m) * k), *b = floats(size_t(k) * n), *c = floats(size_t(m) * n);
  const float one = 1, zero = 0;
  if (variant == "direct") {
    if (threads > 1) return fails("a direct kernel runs on one thread");
    // C = A B of rows is C' = B' A' of columns.
    const int lda = n, ldb = k, ldc = n, flags = LIBXSMM_GEMM_FLAG_NONE;
    auto kernel = libxsmm_smmdispatch(n, m, k, &lda, &ldb, &ldc, &one, &zero, &flags, nullptr);
    if (!kernel) return fails("no kernel of this size");
    print("libxsmm_direct", threads, measure([&] { kernel(b, a, c); }));
    return 0;
  }
  const int tm = variant == "brgemm32" ? 32 : 64, tn = 64, tk = tm;
  if (m % tm || n % tn || k % tk) return fails("the tiles do not divide this size");
  const int ms = m / tm, ns = n / tn, ks = k / tk;
  const int lda = tn, ldb = tk, ldc = tn;
  const long next_b = long(tk) * tn * 4, next_a = long(tm) * tk * 4;
  auto kernel = [&](const float *beta) {
    return libxsmm_smmdispatch_reducebatch_strd(tn, tm, tk, next_b, next_a, &lda, &ldb, &ldc, &one, beta, nullptr, nullptr);
  };
  auto first = kernel(&zero), more = kernel(&one);
  if (!first || !more) return fails("no batch-reduce kernel of this size");
  int block = ks; // tiles of K at a time: 512 values of K stay in the cache
  while (block * tk > 512 && block % 2 == 0) block /= 2;
  print(("libxsmm_" + variant).c_str(), threads, measure([&] {
#pragma omp parallel num_threads(threads)
    {
      const long t = omp_get_thread_num(), tiles = long(ms) * ns;
      for (int at = 0; at < ks; at += block)
        for (long tile = tiles * t / threads; tile < tiles * (t + 1) / threads; tile++) {
          const long i = tile % ms, j = tile / ms;
          unsigned long long count = block;
          (at ? more : first)(b + (j * ks + at) * tk * tn, a + (i * ks + at) * tm * tk, c + (j * ms + i) * tm * tn, &count);
        }
    }
  }));
}
