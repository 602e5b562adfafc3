// onednn3 THREADS LIBTORCH_CPU.SO DATA OP WORDS…: oneDNN 3.7 as it lies inside libtorch 2.10, on a case's files.
//   gemm M K N f32|bf16                                  B in oneDNN's own layout, reordered before
//   conv N C H O K STRIDE PAD GROUPS direct|winograd     in oneDNN's own layouts, reordered before
// With RESULTS the first call's result goes there as y.npy, for the harness to compare, before anything is timed.
#include "npy.h"
#include "onednn3_abi.h"
#include "timing.h"

struct Memory {
  void *layout, *handle;
  char *data;
};

class Runner {
  Dnnl3 api;
  int threads;
  std::string folder;
  void *engine, *queue;

  void must(int status, const char *what) {
    // 3 is "unimplemented": no kernel of this kind for this processor.
    if (!status) return;
    throw std::runtime_error(status == 3 ? std::string("not supported: ") + what : std::string(what) + " fails");
  }

  void *layout(std::vector<int64_t> dims, int type, int tag) {
    int64_t all[DNNL_MOST_DIMENSIONS] = {};
    std::copy(dims.begin(), dims.end(), all);
    void *made;
    must(api.call("dnnl_memory_desc_create_with_tag", &made, int(dims.size()), (const int64_t *)all, type, tag),
         "a layout");
    return made;
  }

  Memory memory(const void *layout) {
    Memory made{(void *)layout, nullptr, nullptr};
    const size_t bytes = api.call<size_t>("dnnl_memory_desc_get_size", layout);
    made.data = (char *)aligned_alloc(64, (bytes + 4095) / 4096 * 4096 + 4096);
    memset(made.data, 0, bytes);
    must(api.call("dnnl_memory_create", &made.handle, layout, engine, (void *)made.data), "memory");
    return made;
  }

  // A file of the case; what has a dot in its name is among the weights.
  Memory input(const std::string &name, const std::vector<int64_t> &dims, int tag) {
    Memory made = memory(layout(dims, DNNL_F32, tag));
    size_t count = 1;
    for (auto extent : dims) count *= extent;
    if (name.find('.') == std::string::npos) read_npy(folder + "/" + name + ".npy", (float *)made.data, count);
    else read_weight(folder + "/weights.safetensors", name, (float *)made.data, count);
    return made;
  }

  void *primitive(void *description) {
    void *made;
    must(api.call("dnnl_primitive_create", &made, (const void *)description), "a primitive");
    return made;
  }

  void run(void *primitive, const std::vector<DnnlArgument> &arguments) {
    must(api.call("dnnl_primitive_execute", (const void *)primitive, queue, int(arguments.size()), arguments.data()),
         "a call");
    api.call("dnnl_stream_wait", queue);
  }

  Memory moved(Memory from, const void *to) {
    Memory made = memory(to);
    void *description;
    must(api.call("dnnl_reorder_primitive_desc_create", &description, (const void *)from.layout, engine, to, engine,
                  (const void *)nullptr), "a reorder");
    run(primitive(description), {{DNNL_SRC, from.handle}, {DNNL_DST, made.handle}});
    return made;
  }

