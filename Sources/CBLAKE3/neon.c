#if defined(__aarch64__)
#include "vectors/blake3_neon.c"
#endif
