#ifndef POSTRIDER_CEMBEDDED_H
#define POSTRIDER_CEMBEDDED_H

#include <stddef.h>

/// A file that the binary carries. `name` is its path below Sources/CEmbedded/files.
typedef struct {
    const char *_Nonnull name;
    const unsigned char *_Nonnull bytes;
    size_t count;
} CEmbeddedFile;

/// The file at `index`, or NULL past the last one.
const CEmbeddedFile *_Nullable cembedded_file(size_t index);

#endif
