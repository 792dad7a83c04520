// The tree of BLAKE3, and how wide this processor hashes its leaves.

#include "content_hash.h"

#include <stdatomic.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are taken from memory as they lie there, which is BLAKE3's order on little-endian machines only"
#endif

static const uint32_t start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

enum { chunk_start = 1, chunk_end = 2, parent = 4, root = 8 };
enum { chunk_bytes = content_hash_chunk_bytes, block_bytes = 64, widest = 16 };

// MARK: One block

static uint32_t turned(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void mix(uint32_t *v, int a, int b, int c, int d, uint32_t x, uint32_t y) {
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 7);
}

static void compress(
    uint32_t chain[8], const uint8_t *block, uint32_t bytes, uint64_t counter, uint32_t flags) {
    static const uint8_t order[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
    uint32_t m[16] = {0}, next[16];
    memcpy(m, block, bytes);
    uint32_t v[16] = {
        chain[0], chain[1], chain[2], chain[3], chain[4], chain[5], chain[6], chain[7], start[0], start[1],
        start[2], start[3], (uint32_t)counter, (uint32_t)(counter >> 32), bytes, flags,
    };
    for (int round = 0; round < 7; round++) {
        mix(v, 0, 4, 8, 12, m[0], m[1]);
        mix(v, 1, 5, 9, 13, m[2], m[3]);
        mix(v, 2, 6, 10, 14, m[4], m[5]);
        mix(v, 3, 7, 11, 15, m[6], m[7]);
        mix(v, 0, 5, 10, 15, m[8], m[9]);
        mix(v, 1, 6, 11, 12, m[10], m[11]);
        mix(v, 2, 7, 8, 13, m[12], m[13]);
        mix(v, 3, 4, 9, 14, m[14], m[15]);
        for (int i = 0; i < 16; i++) next[i] = m[order[i]];
        memcpy(m, next, sizeof m);
    }
    for (int i = 0; i < 8; i++) chain[i] = v[i] ^ v[i + 8];
}

// A chunk of at most 1 KiB; one of no bytes still has a block. The flags are those of its last block.
static void hash_chunk(const uint8_t *bytes, size_t count, uint64_t number, uint32_t flags, uint32_t digest[8]) {
    uint32_t first = chunk_start;
    memcpy(digest, start, sizeof start);
    for (; count > block_bytes; count -= block_bytes, bytes += block_bytes) {
        compress(digest, bytes, block_bytes, number, first);
        first = 0;
    }
    compress(digest, bytes, (uint32_t)count, number, flags | first | chunk_end);
}

// The digest may lie where the first child does.
static void join(const uint32_t children[2][8], uint32_t flags, uint32_t digest[8]) {
    uint32_t joined[8];
    memcpy(joined, start, sizeof joined);
    compress(joined, (const uint8_t *)children, block_bytes, 0, flags | parent);
    memcpy(digest, joined, sizeof joined);
}

// MARK: Many inputs at a time

#define RIFFLE4(a, b, i) __builtin_shufflevector(a, b, i, i + 4, i + 1, i + 5)
#define RIFFLE8(a, b, i) __builtin_shufflevector(a, b, i, i + 8, i + 1, i + 9, i + 2, i + 10, i + 3, i + 11)
#define RIFFLE16(a, b, i) \
    __builtin_shufflevector( \
        a, b, i, i + 16, i + 1, i + 17, i + 2, i + 18, i + 3, i + 19, i + 4, i + 20, i + 5, i + 21, i + 6, i + 22, i + 7, \
        i + 23)

#define LANES 4
#define TARGET
#define RIFFLE_LOW(a, b) RIFFLE4(a, b, 0)
#define RIFFLE_HIGH(a, b) RIFFLE4(a, b, 2)
#include "lanes.h"

#if defined(__x86_64__)
#define LANES 8
#define TARGET __attribute__((target("avx2")))
#define RIFFLE_LOW(a, b) RIFFLE8(a, b, 0)
#define RIFFLE_HIGH(a, b) RIFFLE8(a, b, 4)
#include "lanes.h"

#define LANES 16
#define TARGET __attribute__((target("avx512f,avx512vl")))
#define RIFFLE_LOW(a, b) RIFFLE16(a, b, 0)
#define RIFFLE_HIGH(a, b) RIFFLE16(a, b, 8)
#include "lanes.h"
#endif

static _Atomic int width_limit = widest;

int content_hash_width(void) {
    int width = 4;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) width = 8;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) width = 16;
#endif
    int limit = atomic_load_explicit(&width_limit, memory_order_relaxed);
    return width < limit ? width : limit;
}

void content_hash_limit_width(int width) { atomic_store(&width_limit, width); }

