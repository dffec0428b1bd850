/* Preloaded into a program, it keeps what of its files would be on the disk if the power failed at this moment.
 *
 * Files below POWER_LOSS_ROOT have a shadow of the same name in POWER_LOSS_SHADOW. What the program writes waits in memory and reaches
 * the shadow only when the program synchronises the file: killed at any moment, the shadows hold no write that was not asked to be made
 * durable, and perhaps the beginning of those that were being made so. The chance that the disk kept more is left out on purpose: it is the
 * kinder case, which a plain kill shows.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 4096
#define FILES 64

struct change {
    struct change *next;
    off_t offset; /* the new length when it truncates */
    size_t count;
    int truncates;
    char octets[];
};

/* What waits belongs to the file, whichever of its descriptors wrote it: synchronising any of them makes all of it durable. */
static struct file { char name[512]; int shadow; struct change *first, **last; } files[FILES];
static struct file *file_of[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The database, its log and journal, and the draft that a new one is made as; not the shared memory and not the locks. */
static int is_kept(const char *path) {
    size_t length = strlen(path);
    return strstr(path, ".sqlite") && (length < 4 || strcmp(path + length - 4, "-shm")) && (length < 4 || strcmp(path + length - 4, "lock"));
}

static const char *shadow_of(const char *path, char *buffer, size_t room) {
    const char *root = getenv("POWER_LOSS_ROOT"), *shadow = getenv("POWER_LOSS_SHADOW");
    if (!root || !shadow || !path) return NULL;
    size_t length = strlen(root);
    if (strncmp(path, root, length) != 0 || path[length] != '/' || strchr(path + length + 1, '/') || !is_kept(path)) return NULL;
    snprintf(buffer, room, "%s%s", shadow, path + length);
    return buffer;
}

static void forget(struct file *file) {
    while (file->first) {
        struct change *next = file->first->next;
        free(file->first);
        file->first = next;
    }
    file->last = &file->first;
}

static void opened(int fd, const char *path) {
    char name[4096];
    if (fd < 0 || fd >= DESCRIPTORS || !shadow_of(path, name, sizeof name) || strlen(name) >= sizeof files[0].name) return;
    pthread_mutex_lock(&lock);
    struct file *file = files;
    while (file < files + FILES && file->name[0] && strcmp(file->name, name)) file++;
    if (file == files + FILES) abort();
    if (!file->name[0]) {
        /* A new file is there after the loss: that its folder is synchronised is not what is tried here. */
        file->shadow = REAL(open)(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file->shadow < 0) abort();
        strcpy(file->name, name);
        file->last = &file->first;
    }
    file_of[fd] = file;
    pthread_mutex_unlock(&lock);
}

static void changed(int fd, const void *octets, size_t count, off_t offset, int truncates) {
    if (fd < 0 || fd >= DESCRIPTORS || !file_of[fd]) return;
    struct change *change = malloc(sizeof *change + count);
    if (!change) abort();
    *change = (struct change){.offset = offset, .count = count, .truncates = truncates};
    if (count) memcpy(change->octets, octets, count);
    pthread_mutex_lock(&lock);
    *file_of[fd]->last = change;
    file_of[fd]->last = &change->next;
    pthread_mutex_unlock(&lock);
}

static void synchronised(int fd) {
    if (fd < 0 || fd >= DESCRIPTORS || !file_of[fd]) return;
    pthread_mutex_lock(&lock);
    struct file *file = file_of[fd];
    for (struct change *change = file->first; change; change = change->next) {
        if (change->truncates) {
            if (REAL(ftruncate64)(file->shadow, change->offset)) abort();
        } else if (REAL(pwrite64)(file->shadow, change->octets, change->count, change->offset) != (ssize_t)change->count) {
            abort();
        }
    }
    forget(file);
    pthread_mutex_unlock(&lock);
}

static int open_mode(int flags, va_list list) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0; }

int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    int fd = REAL(open64)(path, flags, open_mode(flags, list));
    va_end(list);
    opened(fd, path);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    int fd = REAL(open)(path, flags, open_mode(flags, list));
    va_end(list);
    opened(fd, path);
    return fd;
}

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) file_of[fd] = NULL;
    return REAL(close)(fd);
}

ssize_t pwrite64(int fd, const void *octets, size_t count, off64_t offset) {
    ssize_t done = REAL(pwrite64)(fd, octets, count, offset);
    if (done > 0) changed(fd, octets, (size_t)done, offset, 0);
    return done;
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t offset) {
    ssize_t done = REAL(pwrite)(fd, octets, count, offset);
    if (done > 0) changed(fd, octets, (size_t)done, offset, 0);
    return done;
}

ssize_t write(int fd, const void *octets, size_t count) {
    off_t offset = fd >= 0 && fd < DESCRIPTORS && file_of[fd] ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = REAL(write)(fd, octets, count);
    if (done > 0) changed(fd, octets, (size_t)done, offset, 0);
    return done;
}

int ftruncate64(int fd, off64_t length) {
    int status = REAL(ftruncate64)(fd, length);
    if (status == 0) changed(fd, NULL, 0, length, 1);
    return status;
}

int ftruncate(int fd, off_t length) {
    int status = REAL(ftruncate)(fd, length);
    if (status == 0) changed(fd, NULL, 0, length, 1);
    return status;
}

int fsync(int fd) {
    synchronised(fd);
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    synchronised(fd);
    return REAL(fdatasync)(fd);
}

int unlink(const char *path) {
    int status = REAL(unlink)(path);
    char name[4096];
    if (status != 0 || !shadow_of(path, name, sizeof name)) return status;
    pthread_mutex_lock(&lock);
    for (struct file *file = files; file < files + FILES; file++) {
        if (strcmp(file->name, name)) continue;
        forget(file);
        REAL(close)(file->shadow);
        file->name[0] = 0;
    }
    REAL(unlink)(name);
    pthread_mutex_unlock(&lock);
    return status;
}

int link(const char *path, const char *other) {
    char name[4096], target[4096];
    int status = REAL(link)(path, other);
    if (status == 0 && shadow_of(path, name, sizeof name) && shadow_of(other, target, sizeof target) && REAL(link)(name, target)) abort();
    return status;
}
