/// Where mail for a domain goes, or why it goes nowhere.
package enum MXResolution: Sendable, Equatable {
    /// The hosts to try in this order; never empty, and each has an address.
    case hosts([MXHost], skipped: [SkippedHost])
    /// As DNS stands the domain takes no mail.
    ///
    /// For `noSuchDomain` the caller defers once and believes it at the first retry.
    case permanent(MXProblem)
    /// To be tried again later; never a reason to fall back to the domain's own address.
    case temporary(MXProblem)
}

/// One host that takes mail for a domain.
package struct MXHost: Sendable, Equatable {
    package var name: String
    package var preference: Int
    /// IPv4 before IPv6; never empty.
    package var addresses: [IPAddress]
    /// The domain has no MX record, and this is the domain itself.
    package var isImplicit: Bool
    /// DNSSEC proves both the MX answer and the addresses (RFC 7672 §2.2).
    package var isSecure: Bool
    /// DNSSEC proves the MX answer, whatever is with the addresses.
    package var isRoutedSecurely: Bool

    package init(
        name: String, preference: Int, addresses: [IPAddress], isImplicit: Bool = false, isSecure: Bool = false,
        isRoutedSecurely: Bool = false
    ) {
        self.name = name
        self.preference = preference
        self.addresses = addresses
        self.isImplicit = isImplicit
        self.isSecure = isSecure
        self.isRoutedSecurely = isRoutedSecurely
    }
}

/// A host of an MX answer that was not used.
package struct SkippedHost: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// An IP address or something else that no host is called.
        case notAHostName
        /// It is this machine, or less preferred than this machine.
        case leadsBackHere
        /// It has only addresses that mail to strangers must not go to; the first of them.
        case forbiddenAddress(IPAddress)
        case noAddress
        case lookupFailed(DNSFailure)
        /// Beyond the limit of hosts.
        case tooMany
    }

    package var name: String
    package var reason: Reason
}

/// Why mail for a domain cannot be routed.
package struct MXProblem: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case invalidDomain
        case noSuchDomain
        /// The domain says that it takes no mail (RFC 7505).
        case nullMX
        /// There is no MX record with an address, and no address.
        case noMailHost
        /// Every host is on a loopback, private or reserved address.
        case onlyForbiddenHosts
        /// The best host is this machine.
        case leadsBackHere
        case lookupFailed(DNSFailure)
    }

    package var kind: Kind
    package var skipped: [SkippedHost]

    package init(_ kind: Kind, skipped: [SkippedHost] = []) {
        self.kind = kind
        self.skipped = skipped
    }

    /// As in RFC 3463 and RFC 7505.
    package var enhancedStatusCode: String {
        switch kind {
        case .invalidDomain, .noSuchDomain: "5.1.2"
        case .nullMX: "5.1.10"
        case .noMailHost, .onlyForbiddenHosts: "5.4.4"
        case .leadsBackHere: "5.4.6"
        case .lookupFailed: "4.4.3"
        }
    }

    package var description: String {
        switch kind {
        case .invalidDomain: "not a domain that mail can be sent to"
        case .noSuchDomain: "the domain does not exist"
        case .nullMX: "the domain takes no mail (null MX)"
        case .noMailHost: "the domain has no mail host with an address"
        case .onlyForbiddenHosts: "the mail hosts of the domain are on private addresses"
        case .leadsBackHere: "mail for the domain leads back to this machine"
        case .lookupFailed(let failure): "the lookup failed: \(failure)"
        }
    }
}
