/// The types of record that mail needs.
package enum RecordType: UInt16, Sendable, CaseIterable {
    case a = 1
    case cname = 5
    case soa = 6
    case ptr = 12
    case mx = 15
    case txt = 16
    case aaaa = 28
    case tlsa = 52
}

/// Why there is no answer.
package enum DNSFailure: Sendable, Hashable, CustomStringConvertible {
    /// No answer within the resolver's deadline.
    case timedOut
    /// The server said so: 2 is SERVFAIL, 5 REFUSED (RFC 1035 §4.1.1).
    case responseCode(Int)
    /// DNSSEC validation failed, with the resolver's words.
    case bogus(String)
    /// The name cannot be asked for; the only failure that time does not heal.
    case invalidName
    /// The resolver itself does not work, with the reason.
    case unavailable(String)

    package var isTemporary: Bool { self != .invalidName }

    package var description: String {
        switch self {
        case .timedOut: "no answer in time"
        case .responseCode(2): "SERVFAIL"
        case .responseCode(5): "REFUSED"
        case .responseCode(let code): "response code \(code)"
        case .bogus(let why): "DNSSEC validation failed: \(why)"
        case .invalidName: "not a domain name"
        case .unavailable(let why): why
        }
    }
}

/// What came of one lookup, aliases followed.
package struct DNSAnswer: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        /// Record data in wire form, names uncompressed; never empty.
        case records([[UInt8]])
        /// The name exists, but has no record of the type.
        case noData
        /// The name does not exist.
        case nameNotFound
        case failure(DNSFailure)
    }

    /// What was asked for; accessors of other types give nothing.
    package var type: RecordType
    package var outcome: Outcome
    /// Whether DNSSEC proves the outcome. A failed proof is the failure `bogus`; false otherwise says that the zone is not signed.
    package var isSecure: Bool
    /// The name at the end of the aliases, nil when there was none.
    package var canonicalName: String?

    package init(_ type: RecordType, _ outcome: Outcome, isSecure: Bool = false, canonicalName: String? = nil) {
        self.type = type
        self.outcome = outcome
        self.isSecure = isSecure
        self.canonicalName = canonicalName
    }

    package var failure: DNSFailure? {
        if case .failure(let failure) = outcome { failure } else { nil }
    }

    /// Decodes each record; records that are malformed are left out. A resolver gives 1,000 at most, and
    /// all are looked at, because the order of an answer says nothing: the best MX may stand last.
    private func decoded<Value>(_ types: RecordType..., by decode: (inout ArraySlice<UInt8>) -> Value?) -> [Value] {
        guard types.contains(type), case .records(let records) = outcome else { return [] }
        return records.prefix(1000).compactMap { record in
            var rest = record[...]
            guard let value = decode(&rest), rest.isEmpty else { return nil }
            return value
        }
    }

    /// The addresses of an A or AAAA answer.
    package var addresses: [IPAddress] {
        decoded(.a, .aaaa) { rest in
            defer { rest = [] }
            return rest.count == (type == .a ? 4 : 16) ? IPAddress(bytes: rest) : nil
        }
    }

    /// The records of an MX answer, in the order of the answer.
    package var mailExchangers: [MailExchanger] {
        decoded(.mx) { rest in
            guard rest.count > 2 else { return nil }
            let preference = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            return DomainText.decode(&rest).map { MailExchanger(preference: preference, host: $0) }
        }
    }

    /// The texts of a TXT answer, the strings of each record joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    package var texts: [[UInt8]] {
        decoded(.txt) { rest in
            var text: [UInt8] = []
            while let length = rest.popFirst() {
                guard rest.count >= Int(length) else { return nil }
                text += rest.prefix(Int(length))
                rest.removeFirst(Int(length))
            }
            return text
        }
    }

    /// The names of a PTR or CNAME answer.
    package var names: [String] { decoded(.ptr, .cname, by: DomainText.decode) }

    /// The records of a TLSA answer (RFC 6698 §2.1).
    package var tlsAssociations: [TLSAssociation] {
        decoded(.tlsa) { rest in
            guard rest.count > 3 else { return nil }
            let fields = (rest.removeFirst(), rest.removeFirst(), rest.removeFirst())
            defer { rest = [] }
            return TLSAssociation(usage: fields.0, selector: fields.1, matchingType: fields.2, data: Array(rest))
        }
    }
}

/// One MX record; the host `.` is the null MX (RFC 7505).
package struct MailExchanger: Sendable, Hashable {
    package var preference: Int
    package var host: String
}

/// One TLSA record.
package struct TLSAssociation: Sendable, Hashable {
    package var usage: UInt8
    package var selector: UInt8
    package var matchingType: UInt8
    package var data: [UInt8]
}
