/* Preloaded into a program, it makes the disk full below FULL_DISK_ROOT as long as the file FULL_DISK_FLAG is there: what would write or
 * grow a file there fails with ENOSPC, as SQLite meets it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_full(int descriptor) {
    const char *root = getenv("FULL_DISK_ROOT"), *flag = getenv("FULL_DISK_FLAG");
    char link[64], path[4096];
    if (!root || !flag || access(flag, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strncmp(path, root, strlen(root)) != 0) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    return is_full(descriptor) ? -1 : REAL(write)(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return is_full(descriptor) ? -1 : REAL(pwrite)(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    return is_full(descriptor) ? -1 : REAL(pwrite64)(descriptor, bytes, count, offset);
}
