// ort THREADS MODEL.onnx [DATA [RESULTS]]: a model through ONNX Runtime's C API, inputs and outputs allocated before.
// Inputs are DATA/NAME.npy, zeros without DATA; the outputs of a call go to RESULTS/NAME.npy, and then nothing is timed.
#include <cstring>
#include <stdexcept>
#include "ort_abi.h"
#include "timing.h"

static Ort ort;

static void check(OrtStatus *status) {
  if (status) throw std::runtime_error(ort.message(status));
}

struct Value {
  const char *name;
  std::vector<int64_t> shape;
  int type;
  size_t bytes;
  char *data;
  OrtValue *value;

  std::string file(const char *folder) const { return std::string(folder) + "/" + name + ".npy"; }
};

// The bytes behind the header of a NumPy file, which names row-major data of the right size.
static void read(const Value &v, const char *folder) {
  const std::string path = v.file(folder);
  FILE *file = fopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error(path + ": cannot be read");
  fseek(file, -long(v.bytes), SEEK_END);
  if (ftell(file) % 64 || fread(v.data, 1, v.bytes, file) != v.bytes) throw std::runtime_error(path + ": another size");
  fclose(file);
}

static void write(const Value &v, const char *folder) {
  std::string shape;
  for (auto extent : v.shape) shape += std::to_string(extent) + ",";
  std::string header = std::string("{'descr': '") + (v.type == ORT_INT64 ? "<i8" : "<f4")
      + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  while ((header.size() + 11) % 64) header += ' ';
  header += '\n';
  FILE *file = fopen(v.file(folder).c_str(), "wb");
  if (!file) throw std::runtime_error(v.file(folder) + ": cannot be written");
  const unsigned char start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(header.size() & 255),
                                 (unsigned char)(header.size() >> 8)};
  fwrite(start, 1, sizeof start, file);
  fwrite(header.data(), 1, header.size(), file);
  fwrite(v.data, 1, v.bytes, file);
  fclose(file);
}

static std::vector<Value> values(OrtSession *session, bool outputs, OrtAllocator *allocator, OrtMemoryInfo *memory) {
  size_t count;
  check(ort.call(outputs ? SessionGetOutputCount : SessionGetInputCount, session, &count));
  std::vector<Value> all(count);
  for (size_t i = 0; i < count; i++) {
    Value &v = all[i];
    char *name;
    OrtTypeInfo *info;
    const OrtTensorInfo *tensor;
    size_t rank;
    check(ort.call(outputs ? SessionGetOutputName : SessionGetInputName, session, i, allocator, &name));
    check(ort.call(outputs ? SessionGetOutputTypeInfo : SessionGetInputTypeInfo, session, i, &info));
    check(ort.call(CastTypeInfoToTensorInfo, info, &tensor));
    check(ort.call(GetTensorElementType, tensor, &v.type));
    check(ort.call(GetDimensionsCount, tensor, &rank));
    v.name = name;
    v.shape.resize(rank);
    check(ort.call(GetDimensions, tensor, v.shape.data(), rank));
    v.bytes = v.type == ORT_INT64 ? 8 : 4;
    for (auto extent : v.shape) {
      if (extent < 0) throw std::runtime_error(std::string(name) + " has a dynamic shape");
      v.bytes *= extent;
    }
    v.data = static_cast<char *>(aligned_alloc(64, (v.bytes + 4095) / 4096 * 4096 + 4096));
    memset(v.data, 0, v.bytes);
    check(ort.call(CreateTensorWithData, memory, (void *)v.data, v.bytes, (const int64_t *)v.shape.data(), rank, v.type, &v.value));
  }
  return all;
}

static void run(int threads, const char *path, const char *data, const char *results) {
  OrtEnv *environment;
  OrtSessionOptions *options;
  OrtSession *session;
  OrtAllocator *allocator;
  OrtMemoryInfo *memory;
  check(ort.call(CreateEnv, (int)ORT_LOGGING_ERROR, "bench", &environment));
  check(ort.call(CreateSessionOptions, &options));
  check(ort.call(SetIntraOpNumThreads, options, threads));
  check(ort.call(SetInterOpNumThreads, options, 1));
  check(ort.call(SetGraphOptimizationLevel, options, (int)ORT_ENABLE_ALL));
  check(ort.call(CreateSession, environment, path, options, &session));
  check(ort.call(GetAllocator, &allocator));
  check(ort.call(CreateCpuMemoryInfo, (int)ORT_ARENA, (int)ORT_MEM_DEFAULT, &memory));
  auto inputs = values(session, false, allocator, memory), outputs = values(session, true, allocator, memory);
  std::vector<const char *> input_names, output_names;
  std::vector<const OrtValue *> input_values;
  std::vector<OrtValue *> output_values;
  for (auto &v : inputs) {
    if (data) read(v, data);
    input_names.push_back(v.name);
    input_values.push_back(v.value);
  }
  for (auto &v : outputs) {
    output_names.push_back(v.name);
    output_values.push_back(v.value);
  }
  auto call = [&] {
    check(ort.call(Run, session, (const void *)nullptr, (const char *const *)input_names.data(),
                   (const OrtValue *const *)input_values.data(), inputs.size(), (const char *const *)output_names.data(),
                   outputs.size(), output_values.data()));
  };
  call();
  if (results) {
    for (auto &v : outputs) write(v, results);
    return;
  }
  print("onnxruntime", threads, measure(call));
}

int main(int argc, char **argv) {
  const OrtApiBase *base = OrtGetApiBase();
  if (argc == 2 && !strcmp(argv[1], "--version")) {
    puts(base->GetVersionString());
    return 0;
  }
  ort.table = base->GetApi(1);
  if (!ort.table || argc < 3) {
    fprintf(stderr, "usage: ort THREADS MODEL.onnx [DATA [RESULTS]]\n");
    return 2;
  }
  try {
    run(atoi(argv[1]), argv[2], argc > 3 ? argv[3] : nullptr, argc > 4 ? argv[4] : nullptr);
  } catch (const std::exception &e) {
    fprintf(stderr, "onnxruntime: %s\n", e.what());
    return 1;
  }
}
