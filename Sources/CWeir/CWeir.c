#define _GNU_SOURCE
#include "CWeir.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

int weir_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

ssize_t weir_pread_cached(int fd, void *bytes, size_t length, off_t offset) {
    struct iovec part = {.iov_base = bytes, .iov_len = length};
    return preadv2(fd, &part, 1, offset, RWF_NOWAIT);
}

int weir_readahead(int fd, off_t offset, size_t length) { return (int)readahead(fd, offset, length); }

void weir_name_thread(const char *name) {
    char shown[16];
    snprintf(shown, sizeof shown, "%s", name);
    pthread_setname_np(pthread_self(), shown);
}

int weir_set_batch_thread(int is_batch) {
    struct sched_param none = {.sched_priority = 0};
    return pthread_setschedparam(pthread_self(), is_batch ? SCHED_BATCH : SCHED_OTHER, &none);
}

int weir_is_batch_thread(void) {
    struct sched_param unused;
    int policy = SCHED_OTHER;
    return pthread_getschedparam(pthread_self(), &policy, &unused) == 0 && policy == SCHED_BATCH;
}

int weir_start_writeback(int fd, off_t offset, size_t length) {
    return sync_file_range(fd, offset, (off_t)length, SYNC_FILE_RANGE_WRITE);
}

int weir_preallocate(int fd, off_t offset, off_t length) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length); }

int weir_disk_space(const char *path, uint64_t *free_bytes, uint64_t *total_bytes) {
    struct statvfs space;
    if (statvfs(path, &space) != 0) return -1;
    *free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    *total_bytes = (uint64_t)space.f_blocks * space.f_frsize;
    return 0;
}

int weir_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t weir_process_cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }
uint64_t weir_thread_cpu_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

uint64_t weir_resident_bytes(void) {
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm) return 0;
    unsigned long long total = 0, resident = 0;
    int fields = fscanf(statm, "%llu %llu", &total, &resident);
    fclose(statm);
    return fields == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* The number in a file; 0 when it is not there, or says "max". */
static uint64_t number_in(const char *path) {
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    unsigned long long number = 0;
    int fields = fscanf(file, "%llu", &number);
    fclose(file);
    return fields == 1 ? number : 0;
}

/* The least that a group or one above it grants; `path` is cut to its parents. */
static uint64_t least_grant(const char *root, char *path, const char *name, uint64_t least) {
    for (;;) {
        char file[4300];
        snprintf(file, sizeof file, "%s%s/%s", root, path, name);
        uint64_t grant = number_in(file);
        if (grant && grant < least) least = grant;
        char *slash = strrchr(path, '/');
        if (!slash) return least;
        *slash = 0;
    }
}

uint64_t weir_memory_limit_bytes(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t least = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
    /* One line a hierarchy, HIERARCHY:CONTROLLERS:PATH; v2 has hierarchy 0 and names no controllers. */
    FILE *groups = fopen("/proc/self/cgroup", "re");
    char line[4200];
    while (groups && fgets(line, sizeof line, groups)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        controllers++;
        if (!*controllers) least = least_grant("/sys/fs/cgroup", path, "memory.max", least);
        if (strstr(controllers, "memory")) least = least_grant("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes", least);
    }
    if (groups) fclose(groups);
    return least == UINT64_MAX ? 0 : least;
}

void weir_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
