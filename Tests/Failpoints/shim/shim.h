// The parts of the shim: what a call is named, whether it is to fail, what it changed on the disk, and how fast time runs.
#ifndef FAILPOINTS_SHIM_H
#define FAILPOINTS_SHIM_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: names.c

enum { longest_name = 512 };

/// The whole path of `path` as seen from `folder` (a descriptor or AT_FDCWD).
void shim_resolve(int folder, const char *path, char *out, size_t size);

/// The path behind a descriptor; false when it is no file.
int shim_path_of(int fd, char *out, size_t size);

/// The class of a path: its place beneath the watched root with ids, dates and random parts left out; false when it lies outside.
int shim_class(const char *path, char out[longest_name]);

/// Notes which request a connection carries, from what is sent; gives its present request, or NULL for what is no connection.
const char *shim_request(int fd, const void *bytes, size_t count);
void shim_begin_requests(int fd);
void shim_end_requests(int fd);

// MARK: points.c

struct verdict {
    int error;      // errno to return in place of the call; 0 lets it happen
    int half;       // only half of the bytes are taken
    int end;        // the peer has closed the connection
    int dies_after; // the process is killed when the call has returned
};

/// Counts a call of `op` on `class`, and says what is to become of it. Kills the process when that is what was asked for.
struct verdict shim_at(const char *op, const char *class);

/// To be called after the call of an `shim_at`.
void shim_done(struct verdict verdict);

/// Whether the shim has anything to do in this process.
int shim_is_on(void);

// MARK: journal.c

/// What was changed on the disk, in the order in which it happened.
int shim_has_journal(void);
void shim_journal_name(const char *what, const char *from, const char *to, uint64_t inode);
void shim_journal_data(int fd, const void *bytes, size_t count, int64_t offset);
void shim_journal_fd(const char *what, int fd, int64_t number);

// MARK: system calls that the shim makes itself, past every hook

long shim_raw(long number, ...);
void shim_append(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void shim_die(void);

#endif
