import COpenSSL

/// Whom a client expects at the other end, and what happens if it is somebody else.
package enum TLSPeer: Sendable, Hashable {
    /// Only a peer whose certificate is trusted and for this name is spoken to; anybody else fails the handshake.
    ///
    /// A host name (internationalised ones as A-labels; also sent as SNI) or an IP address (compared with the certificate's
    /// IP addresses; no SNI, RFC 6066 §3). A name in the certificate's subject does not count (RFC 6125 §6.4.4).
    case verified(name: String)

    /// As `verified`, but one name of several is enough; a name with a leading dot stands for every host below it.
    ///
    /// IP addresses match nothing here. The list is not empty; `serverName` is sent as SNI and need not be one of it.
    case verifiedAsOneOf([String], serverName: String)

    /// Only a peer is spoken to whose certificate or public key (its SubjectPublicKeyInfo) has one of these SHA-256 digests; names,
    /// dates and authorities do not matter. The name is for SNI only.
    case pinned([[UInt8]], serverName: String?)

    /// Only a peer is spoken to that one of these TLSA records vouches for (RFC 7672 §3.1). The first name is the base domain of the
    /// records and sent as SNI (§8.1); a certificate under DANE-TA(2) must be for one of the names. Neither list is empty.
    case dane([DANERecord], names: [String])

    /// Anybody is spoken to: opportunistic TLS (RFC 7435). The name, if there is one, is sent as SNI and checked for the facts only.
    case unverified(name: String?)

    /// How the peer is called in messages, and to itself by SNI.
    var name: String? {
        switch self {
        case .verified(let name), .verifiedAsOneOf(_, let name): name
        case .pinned(_, let name): name
        case .dane(_, let names): names.first
        case .unverified(let name): name
        }
    }

    /// Whether a peer that is not proven to be the one meant is refused.
    package var mustVerify: Bool {
        if case .unverified = self { false } else { true }
    }

    /// Tells the library whom to expect.
    ///
    /// The library reads an empty name as "check no name", a leading dot as "any host below", and stops at a NUL; so the
    /// octets are looked at here first.
    func apply(to ssl: OpaquePointer) throws(TLSError) {
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        ErrorQueue.clear()
        switch self {
        case .verified(let name): try expect(name, ssl, verify: SSL_VERIFY_PEER)
        case .unverified(let name?): try expect(name, ssl, verify: SSL_VERIFY_NONE)
        case .unverified(nil), .pinned(_, nil): verify(ssl, SSL_VERIFY_NONE)
        // The digests are compared when the handshake is done: no chain and no name counts.
        case .pinned(_, let name?):
            verify(ssl, SSL_VERIFY_NONE)
            try announce(try Self.checked(name), ssl)
        case .verifiedAsOneOf(let names, let serverName):
            verify(ssl, SSL_VERIFY_PEER)
            try announce(try Self.checked(serverName), ssl)
            try add(names, ssl)
        case .dane(let records, let names): try expect(records, names, ssl)
        }
    }

    private func verify(_ ssl: OpaquePointer, _ mode: Int32) { SSL_set_verify(ssl, mode, TLSConnection.verifyCallback) }

    private func expect(_ name: String, _ ssl: OpaquePointer, verify mode: Int32) throws(TLSError) {
        verify(ssl, mode)
        let checked = try Self.checked(name)
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), checked) == 1 { return }
        ErrorQueue.clear()
        guard SSL_set1_host(ssl, checked) == 1 else { throw Self.refused(checked) }
        try announce(checked, ssl)
    }

    /// SNI, which no IP address has (RFC 6066 §3).
    private func announce(_ name: String, _ ssl: OpaquePointer) throws(TLSError) {
        if let address = a2i_IPADDRESS(name) {
            ASN1_OCTET_STRING_free(address)
            return
        }
        ErrorQueue.clear()
        guard COpenSSL_set_server_name(ssl, name) == 1 else { throw Self.refused(name) }
    }

    private func add(_ names: [String], _ ssl: OpaquePointer) throws(TLSError) {
        var isFirst = true
        for name in names {
            let isBelow = name.utf8.first == UInt8(ascii: ".")
            let bare = try Self.checked(isBelow ? String(decoding: name.utf8.dropFirst(), as: UTF8.self) : name)
            if let address = a2i_IPADDRESS(bare) {
                ASN1_OCTET_STRING_free(address)
                continue
            }
            ErrorQueue.clear()
            let checked = isBelow ? ".\(bare)" : bare
            guard (isFirst ? SSL_set1_host(ssl, checked) : SSL_add1_host(ssl, checked)) == 1 else { throw Self.refused(checked) }
            isFirst = false
        }
        // Without a name the library would take a certificate for anything.
        if isFirst { throw TLSError(.invalidPeerName, "there is no name to check a certificate for") }
    }

    private func expect(_ records: [DANERecord], _ names: [String], _ ssl: OpaquePointer) throws(TLSError) {
        guard let base = names.first else { throw TLSError(.invalidPeerName, "there is no name to check a certificate for") }
        let checked = try Self.checked(base)
        guard SSL_dane_enable(ssl, checked) == 1 else { throw Self.refused(checked) }
        var count = 0
        for record in records where record.isUsable {
            let added = record.data.withUnsafeBufferPointer {
                SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matchingType, $0.baseAddress, $0.count)
            }
            if added > 0 { count += 1 }
        }
        ErrorQueue.clear()
        // Without a record the library would fall back to the authorities of the context.
        guard count > 0 else { throw TLSError(.certificate(.daneMismatch), "none of the TLSA records of \(checked) can be used") }
        for name in names.dropFirst() where SSL_add1_host(ssl, try Self.checked(name)) != 1 { throw Self.refused(name) }
        verify(ssl, SSL_VERIFY_PEER)
    }

    /// What the peer has proven, once the handshake is done.
    ///
    /// - Parameter result: the library's verdict on the chain.
    func proof(of certificate: OpaquePointer, result: Int, _ ssl: OpaquePointer) -> TLSFacts.Proof? {
        switch self {
        case .verified, .verifiedAsOneOf: result == Int(X509_V_OK) ? .authority : nil
        case .unverified(let name): result == Int(X509_V_OK) && name != nil ? .authority : nil
        case .pinned(let digests, _): Certificate.fingerprints(certificate).contains(where: digests.contains) ? .fingerprint : nil
        case .dane: result == Int(X509_V_OK) && SSL_get0_dane_authority(ssl, nil, nil) >= 0 ? .dane : nil
        }
    }

    private static func refused(_ name: String) -> TLSError {
        TLSError(.invalidPeerName, "the name \(name) was refused by the TLS library", cause: ErrorQueue.drainText())
    }

    /// The name without the dot of the root; throws if it has octets that neither a host name nor an IP address has.
    private static func checked(_ name: String) throws(TLSError) -> String {
        var bytes = Array(name.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        let isName =
            !bytes.isEmpty && bytes.count <= 253 && bytes.first != UInt8(ascii: ".") && bytes.last != UInt8(ascii: ".")
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"):
                    true
                default: false
                }
            }
        guard isName else {
            throw TLSError(
                .invalidPeerName,
                "\(Printable.text(name.utf8)) is no name a certificate can be checked for; give a host name (as A-labels) or an IP address")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
