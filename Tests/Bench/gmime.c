/* The GMime peer of scripts/bench messages: the same work as Parsing.swift and Memory.swift, with the same output.
 *   gmime parse FOLDER SECONDS | gmime memory FILE */
#include <gmime/gmime.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct totals { long addresses, parts, text, file; };

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static volatile const void *kept;
static void keep(const void *p) { kept = p; }

static void on_part(GMimeObject *parent, GMimeObject *object, gpointer data) {
    struct totals *totals = data;
    if (GMIME_IS_MULTIPART(object)) return;
    if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message((GMimeMessagePart *) object);
        if (inner) g_mime_message_foreach(inner, on_part, data);
        return;
    }
    if (!GMIME_IS_PART(object)) return;
    totals->parts++;
    keep(g_mime_part_get_filename((GMimePart *) object));
    keep(g_mime_object_get_content_id(object));
    if (GMIME_IS_TEXT_PART(object)) {
        char *text = g_mime_text_part_get_text((GMimeTextPart *) object);
        if (text) totals->text += strlen(text);
        g_free(text);
        return;
    }
    GMimeDataWrapper *content = g_mime_part_get_content((GMimePart *) object);
    if (!content) return;
    GMimeStream *memory = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(content, memory);
    totals->file += g_mime_stream_length(memory);
    g_object_unref(memory);
}

static void read_message(GByteArray *bytes, struct totals *totals) {
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
    g_mime_stream_mem_set_owner((GMimeStreamMem *) stream, FALSE);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message) {
        GMimeObject *object = (GMimeObject *) message;
        totals->addresses += internet_address_list_length(g_mime_message_get_from(message))
            + internet_address_list_length(g_mime_message_get_to(message))
            + internet_address_list_length(g_mime_message_get_cc(message))
            + internet_address_list_length(g_mime_message_get_reply_to(message));
        keep(g_mime_message_get_subject(message));
        keep(g_mime_message_get_date(message));
        keep(g_mime_message_get_message_id(message));
        for (int i = 0; i < 2; i++) {
            const char *value = g_mime_object_get_header(object, i ? "References" : "In-Reply-To");
            if (!value) continue;
            GMimeReferences *list = g_mime_references_parse(NULL, value);
            keep(list);
            g_mime_references_free(list);
        }
        g_mime_message_foreach(message, on_part, totals);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}

static GByteArray *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(1); }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    GByteArray *bytes = g_byte_array_sized_new(size);
    g_byte_array_set_size(bytes, size);
    if (fread(bytes->data, 1, size, file) != (size_t) size) { perror(path); exit(1); }
    fclose(file);
    return bytes;
}

static int parse(const char *folder, double seconds) {
    GPtrArray *messages = g_ptr_array_new();
    long bytes = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        char *path = g_build_filename(folder, entry->d_name, NULL);
        GByteArray *message = read_file(path);
        bytes += message->len;
        g_ptr_array_add(messages, message);
        g_free(path);
    }
    struct totals totals;
    long rounds = -1;
    double start = 0, spent = 0;
    do {
        memset(&totals, 0, sizeof totals);
        for (guint i = 0; i < messages->len; i++) read_message(messages->pdata[i], &totals);
        if (++rounds == 0) start = processor_seconds(); /* the first round is not measured */
        else spent = processor_seconds() - start;
    } while (rounds == 0 || spent < seconds);
    printf("{\"messages\": %ld, \"bytes\": %ld, \"seconds\": %f, \"addresses\": %ld, \"parts\": %ld, \"textBytes\": %ld, \"fileBytes\": %ld}\n",
           messages->len * rounds, bytes * rounds, spent, totals.addresses, totals.parts, totals.text, totals.file);
    return 0;
}

static long status_kilobytes(const char *key) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) value = atol(line + strlen(key));
    if (file) fclose(file);
    return value;
}

static int memory(const char *path) {
    long before = status_kilobytes("VmRSS:");
    GByteArray *bytes = read_file(path);
    struct totals totals = {0};
    read_message(bytes, &totals);
    long peak = status_kilobytes("VmHWM:");
    printf("{\"bytes\": %u, \"decodedPeak\": %ld, \"textBytes\": %ld, \"fileBytes\": %ld}\n", bytes->len, (peak - before) * 1024, totals.text,
           totals.file);
    return 0;
}

int main(int argc, char **argv) {
    g_mime_init();
    if (argc == 4 && strcmp(argv[1], "parse") == 0) return parse(argv[2], atof(argv[3]));
    if (argc == 3 && strcmp(argv[1], "memory") == 0) return memory(argv[2]);
    return 64;
}
