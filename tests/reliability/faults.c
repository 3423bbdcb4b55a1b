/* Fails, or kills the process at, the n-th operation that changes files under given folders.
 *
 * Loaded with LD_PRELOAD. Settings come from the environment when a process starts, or from fault_arm() later:
 *   FAULT_UNDER   folders, separated by newlines; only what lies in them is counted
 *   FAULT_COUNT   a file of 8 bytes that all processes map: the operations so far
 *   FAULT_AT      the number of the operation (from 1) that fails; 0 for none
 *   FAULT_ERRNO   what it fails with; 0 kills the process there (SIGKILL), before the operation
 *   FAULT_STICKS  1: every later operation of a kind that needs room, or that writes, fails too
 *   FAULT_TRACE   a file that takes a line for each operation: number, kind, path
 * Kinds: open (for writing), write, fsync, close (of what was opened for writing), rename, unlink, mkdir, and
 * "other": symlink, chmod of an open file, truncation.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FOLDERS 8
#define FILES 4096

static char under[FOLDERS][PATH_MAX];
static int folders, armed, with, sticks, trace = -1;
static long at;
static _Atomic long *count, alone;
static char watched[FILES]; /* by file descriptor: opened for writing under one of the folders */

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

void fault_arm(const char *where, const char *counter, long number, int error, int sticky, const char *traced) {
    folders = 0;
    for (const char *from = where; *from && folders < FOLDERS;) {
        size_t size = strcspn(from, "\n");
        snprintf(under[folders++], PATH_MAX, "%.*s", (int)size, from);
        from += size + (from[size] == '\n');
    }
    at = number, with = error, sticks = sticky;
    count = &alone;
    int file = syscall(SYS_openat, AT_FDCWD, counter, O_RDWR | O_CLOEXEC);
    if (file >= 0) {
        void *shared = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) count = shared;
        syscall(SYS_close, file);
    }
    if (traced && *traced) {
        int opened = syscall(SYS_openat, AT_FDCWD, traced, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        trace = fcntl(opened, F_DUPFD_CLOEXEC, 1000);
        syscall(SYS_close, opened);
    }
    armed = 1;
}

__attribute__((constructor)) static void from_environment(void) {
    const char *where = getenv("FAULT_UNDER"), *number = getenv("FAULT_AT"), *error = getenv("FAULT_ERRNO");
    const char *counter = getenv("FAULT_COUNT"), *sticky = getenv("FAULT_STICKS"), *traced = getenv("FAULT_TRACE");
    if (where && counter)
        fault_arm(where, counter, number ? atol(number) : 0, error ? atoi(error) : 0, sticky && *sticky == '1', traced);
}

/* The absolute path of a name given relative to an open folder. */
static const char *whole(int folder, const char *name, char *into) {
    char base[PATH_MAX] = "";
    if (!name) return NULL;
    if (*name == '/') return name;
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, base, sizeof base) < 0) return NULL;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = readlink(link, base, sizeof base - 1);
        if (size < 0) return NULL;
        base[size] = 0;
    }
    if (snprintf(into, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) return NULL;
    return into;
}

static int lies_under(const char *path) {
    for (int k = 0; path && k < folders; k++) {
        size_t size = strlen(under[k]);
        if (!strncmp(path, under[k], size) && (path[size] == '/' || !path[size])) return 1;
    }
    return 0;
}

/* Count an operation; return whether it is to fail, errno set. */
static int fails(const char *kind, const char *path, int needs_room) {
    if (!armed || !lies_under(path)) return 0;
    long number = atomic_fetch_add(count, 1) + 1;
    if (trace >= 0) {
        char line[PATH_MAX + 64];
        int size = snprintf(line, sizeof line, "%ld %s %s\n", number, kind, path);
        syscall(SYS_write, trace, line, size);
    }
    if (!at || number < at || (number > at && !(sticks && (needs_room || with != ENOSPC)))) return 0;
    if (!with) {
        if (number == at) kill(getpid(), SIGKILL);
        return 0;
    }
    errno = with;
    return 1;
}

static int fails_at(const char *kind, int folder, const char *name, int needs_room) {
    char into[PATH_MAX];
    return armed && fails(kind, whole(folder, name, into), needs_room);
}

static int fails_on(const char *kind, int file, int needs_room) {
    int any = *kind == 'f'; /* a file may be opened anew, for reading, to be brought to the disk */
    if (!armed || file < 0 || file >= FILES || !(watched[file] || any)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails(kind, path, needs_room);
}

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)); }

