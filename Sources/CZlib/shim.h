#ifndef POSTRIDER_CZLIB_SHIM_H
#define POSTRIDER_CZLIB_SHIM_H

#include <zlib.h>

/* inflateInit2 is a macro, which Swift does not see. */
static inline int postrider_inflate_begin(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

/* deflateInit2 is one, too: raw deflate with the library's defaults. */
static inline int postrider_deflate_begin(z_stream *stream) {
    return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}

#endif
