/* CRC-32C three ways: SSE4.2 with three interleaved streams, ARMv8 CRC instructions, and slicing-by-8 tables.
   The interleaving hides the three-cycle latency of the crc32 instruction: three independent streams are summed
   and then combined by shifting the first two over the length of what follows (multiplication by x^(8n) mod P). */
#include "CWeir.h"

#include <pthread.h>
#include <string.h>

#define POLY 0x82f63b78u
#define LONG_BLOCK 4096
#define SHORT_BLOCK 256

static uint32_t table[8][256];
static uint32_t shift_long[4][256];
static uint32_t shift_short[4][256];
static int hardware;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static uint32_t gf2_times(const uint32_t *matrix, uint32_t vector) {
    uint32_t sum = 0;
    for (; vector; vector >>= 1, matrix++)
        if (vector & 1) sum ^= *matrix;
    return sum;
}

static void gf2_square(uint32_t *square, const uint32_t *matrix) {
    for (int n = 0; n < 32; n++) square[n] = gf2_times(matrix, matrix[n]);
}

/* Fills `shift` so that shift_apply(shift, crc) equals crc followed by `length` zero bytes; length is a power of two. */
static void make_shift(uint32_t shift[4][256], size_t length) {
    uint32_t odd[32], even[32];
    odd[0] = POLY;
    for (int n = 1; n < 32; n++) odd[n] = 1u << (n - 1);
    gf2_square(even, odd); /* two zero bits */
    gf2_square(odd, even); /* four */
    uint32_t *current = odd, *next = even;
    for (size_t bytes = length; bytes; bytes >>= 1) {
        gf2_square(next, current);
        uint32_t *swap = current;
        current = next;
        next = swap;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 0; k < 4; k++) shift[k][n] = gf2_times(current, n << (8 * k));
}

static inline uint32_t shift_apply(uint32_t shift[4][256], uint32_t crc) {
    return shift[0][crc & 0xff] ^ shift[1][(crc >> 8) & 0xff] ^ shift[2][(crc >> 16) & 0xff] ^ shift[3][crc >> 24];
}

static void prepare(void) {
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = n;
        for (int k = 0; k < 8; k++) crc = crc & 1 ? (crc >> 1) ^ POLY : crc >> 1;
        table[0][n] = crc;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++) table[k][n] = table[0][table[k - 1][n] & 0xff] ^ (table[k - 1][n] >> 8);
    make_shift(shift_long, LONG_BLOCK);
    make_shift(shift_short, SHORT_BLOCK);
#if defined(__x86_64__)
    hardware = __builtin_cpu_supports("sse4.2") ? 1 : 0;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
    hardware = 1;
#endif
}

uint32_t weir_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
    pthread_once(&prepared, prepare);
    const uint8_t *p = bytes;
    crc = ~crc;
    while (length && ((uintptr_t)p & 7)) {
        crc = table[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
        length--;
    }
    while (length >= 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        low = __builtin_bswap32(low);
        high = __builtin_bswap32(high);
#endif
        low ^= crc;
        crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^
              table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^ table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
        p += 8;
        length -= 8;
    }
    while (length--) crc = table[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

#define LOAD(p) ({ uint64_t word; memcpy(&word, (p), 8); word; })

/* Sums blocks of three times `block` bytes while they last; advances *p and *length. */
#define THREE_WAY(block, shift)                                                   \
    while (length >= 3 * (block)) {                                               \
        uint64_t second = 0, third = 0;                                           \
        const uint8_t *end = p + (block);                                         \
        do {                                                                      \
            first = _mm_crc32_u64(first, LOAD(p));                                \
            second = _mm_crc32_u64(second, LOAD(p + (block)));                    \
            third = _mm_crc32_u64(third, LOAD(p + 2 * (block)));                  \
            p += 8;                                                               \
        } while (p < end);                                                        \
        first = shift_apply(shift, (uint32_t)first) ^ second;                     \
        first = shift_apply(shift, (uint32_t)first) ^ third;                      \
        p += 2 * (block);                                                         \
        length -= 3 * (block);                                                    \
    }

__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint64_t first = (uint32_t)~crc;
    THREE_WAY(LONG_BLOCK, shift_long)
    THREE_WAY(SHORT_BLOCK, shift_short)
    for (; length >= 8; length -= 8, p += 8) first = _mm_crc32_u64(first, LOAD(p));
    for (; length; length--) first = _mm_crc32_u8((uint32_t)first, *p++);
    return ~(uint32_t)first;
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

static uint32_t crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    crc = ~crc;
    for (; length >= 8; length -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __crc32cd(crc, word);
    }
    for (; length; length--) crc = __crc32cb(crc, *p++);
    return ~crc;
}
#else
static uint32_t crc32c_hardware(uint32_t crc, const void *bytes, size_t length) {
    return weir_crc32c_portable(crc, bytes, length);
}
#endif

int weir_crc32c_is_hardware(void) {
    pthread_once(&prepared, prepare);
    return hardware;
}

uint32_t weir_crc32c(uint32_t crc, const void *bytes, size_t length) {
    pthread_once(&prepared, prepare);
    return hardware ? crc32c_hardware(crc, bytes, length) : weir_crc32c_portable(crc, bytes, length);
}
