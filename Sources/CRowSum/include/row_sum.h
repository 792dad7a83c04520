#pragma once

#include <stddef.h>
#include <stdint.h>

// Whether this processor has instructions for SHA-256; without them `row_sum` must not be called.
int row_sum_is_possible(void);

// The SHA-256 of bytes that lie together, by these instructions.
//
// Libraries of cryptography are made for large texts and for secrets: for the two hundred bytes of a row, what they do before and after
// costs as much as the sum. A row is no secret.
void row_sum(const void *bytes, size_t count, uint8_t sum[32]);
