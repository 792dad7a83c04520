#ifndef CONTENT_HASH_H
#define CONTENT_HASH_H

#include <stddef.h>
#include <stdint.h>

// BLAKE3, as far as contents need it: no key, 32 bytes of output. https://github.com/BLAKE3-team/BLAKE3-specs
//
// Its tree lets one core hash sixteen stretches of 1 KiB side by side, which is several times as fast as the processor's own
// SHA-256, and as fast as the bytes come. It is the only reason not to take SHA-256.

enum {
    content_hash_bytes = 32,
    content_hash_chunk_bytes = 1024,
    // A subtree holds at least one chunk, and all of them at most 2^64 bytes.
    content_hash_depth = 54,
};

struct content_hash {
    // The roots of the subtrees that are whole, from the largest to the smallest.
    uint32_t roots[content_hash_depth + 1][8];
    size_t root_count;
    // How many chunks are in them.
    uint64_t chunks;
    // Of the chunk that is not in them: the last one is hashed differently, and any may be the last.
    uint8_t rest[content_hash_chunk_bytes];
    size_t rest_bytes;
};

void content_hash_begin(struct content_hash *hash);
void content_hash_add(struct content_hash *hash, const void *bytes, size_t count);
// Leaves the hash as it is, so that more may be added.
void content_hash_end(const struct content_hash *hash, uint8_t digest[content_hash_bytes]);

// For tests: how wide this processor is used (16, 8 or 4 stretches side by side), and the most that is to be used from now on.
int content_hash_width(void);
void content_hash_limit_width(int width);

#endif
