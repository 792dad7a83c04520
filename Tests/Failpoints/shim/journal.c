// What a process changed beneath the root, for working out what a loss of power would have left.
//
// Records in the order of their effect, each a line: its letter and fields separated by zero bytes, then bytes of data where
// a record has them.
#include "shim.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int journal = -2;

static int file(void) {
    if (journal == -2) {
        const char *path = getenv("FAILPOINTS_JOURNAL");
        journal = path ? (int)shim_raw(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    }
    return journal;
}

int shim_has_journal(void) { return file() >= 0; }

static int is_inside(const char *path) {
    char class[longest_name];
    return shim_class(path, class);
}

static void put(const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        long written = shim_raw(SYS_write, file(), rest, count);
        if (written <= 0) shim_die();
        rest += written;
        count -= (size_t)written;
    }
}

/// {"op": what, "path": from, "to": to, "inode": n, "number": n, "bytes": n}, as a line of fields.
static void record(const char *what, const char *path, const char *to, uint64_t inode, int64_t number, size_t bytes) {
    char line[PATH_MAX * 2 + 128];
    int count = snprintf(
        line, sizeof line, "%s\t%s\t%s\t%llu\t%lld\t%zu\n", what, path, to, (unsigned long long)inode, (long long)number,
        bytes);
    put(line, (size_t)count);
}

void shim_journal_name(const char *what, const char *from, const char *to, uint64_t inode) {
    if (shim_has_journal() && (is_inside(from) || is_inside(to))) record(what, from, to, inode, 0, 0);
}

static uint64_t inode_of(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

void shim_journal_data(int fd, const void *bytes, size_t count, int64_t offset) {
    char path[PATH_MAX];
    if (!shim_has_journal() || !shim_path_of(fd, path, sizeof path) || !is_inside(path)) return;
    record("write", path, "", inode_of(fd), offset, count);
    put(bytes, count);
}

void shim_journal_fd(const char *what, int fd, int64_t number) {
    char path[PATH_MAX];
    if (shim_has_journal() && shim_path_of(fd, path, sizeof path) && is_inside(path)) {
        record(what, path, "", inode_of(fd), number, 0);
    }
}