static int note(int folder, const char *name, int file) {
    char into[PATH_MAX];
    if (armed && file >= 0 && file < FILES && lies_under(whole(folder, name, into))) watched[file] = 1;
    return file;
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
    if (!armed || !writes(flags)) return syscall(SYS_openat, folder, name, flags, mode);
    if (fails_at("open", folder, name, 1)) return -1;
    return note(folder, name, syscall(SYS_openat, folder, name, flags, mode));
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                             \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode = va_arg(more, mode_t);                                                                                   \
        va_end(more);                                                                                                  \
    }

int open(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE(flags) return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) {
    MODE(flags) return opened(folder, name, flags | O_LARGEFILE, mode);
}
int creat(const char *name, mode_t mode) { return opened(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *name, mode_t mode) { return creat(name, mode); }

static FILE *stream(const char *kind, const char *name, const char *how) {
    if (armed && strpbrk(how, "wa+") && fails_at("open", AT_FDCWD, name, 1)) return NULL;
    FILE *file = ((FILE * (*)(const char *, const char *)) real(kind))(name, how);
    if (file && strpbrk(how, "wa+")) note(AT_FDCWD, name, fileno(file));
    return file;
}
FILE *fopen(const char *name, const char *how) { return stream("fopen", name, how); }
FILE *fopen64(const char *name, const char *how) { return stream("fopen64", name, how); }

ssize_t write(int file, const void *data, size_t size) {
    return fails_on("write", file, 1) ? -1 : syscall(SYS_write, file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t place) {
    return fails_on("write", file, 1) ? -1 : REAL(pwrite)(file, data, size, place);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t place) {
    return fails_on("write", file, 1) ? -1 : REAL(pwrite64)(file, data, size, place);
}
ssize_t writev(int file, const struct iovec *parts, int number) {
    return fails_on("write", file, 1) ? -1 : REAL(writev)(file, parts, number);
}
int fsync(int file) { return fails_on("fsync", file, 1) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails_on("fsync", file, 1) ? -1 : REAL(fdatasync)(file); }
int close(int file) {
    int failed = fails_on("close", file, 1), why = errno;
    if (file >= 0 && file < FILES) watched[file] = 0;
    int done = syscall(SYS_close, file); /* Linux lets go of the descriptor whatever it reports */
    if (!failed) return done;
    errno = why;
    return -1;
}

/* A clock that jumps back by an hour whenever it was read `every` times. */
static int jumps;
static _Atomic long reads;
void fault_clock(int every) { jumps = every; }
int clock_gettime(clockid_t which, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, which, now);
    if (jumps && which == CLOCK_REALTIME) now->tv_sec -= 3600 * (atomic_fetch_add(&reads, 1) / jumps);
    return done;
}

int rename(const char *from, const char *to) {
    return fails_at("rename", AT_FDCWD, to, 0) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return fails_at("rename", to_folder, to, 0) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}
int unlink(const char *name) { return fails_at("unlink", AT_FDCWD, name, 0) ? -1 : REAL(unlink)(name); }
int unlinkat(int folder, const char *name, int flags) {
    return fails_at("unlink", folder, name, 0) ? -1 : REAL(unlinkat)(folder, name, flags);
}
int rmdir(const char *name) { return fails_at("unlink", AT_FDCWD, name, 0) ? -1 : REAL(rmdir)(name); }
int mkdir(const char *name, mode_t mode) { return fails_at("mkdir", AT_FDCWD, name, 1) ? -1 : REAL(mkdir)(name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) {
    return fails_at("mkdir", folder, name, 1) ? -1 : REAL(mkdirat)(folder, name, mode);
}
int symlink(const char *to, const char *name) {
    return fails_at("other", AT_FDCWD, name, 1) ? -1 : REAL(symlink)(to, name);
}
int symlinkat(const char *to, int folder, const char *name) {
    return fails_at("other", folder, name, 1) ? -1 : REAL(symlinkat)(to, folder, name);
}
int fchmod(int file, mode_t mode) { return fails_on("other", file, 0) ? -1 : REAL(fchmod)(file, mode); }
int ftruncate(int file, off_t size) { return fails_on("other", file, 1) ? -1 : REAL(ftruncate)(file, size); }
int ftruncate64(int file, off64_t size) { return fails_on("other", file, 1) ? -1 : REAL(ftruncate64)(file, size); }
