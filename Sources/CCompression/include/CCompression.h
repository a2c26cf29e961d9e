#ifndef CCOMPRESSION_H
#define CCOMPRESSION_H

#include <stddef.h>

/* One small face over zlib, liblz4, libzstd and libsnappy. Their headers stay out of Swift: zlib's entry points are macros. */

enum {
    WEIR_CODEC_GZIP = 1, /* RFC 1952 members, one or several */
    WEIR_CODEC_SNAPPY = 2, /* only weir_pack; its unpacking is below */
    WEIR_CODEC_LZ4 = 3, /* LZ4 frames, one or several */
    WEIR_CODEC_ZSTD = 4, /* RFC 8878 frames, one or several */
};

enum {
    WEIR_UNPACK_DONE = 0, /* all input is used, and it ended where a frame ends */
    WEIR_UNPACK_NEEDS_ROOM = 1, /* the room is full; there may be more */
    WEIR_UNPACK_TRUNCATED = 2, /* the input ended inside a frame */
    WEIR_UNPACK_CORRUPT = 3,
    WEIR_UNPACK_NO_MEMORY = 4,
};

typedef struct weir_unpacker weir_unpacker;

/* Unpacks gzip, lz4 or zstd in steps. `input` must stay where it is until the unpacker is freed. NULL: no memory, or another codec.
   An unpacker reserves no more than its codec's window: 32 KiB, 8 MiB, and 128 MiB of which zstd touches what it has put out. */
weir_unpacker *weir_unpacker_new(int codec, const void *input, size_t length);
void weir_unpacker_free(weir_unpacker *unpacker);

/* Writes up to `room` bytes, at least 1 of them free. One of WEIR_UNPACK_; `written` is set with every one. */
int weir_unpacker_step(weir_unpacker *unpacker, void *output, size_t room, size_t *written);

/* Why the last step said CORRUPT; a constant text. */
const char *weir_unpacker_reason(const weir_unpacker *unpacker);

/* The unpacked length that a raw snappy block declares. 0, or -1 when it is no snappy. */
int weir_snappy_length(const void *input, size_t length, size_t *unpacked);

/* Unpacks one raw snappy block into exactly the length that it declares. 0, or -1 when it is damaged. */
int weir_snappy_unpack(const void *input, size_t length, void *output, size_t unpacked);

/* The most bytes that `length` bytes take packed; 0 for an unknown codec. */
size_t weir_pack_bound(int codec, size_t length);

/* Packs at the codec's default level: bytes written, or 0 on failure. `room` is at least weir_pack_bound. */
size_t weir_pack(int codec, const void *input, size_t length, void *output, size_t room);

#endif
