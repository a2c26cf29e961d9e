#include "CCompression.h"

#include <limits.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct weir_unpacker {
    int codec;
    const unsigned char *input;
    size_t left;
    const char *reason;
    z_stream gzip;
    LZ4F_dctx *lz4;
    ZSTD_DCtx *zstd;
};

/* Window bits for zlib: the largest window, with gzip's header and trailer. */
static const int gzip_window = 15 + 16;

weir_unpacker *weir_unpacker_new(int codec, const void *input, size_t length) {
    weir_unpacker *unpacker = calloc(1, sizeof *unpacker);
    if (!unpacker) return NULL;
    unpacker->codec = codec;
    unpacker->input = input;
    unpacker->left = length;
    unpacker->reason = "";
    int ready = 0;
    switch (codec) {
    case WEIR_CODEC_GZIP: ready = inflateInit2(&unpacker->gzip, gzip_window) == Z_OK; break;
    case WEIR_CODEC_LZ4: ready = !LZ4F_isError(LZ4F_createDecompressionContext(&unpacker->lz4, LZ4F_VERSION)); break;
    case WEIR_CODEC_ZSTD: ready = (unpacker->zstd = ZSTD_createDCtx()) != NULL; break;
    }
    if (ready) return unpacker;
    unpacker->codec = 0;
    weir_unpacker_free(unpacker);
    return NULL;
}

void weir_unpacker_free(weir_unpacker *unpacker) {
    switch (unpacker->codec) {
    case WEIR_CODEC_GZIP: inflateEnd(&unpacker->gzip); break;
    case WEIR_CODEC_LZ4: LZ4F_freeDecompressionContext(unpacker->lz4); break;
    case WEIR_CODEC_ZSTD: ZSTD_freeDCtx(unpacker->zstd); break;
    }
    free(unpacker);
}

const char *weir_unpacker_reason(const weir_unpacker *unpacker) { return unpacker->reason; }

static int corrupt(weir_unpacker *unpacker, const char *reason) {
    unpacker->reason = reason;
    return WEIR_UNPACK_CORRUPT;
}

static uInt at_most_uint(size_t length) { return length > UINT_MAX ? UINT_MAX : (uInt)length; }

static int step_gzip(weir_unpacker *unpacker, unsigned char *output, size_t room, size_t *written) {
    z_stream *stream = &unpacker->gzip;
    for (;;) {
        stream->next_in = (Bytef *)unpacker->input;
        uInt given = stream->avail_in = at_most_uint(unpacker->left);
        stream->next_out = output + *written;
        uInt free_room = stream->avail_out = at_most_uint(room - *written);
        int result = inflate(stream, Z_NO_FLUSH);
        uInt used = given - stream->avail_in, put = free_room - stream->avail_out;
        unpacker->input += used;
        unpacker->left -= used;
        *written += put;
        if (result == Z_STREAM_END) {
            if (unpacker->left == 0) return WEIR_UNPACK_DONE;
            if (inflateReset(stream) != Z_OK) return corrupt(unpacker, "zlib cannot start over");
        } else if (result == Z_MEM_ERROR) {
            return WEIR_UNPACK_NO_MEMORY;
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return corrupt(unpacker, stream->msg ? stream->msg : "not gzip");
        }
        if (*written == room) return WEIR_UNPACK_NEEDS_ROOM;
        if (unpacker->left == 0) return WEIR_UNPACK_TRUNCATED;
        if (used == 0 && put == 0) return corrupt(unpacker, "zlib makes no progress");
    }
}

static int step_lz4(weir_unpacker *unpacker, unsigned char *output, size_t room, size_t *written) {
    for (;;) {
        size_t used = unpacker->left, put = room - *written;
        size_t hint = LZ4F_decompress(unpacker->lz4, output + *written, &put, unpacker->input, &used, NULL);
        if (LZ4F_isError(hint)) return corrupt(unpacker, LZ4F_getErrorName(hint));
        unpacker->input += used;
        unpacker->left -= used;
        *written += put;
        if (hint == 0 && unpacker->left == 0) return WEIR_UNPACK_DONE;
        if (*written == room) return WEIR_UNPACK_NEEDS_ROOM;
        if (unpacker->left == 0) return WEIR_UNPACK_TRUNCATED;
        if (used == 0 && put == 0) return corrupt(unpacker, "lz4 makes no progress");
    }
}

