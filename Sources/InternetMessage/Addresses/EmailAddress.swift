/// An email address: a local part and a domain, as they mean and not as they are quoted (RFC 5321 §4.1.2, RFC 6531).
///
/// Equality and hashing go by bytes, case included; what counts as the same recipient is `suppressionKey`.
/// Invariants: both parts are valid UTF-8 without control characters, so an address can never break a line or a command.
package struct EmailAddress: Hashable, Sendable {
    /// The local part without its quoting.
    package let localPartBytes: [UInt8]
    /// The domain as it was given: Unicode, A-labels, or an address literal in brackets.
    package let domainBytes: [UInt8]

    /// For parsers of this module: checks the invariants only, not the lengths and the grammar of RFC 5321.
    init?(lenientLocalPart local: [UInt8], domain: [UInt8]) {
        guard !local.isEmpty, !domain.isEmpty, local.count + domain.count < 998,
            !local.contains(where: \.isControl), UTF8Check.isValid(local[...]), UTF8Check.isValid(domain[...]),
            AddressSyntax.isHarmless(domain: domain)
        else { return nil }
        localPartBytes = local
        domainBytes = domain
    }

    /// Reads a bare addr-spec such as `ann@example.com` or `"ann b"@example.com`: no comments, no white space, no angle
    /// brackets, local part up to 64 octets, domain up to 255, labels as the DNS and IDNA2008 allow. Nil for anything else.
    package init?(parsing bytes: some Collection<UInt8>) {
        guard let address = AddressSyntax.addrSpec(ArraySlice(bytes)) else { return nil }
        self = address
    }

    /// Reads a bare addr-spec that a relay may have rewritten (SRS, BATV): what it put in front of the local part may make that 128 octets
    /// long; else the same rules. For what comes in; such an address is not written to.
    package init?(rewritten bytes: some Collection<UInt8>) {
        guard let address = AddressSyntax.addrSpec(ArraySlice(bytes), longestLocalPart: AddressSyntax.longestRewrittenLocalPart) else {
            return nil
        }
        self = address
    }

    /// Reads a bare addr-spec from text; the same rules as for bytes.
    package init?(_ text: String) {
        self.init(parsing: text.utf8)
    }

    /// The local part as text, without quoting.
    package var localPart: String { localPartBytes.utf8Text }

    /// The domain as text, as it was given.
    package var domain: String { domainBytes.utf8Text }

    /// The domain in lower case with A-labels, nil when it is no host name or IDNA2008 does not allow it. Address literals come back in
    /// lower case.
    package var asciiDomain: String? { DomainName.toASCII(domain) }

    /// The domain with A-labels shown as Unicode.
    package var unicodeDomain: String { DomainName.toUnicode(domain) }

    /// The key under which this recipient is suppressed and counted: the local part with ASCII letters in lower case, `@`, and
    /// the domain in lower case with A-labels.
    package var suppressionKey: String {
        let host = asciiDomain ?? domainBytes.asciiLowercased.utf8Text
        return (localPartBytes.asciiLowercased + [ASCII.at] + host.utf8).utf8Text
    }

    /// Whether the address can only travel with SMTPUTF8 (RFC 6531): a local part beyond ASCII, or a domain without A-label form.
    package var needsSMTPUTF8: Bool { !localPartBytes.isASCII || (!domainBytes.isASCII && asciiDomain == nil) }

    /// The address as it stands in an SMTP path, without angle brackets: local part quoted where needed, domain in A-labels.
    package var wireBytes: [UInt8] {
        AddressSyntax.quotedIfNeeded(localPartBytes) + [ASCII.at] + (asciiDomain.map { Array($0.utf8) } ?? domainBytes)
    }

    /// The address as text, local part quoted where needed, domain as it was given.
    package var text: String { (AddressSyntax.quotedIfNeeded(localPartBytes) + [ASCII.at] + domainBytes).utf8Text }

    /// Whether the domain is an address literal such as `[192.0.2.1]`.
    package var isAddressLiteral: Bool { domainBytes.first == ASCII.openBracket }
}

extension EmailAddress: CustomStringConvertible {
    /// A redacted form for logs and errors, `a***@example.com`. What is written to people and peers is `text` and `wireBytes`.
    package var description: String {
        "\(localPart.unicodeScalars.first.map(String.init) ?? "")***@\(domain)"
    }
}

/// A reverse-path: the address a bounce returns to, or the null one of reports (RFC 5321 §4.5.5).
package enum ReversePath: Hashable, Sendable {
    /// `<>`: bounces, automatic replies and reports; nothing may be sent back to it.
    case null
    /// An address that takes bounces.
    case address(EmailAddress)

    /// What stands between the angle brackets of MAIL FROM; empty for the null reverse-path.
    package var wireBytes: [UInt8] {
        switch self {
        case .null: []
        case .address(let address): address.wireBytes
        }
    }
}
