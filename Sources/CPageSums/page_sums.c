// A layer between SQLite and the file: it writes a sum into each page, and refuses a page that does not have its sum.
//
// Only pages of main database files have sums. SQLite has sums of its own in the write-ahead log, and checks them when it
// recovers one. A page is summed when it goes from the log to the file.
//
// The layer also sees to it that a disk that cannot be read just now is called that, in the file and in its logs.

#include "page_sums.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

// Of SQLite 3.47 and later: pages may be read in parts, which have no sum.
#define SUBPAGE_READ 0x00008000

// Some thirty pages: what all steps but those of plans change. It is taken in one piece, and more would be mapped anew each time.
enum { undo_bytes = 120 << 10 };

struct summed_file {
    sqlite3_file base;
    // Whether it is the database, and not a log of it.
    int is_main;
    // Whether the file's header says that pages have room for a sum.
    int is_summed;
    // The real file lies behind this struct, since SQLite gives room for both at once.
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs summed_vfs;
static _Atomic uint64_t last_damaged;

static struct summed_file *summed(sqlite3_file *file) { return (struct summed_file *)file; }
static sqlite3_file *real_of(sqlite3_file *file) { return summed(file)->real; }

uint64_t page_sums_of(const void *page, size_t bytes, uint64_t number) {
    // Each step is a bijection of the sum and of the word, so that a change of one word always shows.
    uint64_t sum = 0x9e3779b97f4a7c15u ^ (number * 0xff51afd7ed558ccdu);
    const unsigned char *next = page;
    for (size_t at = 0; at + 8 <= bytes - page_sums_bytes; at += 8) {
        uint64_t word;
        memcpy(&word, next + at, 8);
        sum ^= word;
        sum = ((sum << 29) | (sum >> 35)) * 0xc4ceb9fe1a85ec53u;
    }
    return sum ^ (sum >> 32);
}

int page_sums_hold(const void *page, size_t bytes, uint64_t number) {
    uint64_t found;
    memcpy(&found, (const unsigned char *)page + bytes - page_sums_bytes, page_sums_bytes);
    return found == page_sums_of(page, bytes, number);
}

uint64_t page_sums_last_damaged(void) { return atomic_load(&last_damaged); }

static int is_page(int amount, sqlite3_int64 offset) {
    return amount >= 512 && (amount & (amount - 1)) == 0 && offset % amount == 0;
}

// Learns from the header, whenever it passes, whether pages have room for a sum.
static void look_at_header(struct summed_file *file, const unsigned char *header) {
    if (file->is_main && memcmp(header, "SQLite format 3", 16) == 0) file->is_summed = header[20] == page_sums_bytes;
}

static int summed_read(sqlite3_file *file, void *buffer, int amount, sqlite3_int64 offset) {
    int code = real_of(file)->pMethods->xRead(real_of(file), buffer, amount, offset);
    // For EIO and its like SQLite 3.33 and later has this code, which it tells its caller as a malformed database
    // (vdbe.c, abort_due_to_error). A cable is no damage: the same read may succeed later, and the sums tell what is.
    if (code == SQLITE_IOERR_CORRUPTFS) return SQLITE_IOERR_READ;
    if (code == SQLITE_OK && offset == 0 && amount >= 100) look_at_header(summed(file), buffer);
    if (!summed(file)->is_summed || !is_page(amount, offset)) return code;
    uint64_t number = (uint64_t)(offset / amount) + 1;
    // A page that is not there reads as zeros, which SQLite would take for content.
    int is_damaged =
        code == SQLITE_IOERR_SHORT_READ || (code == SQLITE_OK && !page_sums_hold(buffer, (size_t)amount, number));
    if (!is_damaged) return code;
    atomic_store(&last_damaged, number);
    return SQLITE_IOERR_DATA;
}

static int summed_write(sqlite3_file *file, const void *buffer, int amount, sqlite3_int64 offset) {
    if (offset == 0 && amount >= 100) look_at_header(summed(file), buffer);
    if (summed(file)->is_summed && is_page(amount, offset)) {
        // The reserved bytes are nobody else's: SQLite hands over its own copy of the page, and never reads them.
        uint64_t sum = page_sums_of(buffer, (size_t)amount, (uint64_t)(offset / amount) + 1);
        memcpy((unsigned char *)buffer + amount - page_sums_bytes, &sum, page_sums_bytes);
    }
    return real_of(file)->pMethods->xWrite(real_of(file), buffer, amount, offset);
}

static int summed_close(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }
static int summed_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int summed_sync(sqlite3_file *file, int flags) { return real_of(file)->pMethods->xSync(real_of(file), flags); }
static int summed_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
static int summed_lock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
static int summed_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
static int summed_is_reserved(sqlite3_file *file, int *answer) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), answer);
}
static int summed_control(sqlite3_file *file, int operation, void *argument) {
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
static int summed_sector(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
static int summed_characteristics(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)) & ~SUBPAGE_READ;
}
static int summed_map(sqlite3_file *file, int region, int size, int extend, void volatile **address) {
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, address);
}
static int summed_map_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
static void summed_barrier(sqlite3_file *file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
static int summed_unmap(sqlite3_file *file, int removes) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), removes);
}

// Version 2: without xFetch, or pages would be read from a mapping, past the sums.
static const sqlite3_io_methods summed_methods = {
    .iVersion = 2,
    .xClose = summed_close,
    .xRead = summed_read,
    .xWrite = summed_write,
    .xTruncate = summed_truncate,
    .xSync = summed_sync,
    .xFileSize = summed_size,
    .xLock = summed_lock,
    .xUnlock = summed_unlock,
    .xCheckReservedLock = summed_is_reserved,
    .xFileControl = summed_control,
    .xSectorSize = summed_sector,
    .xDeviceCharacteristics = summed_characteristics,
    .xShmMap = summed_map,
    .xShmLock = summed_map_lock,
    .xShmBarrier = summed_barrier,
    .xShmUnmap = summed_unmap,
};

static int summed_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given) {
    (void)vfs;
    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)))
        return real_vfs->xOpen(real_vfs, name, file, flags, given);
    memset(file, 0, sizeof(struct summed_file));
    sqlite3_file *real = (sqlite3_file *)(summed(file) + 1);
    int code = real_vfs->xOpen(real_vfs, name, real, flags, given);
    // Without methods SQLite does not close it, so what was half opened is closed here.
    if (code != SQLITE_OK) {
        if (real->pMethods) real->pMethods->xClose(real);
        return code;
    }
    summed(file)->real = real;
    summed(file)->is_main = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    file->pMethods = &summed_methods;
    return SQLITE_OK;
}

int page_sums_register(void) {
    if (real_vfs) return SQLITE_OK;
    // What a step has changed is kept so that it can be undone alone: in memory as far as this. By default it is a temporary file
    // from 64 KiB on, which took three times as many writes as all commits together. Refused when SQLite is in use already, which
    // only makes it slower.
    (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, undo_bytes);
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    if (!found) return SQLITE_ERROR;
    summed_vfs = *found;
    summed_vfs.pNext = NULL;
    summed_vfs.zName = "page-sums";
    summed_vfs.szOsFile += (int)sizeof(struct summed_file);
    summed_vfs.xOpen = summed_open;
    real_vfs = found;
    return sqlite3_vfs_register(&summed_vfs, 1);
}

int page_sums_reserve(struct sqlite3 *connection) {
    int bytes = page_sums_bytes;
    return sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}