  void finish(const std::string &name, void *primitive, const std::vector<DnnlArgument> &arguments, Memory result,
              const std::vector<int64_t> &dims, int tag) {
    run(primitive, arguments);
    if (const char *results = getenv("RESULTS")) {
      Memory plain = moved(result, layout(dims, DNNL_F32, tag));
      write_npy(std::string(results) + "/y.npy", (const float *)plain.data, dims);
    }
    print(name.c_str(), threads, measure([&] { run(primitive, arguments); }));
  }

public:
  Runner(int threads, const char *library, const char *folder) : api(library), threads(threads), folder(folder) {
    // The OpenMP library that libtorch brings has a number of threads of its own.
    if (auto set = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads")) set(threads);
    must(api.call("dnnl_engine_create", &engine, int(DNNL_CPU), size_t(0)), "the engine");
    must(api.call("dnnl_stream_create", &queue, engine, unsigned(DNNL_IN_ORDER)), "the stream");
  }

  void gemm(long m, long k, long n, int type) {
    Memory a = moved(input("a", {m, k}, DNNL_AB), layout({m, k}, type, DNNL_AB)), b = input("b", {k, n}, DNNL_AB);
    Memory y = memory(layout({m, n}, DNNL_F32, DNNL_AB));
    void *description;
    must(api.call("dnnl_matmul_primitive_desc_create", &description, engine, (const void *)a.layout,
                  (const void *)layout({k, n}, type, DNNL_ANY), (const void *)nullptr, (const void *)y.layout,
                  (const void *)nullptr), "this product on this processor");
    Memory packed = moved(b, api.call<const void *>("dnnl_primitive_desc_query_md", (const void *)description,
                                                    int(DNNL_QUERY_WEIGHTS), 0));
    finish("onednn3", primitive(description),
           {{DNNL_SRC, a.handle}, {DNNL_WEIGHTS, packed.handle}, {DNNL_DST, y.handle}}, y, {m, n}, DNNL_AB);
  }

  void conv(const std::vector<long> &v, int method) {
    const long n = v[0], c = v[1], h = v[2], o = v[3], k = v[4], groups = v[7], oh = (h + 2 * v[6] - k) / v[5] + 1;
    const bool grouped = groups > 1;
    const std::vector<int64_t> filter = grouped ? std::vector<int64_t>{groups, o / groups, c / groups, k, k}
                                                : std::vector<int64_t>{o, c, k, k};
    Memory x = input("x", {n, c, h, h}, DNNL_ABCD), b = input("conv.bias", {o}, DNNL_A);
    Memory w = input("conv.weight", filter, grouped ? DNNL_ABCDE : DNNL_ABCD);
    const int64_t strides[DNNL_MOST_DIMENSIONS] = {v[5], v[5]}, none[DNNL_MOST_DIMENSIONS] = {};
    const int64_t pads[DNNL_MOST_DIMENSIONS] = {v[6], v[6]};
    void *description;
    must(api.call("dnnl_convolution_forward_primitive_desc_create", &description, engine, int(DNNL_INFERENCE), method,
                  (const void *)layout({n, c, h, h}, DNNL_F32, DNNL_ANY),
                  (const void *)layout(filter, DNNL_F32, DNNL_ANY), (const void *)b.layout,
                  (const void *)layout({n, o, oh, oh}, DNNL_F32, DNNL_ANY), strides, none, pads, pads,
                  (const void *)nullptr), "this convolution on this processor");
    auto wanted = [&](int what) {
      return api.call<const void *>("dnnl_primitive_desc_query_md", (const void *)description, what, 0);
    };
    Memory own = moved(x, wanted(DNNL_QUERY_SRC)), packed = moved(w, wanted(DNNL_QUERY_WEIGHTS));
    Memory y = memory(wanted(DNNL_QUERY_DST));
    finish("onednn3", primitive(description),
           {{DNNL_SRC, own.handle}, {DNNL_WEIGHTS, packed.handle}, {DNNL_BIAS, b.handle}, {DNNL_DST, y.handle}}, y,
           {n, o, oh, oh}, DNNL_ABCD);
  }
};

int main(int argc, char **argv) {
  if (argc < 9) {
    fprintf(stderr, "usage: onednn3 THREADS LIBTORCH_CPU.SO DATA gemm|conv NUMBERS... f32|bf16|direct|winograd\n");
    return 2;
  }
  try {
    Runner runner(atoi(argv[1]), argv[2], argv[3]);
    const std::string how = argv[argc - 1];
    const auto v = numbers(argc - 1, argv, 5);
    if (!strcmp(argv[4], "gemm")) runner.gemm(v[0], v[1], v[2], how == "bf16" ? DNNL_BF16 : DNNL_F32);
    else runner.conv(v, how == "winograd" ? DNNL_WINOGRAD : DNNL_DIRECT);
  } catch (const std::exception &e) {
    fprintf(stderr, "onednn3: %s\n", e.what());
    return 1;
  }
}
