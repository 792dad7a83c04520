// SHA-256 (FIPS 180-4) of short texts by the instructions that processors have for it.

#include "row_sum.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

int row_sum_is_possible(void) {
    unsigned a, b, c, d;
    // SSSE3 and SSE4.1 beside SHA itself: they bring the bytes into order.
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// The state as the instructions want it: two words of each half in one register.
struct state {
    __m128i abef;
    __m128i cdgh;
};

__attribute__((target("sha,ssse3,sse4.1"))) static inline void take_block(struct state *state, const uint8_t *block) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abef = state->abef, cdgh = state->cdgh;
    __m128i words[4];
    for (int i = 0; i < 4; i++)
        words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), big_endian);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
        __m128i four = _mm_add_epi32(words[i & 3], _mm_load_si128((const __m128i *)(constants + 4 * i)));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, four);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(four, 0x0e));
        if (i < 12) {
            // The four words that come sixteen words later.
            __m128i next = _mm_sha256msg1_epu32(words[i & 3], words[(i + 1) & 3]);
            next = _mm_add_epi32(next, _mm_alignr_epi8(words[(i + 3) & 3], words[(i + 2) & 3], 4));
            words[i & 3] = _mm_sha256msg2_epu32(next, words[(i + 3) & 3]);
        }
    }
    state->abef = _mm_add_epi32(state->abef, abef);
    state->cdgh = _mm_add_epi32(state->cdgh, cdgh);
}

__attribute__((target("sha,ssse3,sse4.1"))) void row_sum(const void *bytes, size_t count, uint8_t sum[32]) {
    // The words a…h of the standard's beginning, in the order of the registers.
    struct state state = {
        _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
        _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19),
    };
    const uint8_t *next = bytes;
    size_t left = count;
    for (; left >= 64; left -= 64, next += 64) take_block(&state, next);

    // What is left, a one, zeros, and how many bits there were.
    uint8_t tail[128] = {0};
    size_t length = left < 56 ? 64 : 128;
    if (left > 0) memcpy(tail, next, left);
    tail[left] = 0x80;
    uint64_t bits = __builtin_bswap64((uint64_t)count * 8);
    memcpy(tail + length - 8, &bits, 8);
    for (size_t at = 0; at < length; at += 64) take_block(&state, tail + at);

    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    // From f e b a and h g d c, the lowest word first, to a b c d and e f g h.
    __m128i feba = state.abef, hgdc = state.cdgh;
    __m128i dcba = _mm_unpackhi_epi64(hgdc, feba);
    __m128i hgfe = _mm_unpacklo_epi64(hgdc, feba);
    __m128i abcd = _mm_shuffle_epi32(dcba, 0x1b);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    _mm_storeu_si128((__m128i *)sum, _mm_shuffle_epi8(abcd, big_endian));
    _mm_storeu_si128((__m128i *)(sum + 16), _mm_shuffle_epi8(efgh, big_endian));
}

#else

int row_sum_is_possible(void) { return 0; }

void row_sum(const void *bytes, size_t count, uint8_t sum[32]) { __builtin_trap(); }

#endif
