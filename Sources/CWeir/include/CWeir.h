#ifndef CWEIR_H
#define CWEIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* CRC-32C (Castagnoli), as used by Kafka's record batches (RFC 3720 appendix B.4 polynomial).
   `crc` is the value of the bytes before, 0 to begin. Uses SSE4.2 or ARMv8 CRC where the processor has it. */
uint32_t weir_crc32c(uint32_t crc, const void *bytes, size_t length);

/* The portable table implementation; the tests compare the two. */
uint32_t weir_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

/* 1 where weir_crc32c runs on CRC instructions. */
int weir_crc32c_is_hardware(void);

/* eventfd(2): a counter that wakes a poll. -1 and errno on failure. */
int weir_eventfd(void);

/* Reads only what the page cache holds (preadv2 with RWF_NOWAIT): bytes read, or -1 with errno EAGAIN when the
   disk would have to be asked; -1 with EOPNOTSUPP where the file system cannot say. */
ssize_t weir_pread_cached(int fd, void *bytes, size_t length, off_t offset);

/* Starts reading a range into the page cache (readahead(2)). 0, or -1 and errno. */
int weir_readahead(int fd, off_t offset, size_t length);

/* Names the calling thread for top and gdb; at most 15 bytes are shown. */
void weir_name_thread(const char *name);

/* A batch thread (SCHED_BATCH, sched(7)) that is woken on a busy machine waits for a processor and takes none from whoever runs; 0 makes
   the calling thread an ordinary one again. Returns 0, or an errno. */
int weir_set_batch_thread(int is_batch);

/* Whether the calling thread is one. */
int weir_is_batch_thread(void);

/* Starts writing a range's dirty pages to the disk without waiting (sync_file_range(2)); promises nothing. 0, or -1 and errno. */
int weir_start_writeback(int fd, off_t offset, size_t length);

/* Finds blocks for a range without changing the file's size (fallocate(2) with FALLOC_FL_KEEP_SIZE). 0, or -1 and errno. */
int weir_preallocate(int fd, off_t offset, off_t length);

/* Free and total bytes of the file system that holds `path`. 0, or -1 and errno. */
int weir_disk_space(const char *path, uint64_t *free_bytes, uint64_t *total_bytes);

/* Takes an exclusive advisory lock on an open file without waiting (flock). 0, or -1 and errno. */
int weir_lock_file(int fd);

/* Processor time of this process and of the calling thread in nanoseconds. */
uint64_t weir_process_cpu_ns(void);
uint64_t weir_thread_cpu_ns(void);

/* Resident set size of this process in bytes; 0 when unknown. */
uint64_t weir_resident_bytes(void);

/* Memory that this process may use in bytes: the machine's, or what its control group (v2 or v1) grants if that is less; 0 when unknown. */
uint64_t weir_memory_limit_bytes(void);

/* Gives memory that the allocator has free back to the system (malloc_trim(3)). */
void weir_trim_memory(void);

#endif
