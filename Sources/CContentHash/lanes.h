// Hashes LANES inputs side by side: lane i of each vector belongs to input i. Included once for each width.
//
// TARGET says for which instructions it is compiled; SUFFIX is part of the names.

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(name) JOIN(name, LANES)

typedef uint32_t NAME(lanes) __attribute__((vector_size(4 * LANES)));

#define TURN(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

#define MIX(a, b, c, d, x, y) \
    do { \
        v[a] += v[b] + (x); \
        v[d] = TURN(v[d] ^ v[a], 16); \
        v[c] += v[d]; \
        v[b] = TURN(v[b] ^ v[c], 12); \
        v[a] += v[b] + (y); \
        v[d] = TURN(v[d] ^ v[a], 8); \
        v[c] += v[d]; \
        v[b] = TURN(v[b] ^ v[c], 7); \
    } while (0)

#define ROUND(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15) \
    do { \
        MIX(0, 4, 8, 12, m[m0], m[m1]); \
        MIX(1, 5, 9, 13, m[m2], m[m3]); \
        MIX(2, 6, 10, 14, m[m4], m[m5]); \
        MIX(3, 7, 11, 15, m[m6], m[m7]); \
        MIX(0, 5, 10, 15, m[m8], m[m9]); \
        MIX(1, 6, 11, 12, m[m10], m[m11]); \
        MIX(2, 7, 8, 13, m[m12], m[m13]); \
        MIX(3, 4, 9, 14, m[m14], m[m15]); \
    } while (0)

// Turns rows into columns: afterwards vector i has the words that were in place i. Each pass merges row i with row i + half as
// cards are riffled; log2(LANES) such passes are the transposition.
TARGET static inline void NAME(transpose)(NAME(lanes) * rows) {
    NAME(lanes) other[LANES];
    for (int pass = 1; pass < LANES; pass *= 2) {
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES / 2; i++) {
            other[2 * i] = RIFFLE_LOW(rows[i], rows[i + LANES / 2]);
            other[2 * i + 1] = RIFFLE_HIGH(rows[i], rows[i + LANES / 2]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i++) rows[i] = other[i];
    }
}

// The inputs follow each other, `stride` bytes apart, and have `blocks` blocks each. The digests follow each other too.
TARGET static void NAME(hash_lanes)(
    const uint8_t *inputs, size_t stride, size_t blocks, uint64_t counter, uint32_t step, uint32_t flags,
    uint32_t first_flags, uint32_t last_flags, uint32_t (*digests)[8]) {
    NAME(lanes) chain[LANES < 8 ? 8 : LANES], zero = {0}, low = zero, high = zero;
    for (int i = 0; i < 8; i++) chain[i] = zero + start[i];
    for (int i = 0; i < LANES; i++) {
        uint64_t number = counter + (uint64_t)i * step;
        low[i] = (uint32_t)number;
        high[i] = (uint32_t)(number >> 32);
    }
    for (size_t block = 0; block < blocks; block++) {
        NAME(lanes) m[16];
#pragma clang loop unroll(full)
        for (int part = 0; part < 16; part += LANES) {
#pragma clang loop unroll(full)
            for (int i = 0; i < LANES; i++) {
                const uint8_t *from = inputs + (size_t)i * stride + block * 64 + (size_t)part * 4;
                __builtin_memcpy(&m[part + i], from, sizeof(m[0]));
                // So many places at a time are more than the processor foresees by itself.
                if (part == 0) __builtin_prefetch(from + 256);
            }
            NAME(transpose)(m + part);
        }
        uint32_t how = flags | (block == 0 ? first_flags : 0) | (block + 1 == blocks ? last_flags : 0);
        NAME(lanes) v[16] = {
            chain[0], chain[1], chain[2], chain[3], chain[4], chain[5], chain[6], chain[7],
            zero + start[0], zero + start[1], zero + start[2], zero + start[3], low, high, zero + 64, zero + how,
        };
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        ROUND(2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8);
        ROUND(3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1);
        ROUND(10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6);
        ROUND(12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4);
        ROUND(9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7);
        ROUND(11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13);
        for (int i = 0; i < 8; i++) chain[i] = v[i] ^ v[i + 8];
    }
    for (int i = 0; i < LANES; i++)
        for (int word = 0; word < 8; word++) digests[i][word] = chain[word][i];
}

#undef JOIN2
#undef JOIN
#undef NAME
#undef TURN
#undef MIX
#undef ROUND
#undef LANES
#undef TARGET
#undef RIFFLE_LOW
#undef RIFFLE_HIGH
