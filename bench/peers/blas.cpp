// blas NAME LIB.so THREADS gemm|gemv M K N: row-major products through any CBLAS (OpenBLAS, BLIS), opened at run time.
#include "timing.h"
#include <dlfcn.h>
#include <cstring>

enum { RowMajor = 101, NoTranspose = 111, Transpose = 112 };
using Sgemm = void (*)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
using Sgemv = void (*)(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: blas NAME LIB.so THREADS gemm|gemv M K N\n");
    return 2;
  }
  void *library = dlopen(argv[2], RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const int threads = atoi(argv[3]);
  if (auto set = (void (*)(int))dlsym(library, "openblas_set_num_threads")) set(threads);
  if (auto set = (void (*)(long))dlsym(library, "bli_thread_set_num_threads")) set(threads);
  auto sgemm = (Sgemm)dlsym(library, "cblas_sgemm");
  auto sgemv = (Sgemv)dlsym(library, "cblas_sgemv");
  const auto size = numbers(argc, argv, 5);
  const int m = size[0], k = size[1], n = size[2];
  float *a = floats(size_t(m) * k), *b = floats(size_t(k) * n), *c = floats(size_t(m) * n);
  print(argv[1], threads, !strcmp(argv[4], "gemv")
    ? measure([&] { sgemv(RowMajor, Transpose, k, n, 1, b, n, a, 1, 0, c, 1); })
    : measure([&] { sgemm(RowMajor, NoTranspose, NoTranspose, m, n, k, 1, a, k, b, n, 0, c, n); }));
}
