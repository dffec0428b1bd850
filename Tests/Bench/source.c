/* A client of SMTP that hands the same message over again and again: source PORT SESSIONS MESSAGES PER_CONNECTION SIZE RECIPIENT.
 *
 * Prints: messages per second, and the 50th and 99th percentile and the longest of the times from the final dot to its reply, in
 * milliseconds. Ends with 1 when any command is answered with anything but what it must be answered with. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port, sessions, messages, per_connection, size;
static const char *recipient;
static char *content;
static size_t content_length;
static atomic_int taken;
static double *waits;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what, const char *answer) {
    fprintf(stderr, "source: %s: %s\n", what, answer);
    exit(1);
}

static void say(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n <= 0) fail("write", "the connection is gone");
        bytes += n;
        length -= n;
    }
}

/* Reads one reply of any number of lines. */
static void expect(int fd, int code, const char *what) {
    char buffer[4096];
    size_t used = 0;
    for (;;) {
        ssize_t n = read(fd, buffer + used, sizeof buffer - 1 - used);
        if (n <= 0) fail(what, "the connection is gone");
        used += n;
        buffer[used] = 0;
        if (used < 5 || buffer[used - 1] != '\n') continue;
        char *line = buffer;
        for (char *next; (next = strchr(line, '\n')) && next[1]; line = next + 1) {}
        if (line[3] == ' ') break;
    }
    if (atoi(buffer) != code) fail(what, buffer);
}

static void command(int fd, int code, const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    say(fd, line, length);
    expect(fd, code, line);
}

static void *session(void *unused) {
    (void)unused;
    int fd = -1, sent = 0;
    for (;;) {
        int number = atomic_fetch_add(&taken, 1);
        if (number >= messages) break;
        if (fd < 0) {
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
            int one = 1;
            fd = socket(AF_INET, SOCK_STREAM, 0);
            if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect", "refused");
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            expect(fd, 220, "greeting");
            command(fd, 250, "EHLO client.example.net\r\n");
        }
        command(fd, 250, "MAIL FROM:<bo@example.net>\r\n");
        command(fd, 250, "RCPT TO:<%s>\r\n", recipient);
        command(fd, 354, "DATA\r\n");
        char id[80];
        int length = snprintf(id, sizeof id, "Message-ID: <%d.%d@example.net>\r\n", getpid(), number);
        say(fd, id, length);
        say(fd, content, content_length - 3);
        double began = now();
        say(fd, ".\r\n", 3);
        expect(fd, 250, "final dot");
        waits[number] = now() - began;
        if (++sent % per_connection == 0) {
            command(fd, 221, "QUIT\r\n");
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) close(fd);
    return NULL;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int count, char **words) {
    if (count != 7) return 64;
    port = atoi(words[1]);
    sessions = atoi(words[2]);
    messages = atoi(words[3]);
    per_connection = atoi(words[4]);
    size = atoi(words[5]);
    recipient = words[6];
    const char *head = "From: Bo <bo@example.net>\r\nTo: us\r\nSubject: Re: a letter\r\nDate: Mon, 2 Mar 2026 09:45:18 +0100\r\n\r\n";
    const char *line = "Thank you for your letter; I shall look into it next week and write again.\r\n";
    content = malloc(size + 4096);
    strcpy(content, head);
    while ((int)strlen(content) < size) strcat(content, line);
    strcat(content, ".\r\n");
    content_length = strlen(content);
    waits = calloc(messages, sizeof *waits);
    pthread_t threads[sessions];
    double began = now();
    for (int i = 0; i < sessions; i++) pthread_create(&threads[i], NULL, session, NULL);
    for (int i = 0; i < sessions; i++) pthread_join(threads[i], NULL);
    double seconds = now() - began;
    qsort(waits, messages, sizeof *waits, compare);
    printf("%.1f %.3f %.3f %.3f\n", messages / seconds, waits[messages / 2] * 1000, waits[messages * 99 / 100] * 1000, waits[messages - 1] * 1000);
    return 0;
}
