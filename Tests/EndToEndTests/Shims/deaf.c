// A process that never hears of a change in a folder: every inotify event is read and thrown away.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { most_descriptors = 4096 };
static int is_queue[most_descriptors];

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name); \
    if (!real) abort()

int inotify_init1(int flags) {
    REAL(int, inotify_init1, int);
    int fd = real(flags);
    if (fd >= 0 && fd < most_descriptors) is_queue[fd] = 1;
    return fd;
}

int close(int fd) {
    REAL(int, close, int);
    if (fd >= 0 && fd < most_descriptors) is_queue[fd] = 0;
    return real(fd);
}

ssize_t read(int fd, void *bytes, size_t count) {
    REAL(ssize_t, read, int, void *, size_t);
    ssize_t result = real(fd, bytes, count);
    if (result <= 0 || fd < 0 || fd >= most_descriptors || !is_queue[fd]) return result;
    const char *witness = getenv("DEAF_WITNESS");
    // The test is worth nothing if there was nothing to be heard.
    if (witness) {
        int file = creat(witness, 0600);
        if (file >= 0) close(file);
    }
    errno = EAGAIN;
    return -1;
}
