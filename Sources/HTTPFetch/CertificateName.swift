import NIOCore
import NIOSSL

/// The name in a server's certificate, looked at once more.
///
/// The library takes a certificate whose address is that of the connection for any host name. Who can lead us to an address of theirs (forged DNS)
/// gets a public certificate for that address easily, and would be taken for every host: so a host that is a name must stand in the certificate
/// as a name (RFC 9525 §6.3).
enum CertificateName {
    /// The certificate is for somebody else.
    struct Mismatch: Error {}

    /// Fails, and closes the channel, when its peer's certificate does not bear the host's name; does nothing in clear.
    static func check(of channel: any Channel, host: String) -> EventLoopFuture<Void> {
        let checked = channel.eventLoop.submit {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self) else { return }
            // An address is compared by the library, and rightly so.
            if (try? SocketAddress(ipAddress: host, port: 0)) != nil { return }
            let names = handler.peerCertificate?._subjectAlternativeNames() ?? nil
            let isNamed = names.map { $0.contains { $0.nameType == .dnsName && matches(Array($0.contents), host: Array(host.utf8)) } }
            guard isNamed == true else { throw Mismatch() }
        }
        checked.whenFailure { _ in channel.close(promise: nil) }
        return checked
    }

    /// Whether a name of a certificate is the host's: label by label without case, `*` alone for the first label.
    static func matches(_ name: [UInt8], host: [UInt8]) -> Bool {
        func labels(_ text: [UInt8]) -> [[UInt8]] {
            var text = text[...]
            if text.last == UInt8(ascii: ".") { text.removeLast() }
            return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { label in
                label.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
            }
        }
        let wanted = labels(host)
        let given = labels(name)
        guard wanted.count == given.count, !wanted.contains([]), wanted.dropFirst() == given.dropFirst() else { return false }
        return given[0] == wanted[0] || given[0] == [UInt8(ascii: "*")] && given.count > 2
    }
}
