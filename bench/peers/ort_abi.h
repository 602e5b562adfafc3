// The few entries of ONNX Runtime's C API table that the runner calls, by their position in API version 1, which only ever
// grows at its end. Enough to drive libonnxruntime.so without its header.
#pragma once
#include <cstddef>
#include <cstdint>

struct OrtApiBase {
  const void *const *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)();
};
extern "C" const OrtApiBase *OrtGetApiBase();

using OrtStatus = void;
using OrtEnv = void;
using OrtSession = void;
using OrtSessionOptions = void;
using OrtValue = void;
using OrtAllocator = void;
using OrtMemoryInfo = void;
using OrtTypeInfo = void;
using OrtTensorInfo = void;

enum { ORT_LOGGING_ERROR = 3, ORT_ENABLE_ALL = 99, ORT_ARENA = 1, ORT_MEM_DEFAULT = 0, ORT_FLOAT = 1, ORT_INT64 = 7 };

enum OrtEntry {
  GetErrorMessage = 2, CreateEnv = 3, CreateSession = 7, Run = 9, CreateSessionOptions = 10,
  SetGraphOptimizationLevel = 23, SetIntraOpNumThreads = 24, SetInterOpNumThreads = 25, SessionGetInputCount = 30,
  SessionGetOutputCount = 31, SessionGetInputTypeInfo = 33, SessionGetOutputTypeInfo = 34, SessionGetInputName = 36,
  SessionGetOutputName = 37, CreateTensorWithData = 49, CastTypeInfoToTensorInfo = 55, GetTensorElementType = 60,
  GetDimensionsCount = 61, GetDimensions = 62, CreateCpuMemoryInfo = 69, GetAllocator = 78,
};

struct Ort {
  const void *const *table;

  template <class... A> OrtStatus *call(OrtEntry entry, A... arguments) const {
    return ((OrtStatus * (*)(A...)) table[entry])(arguments...);
  }
  const char *message(OrtStatus *status) const { return ((const char *(*)(OrtStatus *))table[GetErrorMessage])(status); }
};
