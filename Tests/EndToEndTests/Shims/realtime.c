// A wall clock that a test sets while a process runs: REALTIME_OFFSET names a file with eight bytes, the seconds to add.
//
// As when a clock is set, deadlines that are given by the wall clock move with it, and monotonic clocks do not notice.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t none;
static volatile int64_t *offset = &none;

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = next(#name)

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("REALTIME_OFFSET");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) offset = page;
}

static int is_wall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int result = real(clock, time);
    if (result == 0 && is_wall(clock)) time->tv_sec += *offset;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

/// A deadline as the machine's own clock has it; no machine runs for thirty years, so that tells which clock is meant.
static struct timespec real_deadline(const struct timespec *deadline) {
    struct timespec time = *deadline;
    if (time.tv_sec > 1000000000) time.tv_sec -= *offset;
    return time;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    REAL(int, sem_timedwait, sem_t *, const struct timespec *);
    struct timespec time = real_deadline(deadline);
    return real(semaphore, &time);
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline) {
    REAL(int, pthread_cond_timedwait, pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec time = real_deadline(deadline);
    return real(condition, mutex, &time);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before) {
    REAL(int, timerfd_settime, int, int, const struct itimerspec *, struct itimerspec *);
    struct itimerspec changed = *wanted;
    if (flags & TFD_TIMER_ABSTIME) changed.it_value = real_deadline(&wanted->it_value);
    return real(fd, flags, &changed, before);
}
