// What a call is named: the place of its file beneath the root, or the request that its connection carries.
#include "shim.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void shim_resolve(int folder, const char *path, char *out, size_t size) {
    if (path == NULL) path = "";
    if (path[0] == '/') {
        snprintf(out, size, "%s", path);
        return;
    }
    char base[PATH_MAX] = "";
    if (folder == AT_FDCWD) {
        if (shim_raw(SYS_getcwd, base, sizeof base) < 0) base[0] = 0;
    } else {
        shim_path_of(folder, base, sizeof base);
    }
    while (path[0] == '.' && path[1] == '/') path += 2;
    if (path[0] == 0 || strcmp(path, ".") == 0) {
        snprintf(out, size, "%s", base);
    } else {
        snprintf(out, size, "%s/%s", base, path);
    }
}

int shim_path_of(int fd, char *out, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long count = shim_raw(SYS_readlinkat, AT_FDCWD, link, out, size - 1);
    if (count <= 0 || out[0] != '/') return 0;
    out[count] = 0;
    char *deleted = strstr(out, " (deleted)");
    if (deleted) *deleted = 0;
    return 1;
}

/// Length of what `pattern` matches at `text`: 9 stands for a digit, x for a hexadecimal digit, all else for itself.
static size_t matches(const char *text, const char *pattern) {
    size_t i = 0;
    for (; pattern[i]; i++) {
        int ok = pattern[i] == '9' ? isdigit((unsigned char)text[i])
                 : pattern[i] == 'x' ? isxdigit((unsigned char)text[i])
                                     : text[i] == pattern[i];
        if (!ok) return 0;
    }
    return i;
}

int shim_class(const char *path, char out[longest_name]) {
    static const struct {
        const char *pattern, *name;
    } parts[] = {
        {"99999999t999999-xxxxxxxxxxxxxxxx", "ID"},
        {"99999999T999999Z", "TIME"},
        {"9999-99-99", "DATE"},
        {"work/xx/", "work/HH/"},
        {"work/xx", "work/HH"},
    };
    const char *root = getenv("FAILPOINTS_ROOT");
    size_t length = root ? strlen(root) : 0;
    if (length == 0 || strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != 0)) return 0;
    const char *rest = path + length;
    while (*rest == '/') rest++;
    size_t at = 0;
    while (*rest && at < longest_name - 8) {
        size_t taken = 0;
        for (size_t i = 0; i < sizeof parts / sizeof parts[0] && taken == 0; i++) {
            taken = matches(rest, parts[i].pattern);
            if (taken) at += (size_t)sprintf(out + at, "%s", parts[i].name);
        }
        if (taken == 0 && rest[0] == '.') {
            // A file in the making: .<random>.datarowd-tmp
            size_t end = 1;
            while (isxdigit((unsigned char)rest[end])) end++;
            static const char suffix[] = ".datarowd-tmp";
            if (strncmp(rest + end, suffix, sizeof suffix - 1) == 0) {
                taken = end + sizeof suffix - 1;
                at += (size_t)sprintf(out + at, "TMP");
            }
        }
        if (taken == 0) {
            out[at++] = isspace((unsigned char)*rest) || *rest == '|' ? '_' : *rest;
            taken = 1;
        }
        rest += taken;
    }
    out[at] = 0;
    if (at == 0) strcpy(out, ".");
    return 1;
}

// MARK: requests

enum { most_descriptors = 4096 };
static char requests[most_descriptors][48];

/// Copies the word after `key`, up to what ends a name.
static int word_after(const char *text, size_t count, const char *key, char *out, size_t size) {
    const char *found = memmem(text, count, key, strlen(key));
    if (!found) return 0;
    found += strlen(key);
    size_t i = 0;
    while (found + i < text + count && i + 1 < size && (isalnum((unsigned char)found[i]) || found[i] == '_')) {
        out[i] = found[i];
        i++;
    }
    out[i] = 0;
    return i > 0;
}

const char *shim_request(int fd, const void *bytes, size_t count) {
    if (fd < 0 || fd >= most_descriptors || !requests[fd][0]) return NULL;
    const char *text = bytes;
    if (count > 5 && (memcmp(text, "POST ", 5) == 0 || memcmp(text, "GET ", 4) == 0)) {
        char word[32];
        if (memmem(text, count, "multipart/form-data", 19)) {
            strcpy(requests[fd], "upload");
        } else if (text[0] == 'G') {
            strcpy(requests[fd], "download");
        } else if (word_after(text, count, "mutation ", word, sizeof word)
                   || word_after(text, count, "query ", word, sizeof word)) {
            snprintf(requests[fd], sizeof requests[fd], "%s", word);
        } else {
            strcpy(requests[fd], "call");
        }
    }
    return requests[fd];
}

void shim_begin_requests(int fd) {
    if (fd >= 0 && fd < most_descriptors) strcpy(requests[fd], "nothing");
}

void shim_end_requests(int fd) {
    if (fd >= 0 && fd < most_descriptors) requests[fd][0] = 0;
}
