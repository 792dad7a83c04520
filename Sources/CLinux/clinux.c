#define _GNU_SOURCE
#include <malloc.h>
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

const int clinux_o_path = O_PATH;

int clinux_open_beneath(int dirfd, const char *path, int flags, int no_symlinks) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (no_symlinks ? RESOLVE_NO_SYMLINKS : 0),
    };
    // EAGAIN: a rename or mount raced with the walk; the kernel asks to be asked again.
    for (int tries = 0; tries < 16; tries++) {
        long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return (int)fd;
    }
    return -1;
}

int clinux_rename_noreplace(int olddir, const char *oldpath, int newdir, const char *newpath) {
    return renameat2(olddir, oldpath, newdir, newpath, RENAME_NOREPLACE);
}

ssize_t clinux_copy_range(int from, int to, size_t length) {
    return copy_file_range(from, NULL, to, NULL, length, 0);
}

int clinux_write_all(int fd, const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        ssize_t written = write(fd, rest, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        rest += written;
        count -= (size_t)written;
    }
    return 0;
}

int clinux_syncfs(int fd) { return syncfs(fd); }

int clinux_lock_open_file(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_is_open_for_writing(int fd) {
    // Whoever opens the file for writing while we hold the lease makes the kernel signal us. The
    // default, SIGIO, ends the process; SIGURG is ignored unless someone asks for it.
    if (fcntl(fd, F_SETSIG, SIGURG) != 0) return -1;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(fd, F_SETLEASE, F_UNLCK);
        return 0;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1;
}

int clinux_file_system_magic(const char *path, uint64_t *magic) {
    struct statfs answer;
    if (statfs(path, &answer) != 0) return -1;
    *magic = (uint64_t)(uint32_t)answer.f_type;
    return 0;
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void clinux_eventfd_ring(int fd) { (void)eventfd_write(fd, 1); }

void clinux_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }

int clinux_glob_matches(const char *pattern, const char *name, int pathname) {
    return fnmatch(pattern, name, pathname ? FNM_PATHNAME : 0) == 0;
}

void clinux_tune_heap(int arenas, int threshold_bytes) {
    mallopt(M_ARENA_MAX, arenas);
    mallopt(M_MMAP_THRESHOLD, threshold_bytes);
    mallopt(M_TRIM_THRESHOLD, threshold_bytes);
}

int clinux_send_local(int fd, const char *name, const void *bytes, size_t count, int in_memory) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, name, length);
    // A name that begins with @ is in the abstract namespace, where the first byte is zero.
    if (name[0] == '@') address.sun_path[0] = 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, size) >= 0) return 0;
    if (!in_memory || (errno != EMSGSIZE && errno != ENOBUFS)) return -1;

    int file = memfd_create("entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) return -1;
    int result = -1;
    if (clinux_write_all(file, bytes, count) == 0 &&
        fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0) {
        union {
            struct cmsghdr header;
            char room[CMSG_SPACE(sizeof(int))];
        } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
        memcpy(CMSG_DATA(&control.header), &file, sizeof file);
        struct msghdr message = {
            .msg_name = &address, .msg_namelen = size, .msg_control = &control, .msg_controllen = sizeof control};
        if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0) result = 0;
    }
    close(file);
    return result;
}

int clinux_forbid_dumps(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
