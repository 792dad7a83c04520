#ifndef CLINUX_H
#define CLINUX_H
// What Linux offers and Swift's Glibc module does not import: calls behind _GNU_SOURCE, variadic
// calls, and calls without a wrapper in glibc. Every function returns -1 and sets errno on failure,
// unless it says otherwise.
#include <stdint.h>
#include <sys/types.h>

// MARK: opening

/// open(2) flag: names a file without opening it.
extern const int clinux_o_path;

/// Opens `path` below `dirfd`. The kernel refuses (EXDEV) whatever would leave `dirfd`, and magic links.
/// With `no_symlinks`, any link on the way is refused too (ELOOP). ENOSYS before Linux 5.6.
int clinux_open_beneath(int dirfd, const char *path, int flags, int no_symlinks);

// MARK: moving

/// rename(2) that fails with EEXIST where the new name is taken.
int clinux_rename_noreplace(int olddir, const char *oldpath, int newdir, const char *newpath);

/// Copies up to `length` bytes at both files' offsets inside the kernel.
ssize_t clinux_copy_range(int from, int to, size_t length);

/// Writes all `count` bytes, however many calls that takes.
int clinux_write_all(int fd, const void *bytes, size_t count);

// MARK: durability

/// Writes everything of the file system that holds `fd` to the disk, and waits.
int clinux_syncfs(int fd);

// MARK: locks and leases

/// Takes an exclusive lock that belongs to the open file, not to the process; EAGAIN when held by another.
int clinux_lock_open_file(int fd);

/// 1 where some process has the file open for writing, 0 where none has, -1 where one cannot tell.
int clinux_is_open_for_writing(int fd);

// MARK: file systems

/// The magic number of the file system that holds `path`.
int clinux_file_system_magic(const char *path, uint64_t *magic);

// MARK: threads and wake-ups

/// A counter that wakes poll(2); close it when done.
int clinux_eventfd(void);
/// Adds one to the counter.
void clinux_eventfd_ring(int fd);
/// Names the calling thread for ps and debuggers; at most 15 bytes.
void clinux_name_thread(const char *name);

// MARK: names

/// fnmatch(3): 1 where `name` matches `pattern`. With `pathname`, a `*` does not cross a slash.
int clinux_glob_matches(const char *pattern, const char *name, int pathname);

/// Has the allocator of the C library give memory back instead of keeping it; see HeapTuning.swift.
void clinux_tune_heap(int arenas, int threshold_bytes);

// MARK: local sockets

/// Sends one datagram to the local socket of that name, where `@` begins one without a file. What is too large for a datagram
/// goes as a sealed file in memory, whose descriptor is sent, where `in_memory` allows it.
int clinux_send_local(int fd, const char *name, const void *bytes, size_t count, int in_memory);

// MARK: secrecy

/// Keeps this process's memory and environment from other processes of its user, and out of core dumps, also of those
/// that are piped to a program, which RLIMIT_CORE does not stop.
int clinux_forbid_dumps(void);

#endif
