// Clocks that run FAILPOINTS_SPEED times as fast, so that what waits for a minute ends in seconds.
//
// FAILPOINTS_SINCE is the real time, in nanoseconds since 1970, at which fast and real clocks agreed: a process that is started
// again finds the time that the first one would have.
#include "shim.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

void *shim_next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) shim_die();
    return found;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void **)&real = shim_next(#name)

static long speed = -1;
/// For real time, for the monotonic clock and for the one that counts suspension.
static int64_t since[3];

static int real_clock(clockid_t clock, struct timespec *time) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    return real(clock, time);
}

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }
static struct timespec timespec_of(int64_t time) {
    return (struct timespec){.tv_sec = time / 1000000000, .tv_nsec = time % 1000000000};
}

static long factor(void) {
    if (speed < 0) {
        const char *text = getenv("FAILPOINTS_SPEED"), *start = getenv("FAILPOINTS_SINCE");
        struct timespec now, monotonic, boot;
        real_clock(CLOCK_REALTIME, &now);
        real_clock(CLOCK_MONOTONIC, &monotonic);
        real_clock(CLOCK_BOOTTIME, &boot);
        since[0] = start ? atoll(start) : nanoseconds(now);
        since[1] = nanoseconds(monotonic) - (nanoseconds(now) - since[0]);
        since[2] = nanoseconds(boot) - (nanoseconds(now) - since[0]);
        speed = text && atol(text) > 0 ? atol(text) : 1;
    }
    return speed;
}

static int base(clockid_t clock) {
    switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE: return 0;
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_MONOTONIC_RAW: return 1;
        case CLOCK_BOOTTIME: return 2;
        default: return -1;
    }
}

static struct timespec fast(clockid_t clock, struct timespec time) {
    long n = factor();
    if (n == 1 || base(clock) < 0) return time;
    int64_t start = since[base(clock)];
    return timespec_of(start + (nanoseconds(time) - start) * n);
}

static struct timespec slow(clockid_t clock, struct timespec time) {
    long n = factor();
    if (n == 1 || base(clock) < 0) return time;
    int64_t start = since[base(clock)], real = start + (nanoseconds(time) - start) / n;
    return timespec_of(real > 0 ? real : 0);
}

static int shorter(int milliseconds) {
    return milliseconds <= 0 ? milliseconds : (int)((milliseconds + factor() - 1) / factor());
}

static struct timespec brief(struct timespec time) { return timespec_of((nanoseconds(time) + factor() - 1) / factor()); }

// MARK: telling the time

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = real_clock(clock, time);
    if (result == 0) *time = fast(clock, *time);
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

// MARK: waiting

int nanosleep(const struct timespec *wait, struct timespec *left) {
    REAL(int, nanosleep, const struct timespec *, struct timespec *);
    struct timespec shorter = brief(*wait);
    return real(&shorter, left);
}

int usleep(useconds_t wait) {
    struct timespec time = timespec_of((int64_t)wait * 1000);
    return nanosleep(&time, NULL);
}

unsigned sleep(unsigned seconds) {
    struct timespec time = {.tv_sec = seconds};
    nanosleep(&time, NULL);
    return 0;
}

int poll(struct pollfd *fds, nfds_t count, int milliseconds) {
    REAL(int, poll, struct pollfd *, nfds_t, int);
    return real(fds, count, shorter(milliseconds));
}

int epoll_wait(int fd, struct epoll_event *events, int count, int milliseconds) {
    REAL(int, epoll_wait, int, struct epoll_event *, int, int);
    return real(fd, events, count, shorter(milliseconds));
}

enum { most_timers = 4096 };
static int timers[most_timers];

int timerfd_create(int clock, int flags) {
    REAL(int, timerfd_create, int, int);
    int fd = real(clock, flags);
    if (fd >= 0 && fd < most_timers) timers[fd] = clock;
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before) {
    REAL(int, timerfd_settime, int, int, const struct itimerspec *, struct itimerspec *);
    struct itimerspec changed = *wanted;
    if (nanoseconds(wanted->it_value) != 0) {
        int clock = fd >= 0 && fd < most_timers ? timers[fd] : CLOCK_MONOTONIC;
        changed.it_value = flags & TFD_TIMER_ABSTIME ? slow(clock, wanted->it_value) : brief(wanted->it_value);
        // Zero would disarm it.
        if (nanoseconds(changed.it_value) == 0) changed.it_value.tv_nsec = 1;
    }
    changed.it_interval = brief(wanted->it_interval);
    return real(fd, flags, &changed, before);
}

/// Which clock a deadline is meant on: no machine runs for thirty years.
static clockid_t clock_of(const struct timespec *deadline) {
    return deadline->tv_sec > 1000000000 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    REAL(int, sem_timedwait, sem_t *, const struct timespec *);
    struct timespec time = slow(clock_of(deadline), *deadline);
    return real(semaphore, &time);
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline) {
    REAL(int, pthread_cond_timedwait, pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec time = slow(clock_of(deadline), *deadline);
    return real(condition, mutex, &time);
}
