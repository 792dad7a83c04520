// The calls that are watched: everything by which the daemon changes, reads or sends something.
//
// Each asks `shim_at` first, and does what it says. What is outside the root, and no connection, passes untouched.
#include "shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <linux/openat2.h>
#include <unistd.h>

extern void *shim_next(const char *name);

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = shim_next(#name)

#define FAIL_IF_ASKED(verdict) \
    if (verdict.error) { \
        shim_done(verdict); \
        errno = verdict.error; \
        return -1; \
    }

/// The class of an open file; false where calls on it are not watched.
static int class_of(int fd, char class[longest_name]) {
    char path[PATH_MAX];
    return shim_is_on() && shim_path_of(fd, path, sizeof path) && shim_class(path, class);
}

static uint64_t inode_at(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 ? status.st_ino : 0;
}

// MARK: opening

static int open_watched(int folder, const char *path, int flags, mode_t mode, const struct open_how *how, size_t size) {
    char whole[PATH_MAX], class[longest_name];
    // After a loss of power the machine has been started anew.
    const char *boot = getenv("FAILPOINTS_BOOT_ID");
    if (boot && path && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) path = boot;
    shim_resolve(folder, path, whole, sizeof whole);
    int is_watched = shim_is_on() && shim_class(whole, class);
    struct verdict verdict = {0};
    int makes = 0;
    if (is_watched) {
        verdict = shim_at(flags & O_CREAT ? "create" : "open", class);
        FAIL_IF_ASKED(verdict);
        makes = (flags & O_CREAT) && inode_at(whole) == 0;
    }
    int fd = how ? (int)shim_raw(SYS_openat2, folder, path, how, size)
                 : (int)shim_raw(SYS_openat, folder, path, flags, mode);
    int error = errno;
    if (is_watched) {
        if (fd >= 0 && makes) shim_journal_name("create", whole, "", inode_at(whole));
        if (fd >= 0 && !makes && (flags & O_TRUNC)) shim_journal_fd("truncate", fd, 0);
        shim_done(verdict);
    }
    errno = error;
    return fd;
}

static mode_t mode_of(int flags, va_list list) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list list; \
        va_start(list, flags); \
        mode_t mode = mode_of(flags, list); \
        va_end(list); \
        return open_watched(AT_FDCWD, path, flags, mode, NULL, 0); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list list; \
        va_start(list, flags); \
        mode_t mode = mode_of(flags, list); \
        va_end(list); \
        return open_watched(folder, path, flags, mode, NULL, 0); \
    }
OPENAT(openat)
OPENAT(openat64)

long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
    long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2) {
        const struct open_how *how = (const struct open_how *)c;
        return open_watched((int)a, (const char *)b, (int)how->flags, 0, how, (size_t)d);
    }
    return shim_raw(number, a, b, c, d, e, f);
}

// MARK: reading and writing

/// What `half` of so many bytes is, and never nothing.
static size_t part(struct verdict verdict, size_t count) { return verdict.half && count > 1 ? count / 2 : count; }

ssize_t write(int fd, const void *bytes, size_t count) {
    char class[longest_name];
    if (!class_of(fd, class)) return shim_raw(SYS_write, fd, bytes, count);
    struct verdict verdict = shim_at("write", class);
    FAIL_IF_ASKED(verdict);
    int64_t offset = shim_raw(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t written = shim_raw(SYS_write, fd, bytes, part(verdict, count));
    if (written > 0) shim_journal_data(fd, bytes, (size_t)written, offset);
    shim_done(verdict);
    return written;
}

/// What is written to a write-ahead log: the frame that begins a transaction, one on the way, or the one that commits it.
///
/// A frame is a header of 24 bytes, whose second word is not zero in the last of a transaction, and a page.
static const char *part_of_log(const char *class, const void *bytes, size_t count) {
    static int begins = 1, commits;
    size_t length = strlen(class);
    if (length < 4 || strcmp(class + length - 4, "-wal") != 0) return "write";
    if (count == 32) return "begin log";
    if (count != 24) return commits ? "commit page" : "page";
    const unsigned char *word = (const unsigned char *)bytes + 4;
    commits = word[0] || word[1] || word[2] || word[3];
    const char *part = commits ? "commit" : begins ? "begin" : "frame";
    begins = commits;
    return part;
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off_t offset) {
    char class[longest_name];
    if (!class_of(fd, class)) return shim_raw(SYS_pwrite64, fd, bytes, count, offset);
    struct verdict verdict = shim_at(part_of_log(class, bytes, count), class);
    FAIL_IF_ASKED(verdict);
    ssize_t written = shim_raw(SYS_pwrite64, fd, bytes, part(verdict, count), offset);
    if (written > 0) shim_journal_data(fd, bytes, (size_t)written, offset);
    shim_done(verdict);
    return written;
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return write_at(fd, bytes, count, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return write_at(fd, bytes, count, offset); }

ssize_t read(int fd, void *bytes, size_t count) {
    char class[longest_name];
    if (!class_of(fd, class)) return shim_raw(SYS_read, fd, bytes, count);
    struct verdict verdict = shim_at("read", class);
    FAIL_IF_ASKED(verdict);
    ssize_t taken = shim_raw(SYS_read, fd, bytes, part(verdict, count));
    shim_done(verdict);
    return taken;
}

static ssize_t read_at(int fd, void *bytes, size_t count, off_t offset) {
    char class[longest_name];
    if (!class_of(fd, class)) return shim_raw(SYS_pread64, fd, bytes, count, offset);
    struct verdict verdict = shim_at("read", class);
    FAIL_IF_ASKED(verdict);
    ssize_t taken = shim_raw(SYS_pread64, fd, bytes, part(verdict, count), offset);
    shim_done(verdict);
    return taken;
}
ssize_t pread(int fd, void *bytes, size_t count, off_t offset) { return read_at(fd, bytes, count, offset); }
ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) { return read_at(fd, bytes, count, offset); }

/// Refused as a file system without it would, so that what is copied passes through `write`.
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t count, unsigned flags) {
    char class[longest_name];
    if (class_of(to, class)) {
        errno = EXDEV;
        return -1;
    }
    return shim_raw(SYS_copy_file_range, from, at, to, there, count, flags);
}

