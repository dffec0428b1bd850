import COpenSSL
import NIOCore

/// One TLS connection without input or output: ciphertext goes in and comes out as buffers.
///
/// Overview: an `SSL` of the library between two memory BIOs. The handler moves the octets; here they are understood.
///
/// Responsibilities:
/// - the handshake, and the judgement on the peer's certificate;
/// - plaintext to records and back;
/// - close_notify, sent and seen.
///
/// Not thread-safe: belongs to one event loop.
final class TLSConnection {
    enum HandshakeStep {
        case needsMore
        case complete(TLSFacts)
        case failed(TLSError)
    }

    enum ReadStep {
        /// The buffer is as full as it should get; there may be more.
        case more
        /// Everything that can be decrypted was; the rest must come from the peer.
        case drained
        /// The peer has said that nothing more will come.
        case closeNotify
        case failed(TLSError)
    }

    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    /// Nil on a server.
    private let peer: TLSPeer?
    /// The first fault found in the peer's chain, even where nothing hangs on it.
    private var chainFault: ChainFault?

    init(client context: TLSClientContext, peer: TLSPeer) throws(TLSError) {
        (ssl, incoming, outgoing) = try Self.make(context.pointer)
        self.peer = peer
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        try peer.apply(to: ssl)
        SSL_set_connect_state(ssl)
    }

    init(server context: TLSServerContext) throws(TLSError) {
        (ssl, incoming, outgoing) = try Self.make(context.pointer)
        peer = nil
        SSL_set_accept_state(ssl)
    }

    private static func make(_ context: OpaquePointer) throws(TLSError) -> (OpaquePointer, OpaquePointer, OpaquePointer) {
        ErrorQueue.clear()
        guard let ssl = SSL_new(context) else {
            throw TLSError(.failed, "no TLS connection can be made", cause: ErrorQueue.drainText())
        }
        guard let incoming = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw TLSError(.failed, "no TLS connection can be made", cause: ErrorQueue.drainText())
        }
        guard let outgoing = BIO_new(BIO_s_mem()) else {
            BIO_free(incoming)
            SSL_free(ssl)
            throw TLSError(.failed, "no TLS connection can be made", cause: ErrorQueue.drainText())
        }
        // The SSL owns both from here.
        SSL_set_bio(ssl, incoming, outgoing)
        return (ssl, incoming, outgoing)
    }

    deinit { SSL_free(ssl) }

    /// Called by the library for each certificate of the peer's chain; notes the first fault and changes no verdict.
    static let verifyCallback: @convention(c) (Int32, OpaquePointer?) -> Int32 = { verdict, store in
        guard verdict == 0, let store,
            let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let data = SSL_get_ex_data(OpaquePointer(ssl), 0)
        else { return verdict }
        let connection = Unmanaged<TLSConnection>.fromOpaque(data).takeUnretainedValue()
        if connection.chainFault == nil {
            connection.chainFault = ChainFault(
                result: Int(X509_STORE_CTX_get_error(store)), certificate: X509_STORE_CTX_get_current_cert(store))
        }
        return verdict
    }

    // MARK: Ciphertext

    /// Takes ciphertext from the peer in.
    func receive(_ ciphertext: ByteBuffer) {
        ciphertext.withUnsafeReadableBytes { bytes in
            guard !bytes.isEmpty else { return }
            var taken = 0
            let done = BIO_write_ex(incoming, bytes.baseAddress, bytes.count, &taken)
            precondition(done == 1 && taken == bytes.count, "a memory BIO took less than all: out of memory")
        }
    }

    /// The ciphertext for the peer that has gathered; nil if there is none.
    func takeCiphertext(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        let count = BIO_ctrl_pending(outgoing)
        guard count > 0 else { return nil }
        var buffer = allocator.buffer(capacity: count)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            var taken = 0
            return BIO_read_ex(outgoing, space.baseAddress, count, &taken) == 1 ? taken : 0
        }
        return buffer
    }

    // MARK: Handshake

    /// Goes on with the handshake as far as the octets at hand allow; an alert for the peer may be among the ciphertext afterwards.
    func handshake() -> HandshakeStep {
        ErrorQueue.clear()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return judged() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsMore
        default: return .failed(failure(ErrorQueue.drain(), inHandshake: true))
        }
    }

    /// The handshake is done for the library; this looks at the verdict once more, since "no certificate" also counts as OK for it.
    private func judged() -> HandshakeStep {
        let certificate = SSL_get0_peer_certificate(ssl)
        let result = SSL_get_verify_result(ssl)
        let proof = certificate.flatMap { peer?.proof(of: $0, result: Int(result), ssl) }
        if let peer, peer.mustVerify, proof == nil { return .failed(refusal(of: certificate, result: Int(result), peer)) }
        let reason: String? =
            if peer == nil || proof != nil { nil } else if certificate == nil {
                "the peer showed no certificate"
            } else if result == X509_V_OK {
                "no name to check the certificate for"
            } else { String(cString: X509_verify_cert_error_string(result)) }
        return .complete(
            TLSFacts(
                protocolVersion: SSL_get_version(ssl).map { String(cString: $0) } ?? "",
                cipher: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "",
                proof: proof, verifyError: reason,
                peerSubject: certificate.map { Certificate.subject($0) }, peerNames: certificate.map { Certificate.names($0) } ?? []))
    }

    private func refusal(of certificate: OpaquePointer?, result: Int, _ peer: TLSPeer) -> TLSError {
        guard let certificate else { return ChainFault.missing(name: peer.name) }
        if case .pinned = peer { return ChainFault.notPinned(name: peer.name, certificate: certificate) }
        return (chainFault ?? ChainFault(result: result, certificate: certificate)).error(name: peer.name)
    }

    // MARK: Plaintext

    /// Decrypts what has come into `buffer` until it holds about `limit` octets.
    func read(into buffer: inout ByteBuffer, limit: Int) -> ReadStep {
        while buffer.readableBytes < limit {
            ErrorQueue.clear()
            var result: Int32 = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: min(limit, 16 << 10)) { space in
                var taken = 0
                result = SSL_read_ex(ssl, space.baseAddress, space.count, &taken)
                return result == 1 ? taken : 0
            }
            if result == 1 { continue }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .drained
            case SSL_ERROR_ZERO_RETURN: return .closeNotify
            default: return .failed(failure(ErrorQueue.drain(), inHandshake: false))
            }
        }
        return .more
    }

    /// Encrypts all of `plaintext` into records.
    func write(_ plaintext: ByteBuffer) throws(TLSError) {
        let done = plaintext.withUnsafeReadableBytes { bytes -> Bool in
            var rest = bytes[...]
            while !rest.isEmpty {
                ErrorQueue.clear()
                var taken = 0
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                guard SSL_write_ex(ssl, piece.baseAddress, piece.count, &taken) == 1 else { return false }
                rest = rest.dropFirst(taken)
            }
            return true
        }
        if !done { throw failure(ErrorQueue.drain(), inHandshake: false) }
    }

    /// Says that nothing more will come from us (RFC 8446 §6.1).
    func sendCloseNotify() {
        ErrorQueue.clear()
        _ = SSL_shutdown(ssl)
        ErrorQueue.clear()
    }

    private func failure(_ entries: [ErrorQueue.Entry], inHandshake: Bool) -> TLSError {
        if let chainFault, entries.contains(where: { $0.library == ERR_LIB_SSL && $0.reason == SSL_R_CERTIFICATE_VERIFY_FAILED }) {
            return chainFault.error(name: peer?.name)
        }
        return TLSError.explaining(entries, peerName: peer?.name, inHandshake: inHandshake)
    }
}
