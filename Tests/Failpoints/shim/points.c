// Which call is to fail: the n-th of its kind on files or requests of a class.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// MARK: what was asked for

/// FAILPOINT=op|class|first|last|kind; with `last` 0 it lasts until the file FAILPOINTS_CLEAR is there.
static struct {
    char op[16], class[longest_name], kind[16];
    long first, last;
    int error;
} wanted;
static int is_on = -1, trace = -1, hits = -1;

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EIO", EIO},           {"ENOSPC", ENOSPC},       {"EACCES", EACCES},         {"EMFILE", EMFILE},
    {"EROFS", EROFS},       {"ECONNREFUSED", ECONNREFUSED}, {"ECONNRESET", ECONNRESET}, {"EPIPE", EPIPE},
    {"ETIMEDOUT", ETIMEDOUT}, {"ENOENT", ENOENT},     {"ENOMEM", ENOMEM},
};

static int open_file(const char *name) {
    const char *path = getenv(name);
    return path ? (int)shim_raw(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

static void set_up(void) {
    is_on = getenv("FAILPOINTS_ROOT") != NULL;
    if (!is_on) return;
    trace = open_file("FAILPOINTS_TRACE");
    hits = open_file("FAILPOINTS_HITS");
    const char *spec = getenv("FAILPOINT");
    if (!spec) return;
    if (sscanf(spec, "%15[^|]|%511[^|]|%ld|%ld|%15s", wanted.op, wanted.class, &wanted.first, &wanted.last, wanted.kind) != 5) {
        shim_append(2, "failpoints: FAILPOINT is not understood: %s\n", spec);
        shim_die();
    }
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(errors[i].name, wanted.kind) == 0) wanted.error = errors[i].number;
    }
}

int shim_is_on(void) {
    if (is_on < 0) {
        pthread_mutex_lock(&lock);
        if (is_on < 0) set_up();
        pthread_mutex_unlock(&lock);
    }
    return is_on;
}

// MARK: counting

enum { most_points = 4096 };
static struct point {
    char *op, *class;
    long count;
} points[most_points];

static struct point *point(const char *op, const char *class) {
    size_t hash = 5381;
    for (const char *c = op; *c; c++) hash = hash * 33 + (unsigned char)*c;
    for (const char *c = class; *c; c++) hash = hash * 33 + (unsigned char)*c;
    for (size_t i = hash % most_points;; i = (i + 1) % most_points) {
        if (!points[i].op) {
            points[i].op = strdup(op);
            points[i].class = strdup(class);
        }
        if (strcmp(points[i].op, op) == 0 && strcmp(points[i].class, class) == 0) return &points[i];
    }
}

static int is_cleared(void) {
    const char *path = getenv("FAILPOINTS_CLEAR");
    return path && shim_raw(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

struct verdict shim_at(const char *op, const char *class) {
    struct verdict verdict = {0};
    if (!shim_is_on()) return verdict;
    pthread_mutex_lock(&lock);
    long number = ++point(op, class)->count;
    shim_append(trace, "%s|%s|%ld\n", op, class, number);
    int is_meant = wanted.first > 0 && number >= wanted.first && (wanted.last == 0 ? !is_cleared() : number <= wanted.last)
                   && strcmp(op, wanted.op) == 0 && strcmp(class, wanted.class) == 0;
    if (is_meant) {
        shim_append(hits, "%s|%s|%ld|%s\n", op, class, number, wanted.kind);
        verdict.error = wanted.error;
        if (strcmp(wanted.kind, "kill") == 0) shim_die();
        if (strcmp(wanted.kind, "short") == 0) verdict.half = 1;
        if (strcmp(wanted.kind, "torn") == 0) verdict.half = verdict.dies_after = 1;
        if (strcmp(wanted.kind, "after") == 0) verdict.dies_after = 1;
        if (strcmp(wanted.kind, "end") == 0) verdict.end = 1;
    }
    // With a journal the lock is kept until the call is over, so that the journal has the order of what happened.
    if (!shim_has_journal() && !verdict.dies_after) pthread_mutex_unlock(&lock);
    return verdict;
}

void shim_done(struct verdict verdict) {
    if (!shim_is_on()) return;
    if (verdict.dies_after) shim_die();
    if (shim_has_journal()) pthread_mutex_unlock(&lock);
}

// MARK: system calls past every hook

long shim_raw(long number, ...) {
    static long (*real)(long, ...);
    if (!real) {
        extern void *shim_next(const char *name);
        *(void **)&real = shim_next("syscall");
    }
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
    long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    return real(number, a, b, c, d, e, f);
}

void shim_append(int fd, const char *format, ...) {
    if (fd < 0) return;
    int before = errno;
    char line[longest_name * 2];
    va_list list;
    va_start(list, format);
    int count = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    shim_raw(SYS_write, fd, line, count);
    errno = before;
}

void shim_die(void) {
    while (1) shim_raw(SYS_kill, shim_raw(SYS_getpid), SIGKILL);
}