static int step_zstd(weir_unpacker *unpacker, unsigned char *output, size_t room, size_t *written) {
    for (;;) {
        ZSTD_inBuffer in = {unpacker->input, unpacker->left, 0};
        ZSTD_outBuffer out = {output + *written, room - *written, 0};
        size_t hint = ZSTD_decompressStream(unpacker->zstd, &out, &in);
        if (ZSTD_isError(hint)) return corrupt(unpacker, ZSTD_getErrorName(hint));
        unpacker->input += in.pos;
        unpacker->left -= in.pos;
        *written += out.pos;
        if (hint == 0 && unpacker->left == 0) return WEIR_UNPACK_DONE;
        if (*written == room) return WEIR_UNPACK_NEEDS_ROOM;
        if (unpacker->left == 0) return WEIR_UNPACK_TRUNCATED;
        if (in.pos == 0 && out.pos == 0) return corrupt(unpacker, "zstd makes no progress");
    }
}

int weir_unpacker_step(weir_unpacker *unpacker, void *output, size_t room, size_t *written) {
    *written = 0;
    if (room == 0) return WEIR_UNPACK_NEEDS_ROOM;
    switch (unpacker->codec) {
    case WEIR_CODEC_GZIP: return step_gzip(unpacker, output, room, written);
    case WEIR_CODEC_LZ4: return step_lz4(unpacker, output, room, written);
    default: return step_zstd(unpacker, output, room, written);
    }
}

int weir_snappy_length(const void *input, size_t length, size_t *unpacked) {
    return snappy_uncompressed_length(input, length, unpacked) == SNAPPY_OK ? 0 : -1;
}

int weir_snappy_unpack(const void *input, size_t length, void *output, size_t unpacked) {
    size_t put = unpacked;
    return snappy_uncompress(input, length, output, &put) == SNAPPY_OK && put == unpacked ? 0 : -1;
}

/* Java's Kafka client reads only blocks that stand alone. */
static const LZ4F_preferences_t lz4_preferences = {.frameInfo = {.blockMode = LZ4F_blockIndependent}};

size_t weir_pack_bound(int codec, size_t length) {
    switch (codec) {
    case WEIR_CODEC_GZIP: return compressBound(length) + 64;
    case WEIR_CODEC_SNAPPY: return snappy_max_compressed_length(length);
    case WEIR_CODEC_LZ4: return LZ4F_compressFrameBound(length, &lz4_preferences);
    case WEIR_CODEC_ZSTD: return ZSTD_compressBound(length);
    default: return 0;
    }
}

static size_t pack_gzip(const void *input, size_t length, void *output, size_t room) {
    if (length > UINT_MAX || room > UINT_MAX) return 0;
    z_stream stream = {.next_in = (Bytef *)input, .avail_in = (uInt)length, .next_out = output, .avail_out = (uInt)room};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    int result = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return result == Z_STREAM_END ? room - stream.avail_out : 0;
}

size_t weir_pack(int codec, const void *input, size_t length, void *output, size_t room) {
    size_t put = room;
    switch (codec) {
    case WEIR_CODEC_GZIP: return pack_gzip(input, length, output, room);
    case WEIR_CODEC_SNAPPY: return snappy_compress(input, length, output, &put) == SNAPPY_OK ? put : 0;
    case WEIR_CODEC_LZ4:
        put = LZ4F_compressFrame(output, room, input, length, &lz4_preferences);
        return LZ4F_isError(put) ? 0 : put;
    case WEIR_CODEC_ZSTD:
        put = ZSTD_compress(output, room, input, length, ZSTD_CLEVEL_DEFAULT);
        return ZSTD_isError(put) ? 0 : put;
    default: return 0;
    }
}
