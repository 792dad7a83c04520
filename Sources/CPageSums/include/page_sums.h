// Sums over the pages of SQLite files that have eight reserved bytes in each page; other files pass untouched.
#ifndef PAGE_SUMS_H
#define PAGE_SUMS_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/// How many bytes at the end of each page hold its sum.
enum { page_sums_bytes = 8 };

/// Makes the sums part of every file that this process opens with SQLite from now on; SQLite's result code.
int page_sums_register(void);

/// Asks that a new file, or one that is vacuumed next, gets the reserved bytes; SQLite's result code.
int page_sums_reserve(struct sqlite3 *connection);

/// The sum of a page without its last eight bytes. It depends on the page's number, counted from 1.
uint64_t page_sums_of(const void *page, size_t bytes, uint64_t number);

/// Whether the sum in a page is that of its bytes.
int page_sums_hold(const void *page, size_t bytes, uint64_t number);

/// The number of the page that was found damaged last in this process; 0 when none was.
uint64_t page_sums_last_damaged(void);

#endif
