// llamacpp THREADS FOLDER MODEL.gguf prompt|decode COUNT: llama.cpp through its C API, as its build lies in FOLDER.
//   prompt: all COUNT tokens in one call, of which the last one's logits are asked for
//   decode: one token behind COUNT of them, which is taken back after each call
// Token i is (7919 i + 13) mod 31999, as in make_llama.py. With RESULTS the first call's logits go there as logits.npy,
// for the harness to compare, before anything is timed.
// No header is needed: llama.cpp's parameter blocks are passed as bytes, of which only the first fields are set.
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>
#include "npy.h"
#include "timing.h"

// A parameter block, larger than any of them: by the ABI it is passed in memory, and the rest of it is not looked at.
struct Parameters {
  unsigned char bytes[512];
};

struct Batch {
  int32_t count;
  int32_t *tokens;
  float *embeddings;
  int32_t *positions;
  int32_t *sequence_counts;
  int32_t **sequences;
  int8_t *wanted;
};

static std::string logged;

static void keep(int, const char *text, void *) {
  if (logged.size() < 100000) logged += text;
}

// What the last lines that llama.cpp said come to, as one line.
static std::runtime_error failure(const char *what) {
  for (auto &c : logged)
    if (c == '\n') c = ' ';
  return std::runtime_error(std::string(what) + ": " + logged.substr(logged.size() > 300 ? logged.size() - 300 : 0));
}

template <class F> static F entry(const char *name) {
  void *place = dlsym(RTLD_DEFAULT, name);
  if (!place) throw std::runtime_error(std::string("this llama.cpp has no ") + name);
  return reinterpret_cast<F>(place);
}

static void open_library(const std::string &folder) {
  DIR *directory = opendir(folder.c_str());
  if (!directory) throw std::runtime_error(folder + " is not there");
  std::string path;
  while (dirent *file = readdir(directory))
    if (!strncmp(file->d_name, "libllama.", 9)) path = folder + "/" + file->d_name;
  closedir(directory);
  if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) throw std::runtime_error(dlerror());
  entry<void (*)(void (*)(int, const char *, void *), void *)>("llama_log_set")(keep, nullptr);
  entry<void (*)()>("llama_backend_init")();
  // The library for the processor is chosen here, of those that lie beside.
  entry<void (*)(const char *)>("ggml_backend_load_all_from_path")(folder.c_str());
}

static void run(int threads, const char *folder, const char *path, bool decodes, int count) {
  open_library(folder);
  void *model = entry<void *(*)(const char *, Parameters)>("llama_model_load_from_file")(
      path, entry<Parameters (*)()>("llama_model_default_params")());
  if (!model) throw failure("the model cannot be loaded");
  Parameters parameters = entry<Parameters (*)()>("llama_context_default_params")();
  // n_ctx, n_batch and n_ubatch come first: a prompt is one batch.
  auto *sizes = reinterpret_cast<int32_t *>(parameters.bytes);
  sizes[0] = sizes[1] = sizes[2] = (count + 1 + 255) / 256 * 256;
  void *context = entry<void *(*)(void *, Parameters)>("llama_init_from_model")(model, parameters);
  if (!context) throw failure("no context");
  entry<void (*)(void *, int, int)>("llama_set_n_threads")(context, threads, threads);
  auto decode = entry<int (*)(void *, Batch)>("llama_decode");
  auto logits = entry<float *(*)(void *, int)>("llama_get_logits_ith");
  auto clear = entry<void (*)(void *, bool)>("llama_memory_clear");
  auto remove = entry<bool (*)(void *, int, int, int)>("llama_memory_seq_rm");
  void *memory = entry<void *(*)(void *)>("llama_get_memory")(context);
  const int vocabulary = entry<int (*)(const void *)>("llama_vocab_n_tokens")(
      entry<const void *(*)(const void *)>("llama_model_get_vocab")(model));

  std::vector<int32_t> tokens(count + 1);
  for (int i = 0; i <= count; i++) tokens[i] = (i * 7919 + 13) % 31999;
  auto feed = [&](int first, int many) {
    const Batch batch{many, tokens.data() + first, nullptr, nullptr, nullptr, nullptr, nullptr};
    if (decode(context, batch)) throw failure("a call fails");
    // Asking for them waits for the call's end.
    return logits(context, -1);
  };
  if (decodes) feed(0, count);
  auto call = [&] {
    if (!decodes) {
      clear(memory, true);
      return feed(0, count);
    }
    float *last = feed(count, 1);
    remove(memory, 0, count, -1);
    return last;
  };
  const float *last = call();
  if (const char *results = getenv("RESULTS")) write_npy(std::string(results) + "/logits.npy", last, {1, vocabulary});
  print("llama.cpp", threads, measure([&] { call(); }));
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: llamacpp THREADS FOLDER MODEL.gguf prompt|decode COUNT\n");
    return 2;
  }
  try {
    run(atoi(argv[1]), argv[2], argv[3], !strcmp(argv[4], "decode"), atoi(argv[5]));
  } catch (const std::exception &e) {
    fprintf(stderr, "llama.cpp: %s\n", e.what());
    return 1;
  }
  fflush(stdout);
  // Its threads need not be waited for.
  _exit(0);
}
