import OpenSSL

extension TLSError {
    /// Whether it is the peer that is not accepted: its certificate, its protocol, or what it says in place of TLS. A connection that only
    /// broke is none of that.
    var refusesPeer: Bool {
        switch code {
        case .closedDuringHandshake, .uncleanShutdown: false
        default: true
        }
    }
}
