#ifndef POSTRIDER_CZLIB_SHIM_H
#define POSTRIDER_CZLIB_SHIM_H

#include <zlib.h>

/* inflateInit2 is a macro, which Swift does not see. */
static inline int postrider_inflate_begin(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
