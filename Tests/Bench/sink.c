/* An SMTP sink that costs little: takes every message, keeps nothing, counts. A thread for each connection.
 *
 * usage: sink PORT [CERTIFICATE KEY]     with a certificate it offers STARTTLS.
 * Prints a line "MESSAGES CONNECTIONS TLS-CONNECTIONS UNSIGNED" for each line that it reads, and ends with its standard input.
 * UNSIGNED counts messages that do not begin with a DKIM-Signature field.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long messages, connections, encrypted, unsigned_ones;
static SSL_CTX *context;

struct peer {
    int fd;
    SSL *tls;
    char in[1 << 16];
    int start, end;
    char out[1 << 14];
    int pending;
};

static int flush(struct peer *p) {
    int sent = 0;
    while (sent < p->pending) {
        int n = p->tls ? SSL_write(p->tls, p->out + sent, p->pending - sent) : (int)write(p->fd, p->out + sent, p->pending - sent);
        if (n <= 0) return 0;
        sent += n;
    }
    p->pending = 0;
    return 1;
}

static int more(struct peer *p) {
    if (p->pending && !flush(p)) return 0;
    if (p->start > 0) {
        memmove(p->in, p->in + p->start, p->end - p->start);
        p->end -= p->start;
        p->start = 0;
    }
    int room = (int)sizeof p->in - p->end;
    if (room == 0) return 0;
    int n = p->tls ? SSL_read(p->tls, p->in + p->end, room) : (int)read(p->fd, p->in + p->end, room);
    if (n <= 0) return 0;
    p->end += n;
    return 1;
}

/* The next line, without its line end; NULL when there is none any more. What is pending goes out before it waits. */
static char *line(struct peer *p) {
    int seen = p->start;
    for (;;) {
        char *end = memchr(p->in + seen, '\n', p->end - seen);
        if (end) {
            char *begin = p->in + p->start;
            p->start = (int)(end - p->in) + 1;
            if (end > begin && end[-1] == '\r') end--;
            *end = 0;
            return begin;
        }
        int length = p->end - p->start;
        if (!more(p)) return NULL;
        seen = p->start + length;
    }
}

static void say(struct peer *p, const char *text) {
    int length = (int)strlen(text);
    if (p->pending + length > (int)sizeof p->out && !flush(p)) return;
    memcpy(p->out + p->pending, text, length);
    p->pending += length;
}

/* Reads a message up to its final dot. */
static int content(struct peer *p) {
    static const char dot[] = "\r\n.\r\n";
    int matched = 2, first = 1;
    for (;;) {
        if (first && p->end - p->start >= 15) {
            if (strncasecmp(p->in + p->start, "DKIM-Signature:", 15) != 0) atomic_fetch_add(&unsigned_ones, 1);
            first = 0;
        }
        if (!first) {
            for (int i = p->start; i < p->end; i++) {
                if (matched == 0) {
                    char *next = memchr(p->in + i, '\r', p->end - i);
                    if (!next) break;
                    i = (int)(next - p->in);
                }
                char c = p->in[i];
                if (c == dot[matched]) {
                    if (++matched == 5) {
                        p->start = i + 1;
                        return 1;
                    }
                } else {
                    matched = c == '\r';
                }
            }
            p->start = p->end = 0;
        }
        if (!more(p)) return 0;
    }
}

static void *serve(void *argument) {
    struct peer *p = calloc(1, sizeof *p);
    p->fd = (int)(long)argument;
    atomic_fetch_add(&connections, 1);
    say(p, "220 sink.example.net ESMTP\r\n");
    char *command;
    while ((command = line(p))) {
        if (!strncasecmp(command, "EHLO", 4)) {
            say(p, "250-sink.example.net\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n");
            if (context && !p->tls) say(p, "250-STARTTLS\r\n");
            say(p, "250 ENHANCEDSTATUSCODES\r\n");
        } else if (!strncasecmp(command, "DATA", 4)) {
            say(p, "354 go on\r\n");
            if (!content(p)) break;
            atomic_fetch_add(&messages, 1);
            say(p, "250 2.0.0 taken\r\n");
        } else if (!strncasecmp(command, "QUIT", 4)) {
            say(p, "221 2.0.0 bye\r\n");
            flush(p);
            break;
        } else if (!strncasecmp(command, "STARTTLS", 8) && context && !p->tls) {
            say(p, "220 2.0.0 go on\r\n");
            if (!flush(p)) break;
            p->start = p->end = 0;
            SSL *tls = SSL_new(context);
            SSL_set_fd(tls, p->fd);
            if (SSL_accept(tls) != 1) {
                SSL_free(tls);
                break;
            }
            p->tls = tls;
            atomic_fetch_add(&encrypted, 1);
        } else {
            say(p, "250 2.0.0 ok\r\n");
        }
    }
    if (p->tls) {
        SSL_shutdown(p->tls);
        SSL_free(p->tls);
    }
    close(p->fd);
    free(p);
    return NULL;
}

static void *tell(void *unused) {
    char request[64];
    while (fgets(request, sizeof request, stdin)) {
        printf("%ld %ld %ld %ld\n", messages, connections, encrypted, unsigned_ones);
        fflush(stdout);
    }
    exit(0);
    return unused;
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    if (count != 2 && count != 4) return 64;
    if (count == 4) {
        context = SSL_CTX_new(TLS_server_method());
        if (!context || SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1
            || SSL_CTX_use_PrivateKey_file(context, arguments[3], SSL_FILETYPE_PEM) != 1) {
            ERR_print_errors_fp(stderr);
            return 78;
        }
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 512)) {
        perror("sink");
        return 69;
    }
    pthread_t teller;
    pthread_create(&teller, NULL, tell, NULL);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        pthread_t thread;
        if (pthread_create(&thread, &detached, serve, (void *)(long)fd)) close(fd);
    }
}
