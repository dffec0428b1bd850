#ifndef POSTRIDER_COPENSSL_SHIM_H
#define POSTRIDER_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// What the library offers as function-like macros only, which Swift does not see.

// TLS 1.2 at least, no renegotiation, no compression, no resumption (a ticket key that lives as long as the process would
// undo forward secrecy, and mail connections gain nothing), small memory for idle connections.
static inline int COpenSSL_prepare(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

// The subject of a certificate in the form of RFC 2253, on one line, octets above 127 as they are.
static inline int COpenSSL_print_subject(BIO *output, X509 *certificate) {
    unsigned long flags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
    return X509_NAME_print_ex(output, X509_get_subject_name(certificate), 0, flags) >= 0;
}

static inline int COpenSSL_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int COpenSSL_set_server_name(SSL *connection, const char *name) {
    return (int)SSL_set_tlsext_host_name(connection, name);
}

// Connections of the context may be judged by TLSA records; DANE-EE(3) records prove a key whatever the certificate's names
// and dates say (RFC 7672 section 3.1.1).
static inline int COpenSSL_prepare_dane(SSL_CTX *context) {
    if (SSL_CTX_dane_enable(context) != 1) return 0;
    SSL_CTX_dane_set_flags(context, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    return 1;
}

#endif
