// A disk that stands still (LD_PRELOAD): while the file HANG_WHILE exists, fdatasync and fsync do not return.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void stand_still(void) {
    const char *name = getenv("HANG_WHILE");
    while (name && access(name, F_OK) == 0) usleep(20000);
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    stand_still();
    return real(fd);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    stand_still();
    return real(fd);
}
