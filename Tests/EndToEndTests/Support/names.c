// Names as a file says: lines of `NAME` or `NAME ADDRESS` in the file that TEST_NAMES names, read at each question.
//
// A name that stands alone does not resolve. What the file does not have is left to the C library.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getaddrinfo(
    const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
    struct addrinfo **restrict found) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    const char *path = getenv("TEST_NAMES");
    FILE *file = path && name ? fopen(path, "re") : NULL;
    if (!file) return real(name, service, hints, found);
    char line[512], known[256], address[256];
    int fields = 0;
    while (fields == 0 && fgets(line, sizeof line, file)) {
        fields = sscanf(line, "%255s %255s", known, address);
        if (fields > 0 && strcasecmp(known, name) != 0) fields = 0;
    }
    fclose(file);
    if (fields == 1) return EAI_NONAME;
    return real(fields == 2 ? address : name, service, hints, found);
}
