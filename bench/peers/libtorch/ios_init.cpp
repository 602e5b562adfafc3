// The one symbol of GCC 13's libstdc++ that TorchSharp's library needs and Debian 12's lacks: it sets up std::cout.
// Preloaded.
#include <iostream>

extern "C" void _ZSt21ios_base_library_initv() {
  static std::ios_base::Init once;
}
