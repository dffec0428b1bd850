/// The seam to DNS: whoever needs a lookup takes one of these.
///
/// A lookup always ends with a value, within the resolver's own deadline. Names are ASCII (A-labels); case and one
/// trailing dot do not matter.
package protocol Resolver: Sendable {
    func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer

    /// Whether answers are validated; without that `isSecure` is false throughout and proves nothing.
    var validation: DNSValidation { get }
}

extension Resolver {
    package var validation: DNSValidation { .off("this resolver does not validate") }
}

/// Whether a resolver validates DNSSEC (RFC 4035 §4).
package enum DNSValidation: Sendable, Equatable {
    /// There is no trust anchor, or the root could not be validated; the reason for people.
    case off(String)
    /// The root has not answered yet.
    case undecided
    case on
}

/// What came of asking for the addresses of a host.
package enum AddressAnswer: Sendable, Equatable {
    /// IPv4 before IPv6, each in the order of its answer; never empty. Secure when DNSSEC proves every answer used.
    case addresses([IPAddress], isSecure: Bool)
    /// The host has no address; `nameNotFound` when the name itself does not exist.
    case none(nameNotFound: Bool)
    case failure(DNSFailure)
}

extension Resolver {
    /// The A and, when wanted, AAAA records of a host.
    ///
    /// When one kind fails and the other gives addresses, those are used; when one fails and the other has none, that
    /// is a failure, because there may be addresses.
    package func addresses(of host: String, withVersion6: Bool = true) async -> AddressAnswer {
        async let six: DNSAnswer? = withVersion6 ? lookup(host, .aaaa) : nil
        let four = await lookup(host, .a)
        let answers = [four, await six].compactMap { $0 }
        let found = answers.filter { !$0.addresses.isEmpty }
        if !found.isEmpty {
            return .addresses(found.flatMap(\.addresses), isSecure: found.allSatisfy(\.isSecure))
        }
        if let failure = answers.compactMap(\.failure).first { return .failure(failure) }
        return .none(nameNotFound: answers.allSatisfy { $0.outcome == .nameNotFound })
    }
}
