// The files that the binary carries. Add a file below files/, one FILE line for its bytes and one ENTRY line for its name.
#include "CEmbedded.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char placeholder_txt[] = {
#embed "files/placeholder.txt"
};

#define ENTRY(name, bytes) {name, bytes, sizeof bytes}

static const CEmbeddedFile files[] = {
    ENTRY("placeholder.txt", placeholder_txt),
};

const CEmbeddedFile *cembedded_file(size_t index) {
    return index < sizeof files / sizeof files[0] ? &files[index] : NULL;
}