static int truncate_watched(int fd, off_t length) {
    char class[longest_name];
    if (!class_of(fd, class)) return (int)shim_raw(SYS_ftruncate, fd, length);
    struct verdict verdict = shim_at("truncate", class);
    FAIL_IF_ASKED(verdict);
    int result = (int)shim_raw(SYS_ftruncate, fd, length);
    if (result == 0) shim_journal_fd("truncate", fd, length);
    shim_done(verdict);
    return result;
}
int ftruncate(int fd, off_t length) { return truncate_watched(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_watched(fd, length); }

// MARK: making durable

static int sync_watched(const char *op, long number, int fd) {
    char class[longest_name];
    if (!class_of(fd, class)) return (int)shim_raw(number, fd);
    struct verdict verdict = shim_at(op, class);
    FAIL_IF_ASKED(verdict);
    int result = (int)shim_raw(number, fd);
    if (result == 0) shim_journal_fd(op, fd, 0);
    shim_done(verdict);
    return result;
}
int fsync(int fd) { return sync_watched("sync", SYS_fsync, fd); }
int fdatasync(int fd) { return sync_watched("sync", SYS_fdatasync, fd); }
int syncfs(int fd) { return sync_watched("syncfs", SYS_syncfs, fd); }

// MARK: names

/// Calls on one name: unlink, rmdir, mkdir.
static int on_name(const char *op, int folder, const char *path, long number, long third) {
    char whole[PATH_MAX], class[longest_name];
    shim_resolve(folder, path, whole, sizeof whole);
    if (!shim_is_on() || !shim_class(whole, class)) return (int)shim_raw(number, folder, path, third);
    struct verdict verdict = shim_at(op, class);
    FAIL_IF_ASKED(verdict);
    uint64_t inode = inode_at(whole);
    int result = (int)shim_raw(number, folder, path, third);
    int error = errno;
    if (result == 0) shim_journal_name(op, whole, "", inode);
    shim_done(verdict);
    errno = error;
    return result;
}
int unlink(const char *path) { return on_name("unlink", AT_FDCWD, path, SYS_unlinkat, 0); }
int unlinkat(int folder, const char *path, int flags) {
    return on_name(flags & AT_REMOVEDIR ? "rmdir" : "unlink", folder, path, SYS_unlinkat, flags);
}
int rmdir(const char *path) { return on_name("rmdir", AT_FDCWD, path, SYS_unlinkat, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t mode) { return on_name("mkdir", AT_FDCWD, path, SYS_mkdirat, (long)mode); }
int mkdirat(int folder, const char *path, mode_t mode) {
    return on_name("mkdir", folder, path, SYS_mkdirat, (long)mode);
}

/// Calls on two names: rename and link. The class is that of the new one.
static int on_names(const char *op, int from, const char *old, int to, const char *new, long number, long flags) {
    char source[PATH_MAX], target[PATH_MAX], class[longest_name];
    shim_resolve(from, old, source, sizeof source);
    shim_resolve(to, new, target, sizeof target);
    if (!shim_is_on() || (!shim_class(target, class) && !shim_class(source, class))) {
        return (int)shim_raw(number, from, old, to, new, flags);
    }
    struct verdict verdict = shim_at(op, class);
    FAIL_IF_ASKED(verdict);
    uint64_t inode = inode_at(source);
    int result = (int)shim_raw(number, from, old, to, new, flags);
    int error = errno;
    if (result == 0) shim_journal_name(op, source, target, inode);
    shim_done(verdict);
    errno = error;
    return result;
}
int rename(const char *old, const char *new) {
    return on_names("rename", AT_FDCWD, old, AT_FDCWD, new, SYS_renameat2, 0);
}
int renameat(int from, const char *old, int to, const char *new) {
    return on_names("rename", from, old, to, new, SYS_renameat2, 0);
}
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return on_names("rename", from, old, to, new, SYS_renameat2, (long)flags);
}
int link(const char *old, const char *new) { return on_names("link", AT_FDCWD, old, AT_FDCWD, new, SYS_linkat, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
    return on_names("link", from, old, to, new, SYS_linkat, flags);
}

static int on_file(const char *op, int fd, long number, long first, long second, long third, long fourth) {
    char class[longest_name];
    if (!class_of(fd, class)) return (int)shim_raw(number, first, second, third, fourth);
    struct verdict verdict = shim_at(op, class);
    FAIL_IF_ASKED(verdict);
    int result = (int)shim_raw(number, first, second, third, fourth);
    int error = errno;
    shim_done(verdict);
    errno = error;
    return result;
}
int fchmod(int fd, mode_t mode) { return on_file("chmod", fd, SYS_fchmod, fd, (long)mode, 0, 0); }
int futimens(int fd, const struct timespec times[2]) {
    return on_file("utimens", fd, SYS_utimensat, fd, 0, (long)times, 0);
}

int inotify_add_watch(int queue, const char *path, uint32_t mask) {
    char whole[PATH_MAX], class[longest_name];
    shim_resolve(AT_FDCWD, path, whole, sizeof whole);
    int is_watched = shim_is_on();
    if (is_watched && !shim_class(whole, class)) {
        // By /proc/self/fd, where the folder was opened before.
        char behind[PATH_MAX];
        long count = shim_raw(SYS_readlinkat, AT_FDCWD, path, behind, sizeof behind - 1);
        if (count > 0) behind[count] = 0;
        is_watched = count > 0 && shim_class(behind, class);
    }
    if (!is_watched) return (int)shim_raw(SYS_inotify_add_watch, queue, path, (long)mask);
    struct verdict verdict = shim_at("watch", class);
    FAIL_IF_ASKED(verdict);
    int result = (int)shim_raw(SYS_inotify_add_watch, queue, path, (long)mask);
    int error = errno;
    shim_done(verdict);
    errno = error;
    return result;
}

// MARK: connections

int close(int fd) {
    shim_end_requests(fd);
    return (int)shim_raw(SYS_close, fd);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (!shim_is_on() || address->sa_family != AF_INET) return (int)shim_raw(SYS_connect, fd, address, length);
    shim_begin_requests(fd);
    struct verdict verdict = shim_at("connect", "net");
    FAIL_IF_ASKED(verdict);
    int result = (int)shim_raw(SYS_connect, fd, address, length);
    int error = errno;
    shim_done(verdict);
    errno = error;
    return result;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    const char *request = shim_is_on() ? shim_request(fd, bytes, count) : NULL;
    if (!request) return shim_raw(SYS_sendto, fd, bytes, count, flags, 0, 0);
    char class[longest_name];
    snprintf(class, sizeof class, "net/%s", request);
    struct verdict verdict = shim_at("send", class);
    FAIL_IF_ASKED(verdict);
    ssize_t sent = shim_raw(SYS_sendto, fd, bytes, part(verdict, count), flags, 0, 0);
    int error = errno;
    shim_done(verdict);
    errno = error;
    return sent;
}

ssize_t recv(int fd, void *bytes, size_t count, int flags) {
    const char *request = shim_is_on() && !(flags & MSG_PEEK) ? shim_request(fd, "", 0) : NULL;
    if (!request) return shim_raw(SYS_recvfrom, fd, bytes, count, flags, 0, 0);
    // Only a call that brings something counts: how often nothing was there yet is chance.
    ssize_t taken = shim_raw(SYS_recvfrom, fd, bytes, count, flags | MSG_PEEK, 0, 0);
    if (taken < 0) return taken;
    char class[longest_name];
    snprintf(class, sizeof class, "net/%s", request);
    struct verdict verdict = shim_at("recv", class);
    FAIL_IF_ASKED(verdict);
    if (verdict.end) {
        shim_done(verdict);
        return 0;
    }
    taken = shim_raw(SYS_recvfrom, fd, bytes, part(verdict, (size_t)taken), flags, 0, 0);
    int error = errno;
    shim_done(verdict);
    errno = error;
    return taken;
}
