// What is called only on processors with these instructions is compiled for them; the package has no flags for single files.
#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("sse2"))), apply_to = function)
#include "vectors/blake3_sse2.c"
#pragma clang attribute pop
#endif
