// A disk that keeps what was synced and nothing else, for one directory of one process (LD_PRELOAD).
//
// POWERCUT_LIVE is the directory as the process sees it, POWERCUT_DISK what a power cut would leave of it: fsync and
// fdatasync carry the bytes of a file over, unlink and rename change names at once. With POWERCUT_STRICT a new name is
// carried over only when its directory is synced, as POSIX has it. POWERCUT_NO_NAMES leaves that out.
// While the file POWERCUT_EIO exists, syncs fail.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

// The name of a path below the live directory; NULL for all others. "" is the directory itself.
static const char *inside(const char *path) {
    const char *live = setting("POWERCUT_LIVE");
    if (!live || !setting("POWERCUT_DISK")) return NULL;
    size_t n = strlen(live);
    if (strncmp(path, live, n) != 0) return NULL;
    if (path[n] == 0) return "";
    return path[n] == '/' ? path + n + 1 : NULL;
}

static void on_disk(char *out, const char *ending, const char *name) {
    snprintf(out, PATH_MAX, "%s%s/%s", setting("POWERCUT_DISK"), ending, name);
}

static int carry(const char *path, const char *name) {
    char to[PATH_MAX], pending[PATH_MAX], buffer[1 << 16];
    on_disk(to, "", name);
    on_disk(pending, ".unnamed", name);
    int known = access(to, F_OK) == 0;
    int in = open(path, O_RDONLY);
    int out = open(setting("POWERCUT_STRICT") && !known ? pending : to, O_WRONLY | O_CREAT, 0600);
    if (in < 0 || out < 0) { if (in >= 0) close(in); if (out >= 0) close(out); return -1; }
    off_t at = 0;
    ssize_t n;
    while ((n = pread(in, buffer, sizeof buffer, at)) > 0) {
        if (pwrite(out, buffer, (size_t)n, at) != n) break;
        at += n;
    }
    int cut = ftruncate(out, at);
    close(in);
    close(out);
    return n == 0 && cut == 0 ? 0 : -1;
}

// Files that were synced before their directory was get their names.
static void name_pending(void) {
    static const char *names[] = { "journal.db", "journal.db-wal", "journal.db-journal", "capline.lock" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[PATH_MAX], to[PATH_MAX];
        on_disk(from, ".unnamed", names[i]);
        on_disk(to, "", names[i]);
        rename(from, to);
    }
}

static int synced(int fd, const char *real) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    const char *name = inside(path);
    if (!name) {
        int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, real);
        return sync(fd);
    }
    const char *fails = setting("POWERCUT_EIO");
    if (fails && access(fails, F_OK) == 0) { errno = EIO; return -1; }
    if (*name == 0) { if (!setting("POWERCUT_NO_NAMES")) name_pending(); return 0; }
    return carry(path, name);
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

int unlink(const char *path) {
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    const char *name = inside(path);
    if (name && *name) {
        char gone[PATH_MAX];
        on_disk(gone, "", name);
        real(gone);
        on_disk(gone, ".unnamed", name);
        real(gone);
    }
    return real(path);
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    const char *a = inside(from), *b = inside(to);
    if (a && b && *a && *b) {
        char x[PATH_MAX], y[PATH_MAX];
        on_disk(x, "", a);
        on_disk(y, "", b);
        real(x, y);
    }
    return real(from, to);
}
