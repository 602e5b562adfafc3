// The few functions of oneDNN 3's C API that the runner calls, found inside libtorch_cpu.so, which was linked with it:
// they are local symbols there, so their places are read from the file's symbol table. Types are pointers and
// enumerations their numbers, by hand.
#pragma once
#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>

enum DnnlType { DNNL_BF16 = 2, DNNL_F32 = 3 };
enum DnnlTag { DNNL_ANY = 1, DNNL_A = 2, DNNL_AB = 3, DNNL_ABCD = 5, DNNL_ABCDE = 6 };
enum DnnlQuery { DNNL_QUERY_SRC = 129, DNNL_QUERY_WEIGHTS = 131, DNNL_QUERY_DST = 133 };
enum DnnlArgumentIndex { DNNL_SRC = 1, DNNL_DST = 17, DNNL_WEIGHTS = 33, DNNL_BIAS = 41 };
enum { DNNL_CPU = 1, DNNL_IN_ORDER = 1, DNNL_INFERENCE = 96, DNNL_DIRECT = 1, DNNL_WINOGRAD = 2, DNNL_MOST_DIMENSIONS = 12 };

struct DnnlArgument {
  int index;
  void *memory;
};

class Dnnl3 {
  std::unordered_map<std::string, uint64_t> places;
  uint64_t base = 0;

public:
  explicit Dnnl3(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) throw std::runtime_error(dlerror());
    link_map *map = nullptr;
    dlinfo(library, RTLD_DI_LINKMAP, &map);
    base = map->l_addr;
    const int file = open(path, O_RDONLY);
    struct stat status;
    fstat(file, &status);
    auto *bytes = static_cast<const char *>(mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, file, 0));
    auto *header = reinterpret_cast<const Elf64_Ehdr *>(bytes);
    auto *sections = reinterpret_cast<const Elf64_Shdr *>(bytes + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
      if (sections[i].sh_type != SHT_SYMTAB) continue;
      const char *names = bytes + sections[sections[i].sh_link].sh_offset;
      auto *symbols = reinterpret_cast<const Elf64_Sym *>(bytes + sections[i].sh_offset);
      for (size_t k = 0; k < sections[i].sh_size / sizeof *symbols; k++) {
        const char *name = names + symbols[k].st_name;
        if (!strncmp(name, "dnnl_", 5)) places[name] = symbols[k].st_value;
      }
    }
    munmap(const_cast<char *>(bytes), status.st_size);
    close(file);
  }

  template <class R = int, class... A> R call(const char *name, A... arguments) const {
    auto at = places.find(name);
    if (at == places.end()) throw std::runtime_error(std::string("this libtorch has no ") + name);
    return reinterpret_cast<R (*)(A...)>(base + at->second)(arguments...);
  }
};