// Hashes inputs that follow each other: whole chunks, which are numbered, or pairs of digests, which are not.
static void hash_all(
    const uint8_t *inputs, size_t count, size_t blocks, uint64_t counter, uint32_t flags, uint32_t first_flags,
    uint32_t last_flags, int width, uint32_t (*digests)[8]) {
    const uint32_t step = blocks > 1;
    const size_t stride = blocks * block_bytes;
    while (count > 0) {
        size_t taken;
#if defined(__x86_64__)
        if (width >= 16 && count >= 16) {
            hash_lanes16(inputs, stride, blocks, counter, step, flags, first_flags, last_flags, digests);
            taken = 16;
        } else if (width >= 8 && count >= 8) {
            hash_lanes8(inputs, stride, blocks, counter, step, flags, first_flags, last_flags, digests);
            taken = 8;
        } else
#endif
        if (width >= 4 && count >= 4) {
            hash_lanes4(inputs, stride, blocks, counter, step, flags, first_flags, last_flags, digests);
            taken = 4;
        } else {
            if (step) {
                hash_chunk(inputs, chunk_bytes, counter, 0, *digests);
            } else {
                join((const uint32_t(*)[8])(const void *)inputs, 0, *digests);
            }
            taken = 1;
        }
        inputs += taken * stride;
        digests += taken;
        counter += step * taken;
        count -= taken;
    }
}

// MARK: The tree

// As many chunks are hashed before their digests are joined, so that joining has full lanes too.
enum { batch_chunks = 256 };

// Hashes a subtree of `count` whole chunks, a power of two of at least 2, down to the last two digests: whether it is the
// whole tree, whose root is joined differently, only what comes after it tells.
static void hash_subtree(const uint8_t *bytes, size_t count, uint64_t number, int width, uint32_t halves[2][8]) {
    if (count > batch_chunks) {
        uint32_t quarters[2][8];
        for (int half = 0; half < 2; half++) {
            hash_subtree(
                bytes + (size_t)half * (count / 2) * chunk_bytes, count / 2, number + (uint64_t)half * (count / 2), width,
                quarters);
            join((const uint32_t(*)[8])quarters, 0, halves[half]);
        }
        return;
    }
    uint32_t digests[batch_chunks][8];
    hash_all(
        bytes, count, chunk_bytes / block_bytes, number, 0, chunk_start, chunk_end, width, digests);
    // In place: a parent lies before its children, and lanes are read before they are written.
    for (; count > 2; count /= 2) hash_all((const uint8_t *)digests, count / 2, 1, 0, parent, 0, 0, width, digests);
    memcpy(halves, digests, 2 * sizeof digests[0]);
}

void content_hash_begin(struct content_hash *hash) {
    hash->root_count = 0;
    hash->chunks = 0;
    hash->rest_bytes = 0;
}

// Joins what is whole by now. As many subtrees are whole as the number of chunks has ones; only called when more bytes follow,
// so none of them is the whole tree.
static void settle(struct content_hash *hash) {
    while (hash->root_count > (size_t)__builtin_popcountll(hash->chunks)) {
        uint32_t(*last)[8] = &hash->roots[hash->root_count - 2];
        join((const uint32_t(*)[8])last, 0, *last);
        hash->root_count--;
    }
}

void content_hash_add(struct content_hash *hash, const void *input, size_t count) {
    const uint8_t *bytes = input;
    const int width = content_hash_width();
    while (count > 0) {
        settle(hash);
        if (hash->rest_bytes == chunk_bytes) {
            hash_chunk(hash->rest, chunk_bytes, hash->chunks, 0, hash->roots[hash->root_count++]);
            hash->chunks++;
            hash->rest_bytes = 0;
            continue;
        }
        if (hash->rest_bytes > 0 || count <= chunk_bytes) {
            size_t room = chunk_bytes - hash->rest_bytes, taken = count < room ? count : room;
            memcpy(hash->rest + hash->rest_bytes, bytes, taken);
            hash->rest_bytes += taken;
            bytes += taken;
            count -= taken;
            continue;
        }
        // The largest subtree that begins here and is whole.
        size_t chunks = (size_t)1 << (63 - __builtin_clzll((uint64_t)(count / chunk_bytes)));
        while (hash->chunks & (chunks - 1)) chunks /= 2;
        if (chunks == 1) {
            hash_chunk(bytes, chunk_bytes, hash->chunks, 0, hash->roots[hash->root_count++]);
        } else {
            hash_subtree(bytes, chunks, hash->chunks, width, &hash->roots[hash->root_count]);
            hash->root_count += 2;
        }
        hash->chunks += chunks;
        bytes += chunks * chunk_bytes;
        count -= chunks * chunk_bytes;
    }
}

void content_hash_end(const struct content_hash *hash, uint8_t digest[content_hash_bytes]) {
    uint32_t pair[2][8], last[8];
    size_t left = hash->root_count;
    // Nothing at all is a chunk too.
    const int has_rest = hash->rest_bytes > 0 || hash->root_count == 0;
    if (has_rest) {
        hash_chunk(hash->rest, hash->rest_bytes, hash->chunks, left == 0 ? root : 0, last);
    } else {
        memcpy(last, hash->roots[--left], sizeof last);
    }
    while (left > 0) {
        memcpy(pair[0], hash->roots[--left], sizeof pair[0]);
        memcpy(pair[1], last, sizeof pair[1]);
        join((const uint32_t(*)[8])pair, left == 0 ? root : 0, last);
    }
    memcpy(digest, last, content_hash_bytes);
}
