// Row-major f32 in files of NumPy and safetensors: a case's inputs and weights, and results for the harness to compare.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

// The last `count` floats of the file, which has to be as long as a header of whole 64 bytes and those.
inline void read_npy(const std::string &path, float *data, size_t count) {
  FILE *file = fopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error(path + ": cannot be read");
  fseek(file, -long(count * 4), SEEK_END);
  const bool whole = ftell(file) % 64 == 0 && fread(data, 4, count, file) == count;
  fclose(file);
  if (!whole) throw std::runtime_error(path + ": another size");
}

// A tensor of a safetensors file: the length of the header, the header, the data; our own writer puts the name before
// its places.
inline void read_weight(const std::string &path, const std::string &name, float *data, size_t count) {
  FILE *file = fopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error(path + ": cannot be read");
  uint64_t length = 0;
  bool whole = fread(&length, 8, 1, file) == 1 && length < 1 << 20;
  std::string header(whole ? length : 0, ' ');
  whole = whole && fread(&header[0], 1, length, file) == length;
  size_t at = whole ? header.find("\"" + name + "\"") : std::string::npos;
  if (at != std::string::npos) at = header.find("\"data_offsets\": [", at);
  whole = at != std::string::npos && !fseek(file, long(8 + length) + atol(header.c_str() + at + 17), SEEK_SET)
          && fread(data, 4, count, file) == count;
  fclose(file);
  if (!whole) throw std::runtime_error(path + ": no " + name + " of that size");
}

inline void write_npy(const std::string &path, const float *data, const std::vector<int64_t> &shape) {
  std::string sizes;
  size_t count = 1;
  for (auto extent : shape) {
    sizes += std::to_string(extent) + ",";
    count *= extent;
  }
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }";
  while ((header.size() + 11) % 64) header += ' ';
  header += '\n';
  FILE *file = fopen(path.c_str(), "wb");
  if (!file) throw std::runtime_error(path + ": cannot be written");
  const unsigned char start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(header.size() & 255),
                                 (unsigned char)(header.size() >> 8)};
  fwrite(start, 1, sizeof start, file);
  fwrite(header.data(), 1, header.size(), file);
  fwrite(data, 4, count, file);
  fclose(file);
}
