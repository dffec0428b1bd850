import COpenSSL
import Glibc

/// One X.509 certificate of the library, and the few things people want to read of it.
final class Certificate {
    let pointer: OpaquePointer

    /// Takes `pointer` over.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    /// All certificates of PEM text in their order; other blocks between them are passed over.
    ///
    /// - Throws: `malformedCertificate` if there is none or one is broken; `source` names where they came from.
    static func all(pem: [UInt8], source: String) throws(TLSError) -> [Certificate] {
        ErrorQueue.clear()
        guard pem.count <= KeyFile.limit else { throw TLSError(.malformedCertificate, "\(source) is longer than any list of certificates") }
        var found: [Certificate] = []
        pem.withUnsafeBytes { bytes in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return }
            defer { BIO_free(bio) }
            while let next = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(Certificate(owning: next)) }
        }
        // "No start line" is how the library says that it came to the end.
        let faults = ErrorQueue.drain().filter { !($0.library == ERR_LIB_PEM && $0.reason == PEM_R_NO_START_LINE) }
        guard faults.isEmpty else {
            throw TLSError(
                .malformedCertificate, "certificate \(found.count + 1) of \(source) is broken; get the file again",
                cause: faults.map(\.text).joined(separator: "; "))
        }
        guard !found.isEmpty else {
            throw TLSError(.malformedCertificate, "\(source) holds no certificate in PEM form ('-----BEGIN CERTIFICATE-----')")
        }
        return found
    }

    /// The subject in the form of RFC 2253, printable.
    static func subject(_ pointer: OpaquePointer) -> String {
        let bytes = KeyHandle.collect { COpenSSL_print_subject($0, pointer) }
        return Printable.text(bytes ?? [])
    }

    /// The DNS names and IP addresses of the certificate, the first hundred, printable.
    static func names(_ pointer: OpaquePointer) -> [String] {
        guard let extracted = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else { return [] }
        let names = OpaquePointer(extracted)
        defer { GENERAL_NAMES_free(names) }
        return (0..<min(OPENSSL_sk_num(names), 100)).compactMap { index -> String? in
            guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self) else { return nil }
            var kind: Int32 = 0
            guard let value = GENERAL_NAME_get0_value(name, &kind), kind == GEN_DNS || kind == GEN_IPADD else { return nil }
            let string = UnsafePointer(value.assumingMemoryBound(to: ASN1_STRING.self))
            let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
            return kind == GEN_DNS ? Printable.text(bytes) : address(Array(bytes))
        }
    }

    /// The SHA-256 digests of the certificate and of its public key (SubjectPublicKeyInfo, DER); empty when it cannot be written out.
    static func fingerprints(_ pointer: OpaquePointer) -> [[UInt8]] {
        guard let whole = der({ i2d_X509(pointer, $0) }), let key = der({ i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) }) else {
            return []
        }
        return [MessageDigest.sha256(whole), MessageDigest.sha256(key)]
    }

    private static func der(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let length = Int(write(nil))
        guard length > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: length)
        let written = bytes.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return Int(write(&cursor))
        }
        return written == length ? bytes : nil
    }

    private static func address(_ bytes: [UInt8]) -> String? {
        let family: Int32
        switch bytes.count {
        case 4: family = AF_INET
        case 16: family = AF_INET6
        default: return nil
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// First and last moment of validity, UTC, as `2026-01-31 12:00:00`.
    static func validity(_ pointer: OpaquePointer) -> (from: String, to: String) {
        (moment(X509_get0_notBefore(pointer)), moment(X509_get0_notAfter(pointer)))
    }

    private static func moment(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unreadable time" }
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
    }
}
