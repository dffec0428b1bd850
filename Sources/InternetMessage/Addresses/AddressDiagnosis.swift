/// What the standards say about a string that claims to be an email address: one category, and what led to it.
///
/// Unlike `AddressList`, which makes the best of anything, this judges by the letter of RFC 5321 and RFC 5322 with obsolete syntax
/// (§4.4), RFC 6532 and IDNA2008. Input is one address without display name and angle brackets; nothing is looked up in the DNS.
package struct AddressDiagnosis: Hashable, Sendable {
    /// How far an address can be used; the worst finding decides.
    package enum Category: Int, Hashable, Sendable, Comparable, CaseIterable {
        /// Plain local part and domain: any server takes it.
        case valid
        /// Legal in SMTP, but of a kind many programs refuse: quoted local part, address literal, one label, beyond ASCII.
        case validInSMTP
        /// Legal in a header only with its comments or folding; they must go before SMTP.
        case commentsOrFolding
        /// Legal only by the obsolete syntax of RFC 5322 §4.4 or RFC 5321 §4.1.3; must not be written.
        case deprecated
        /// Legal in RFC 5322 and not in RFC 5321: lengths, host names, literals.
        case headerOnly
        /// No address.
        case invalid

        package static func < (left: Category, right: Category) -> Bool { left.rawValue < right.rawValue }
    }

    /// A thing worth saying about an address; the raw value is its wording for people.
    package enum Finding: String, Hashable, Sendable, CaseIterable {
        case quotedLocalPart = "quoted local part"
        case addressLiteral = "address literal instead of a domain"
        case singleLabel = "domain of one label"
        case numericTopLevel = "top-level domain of digits"
        case internationalized = "characters beyond ASCII in the local part"
        case comment = "comment"
        case folding = "white space around the address"
        case spaceNearAt = "white space or comment beside the @"
        case obsoleteFolding = "white space within the local part or domain, or folded more than once"
        case obsoleteLocalPart = "quoted string as one word of several"
        case obsoleteQuotedPair = "control character behind a backslash"
        case obsoleteControl = "control character in a quoted string, comment or literal"
        case shortenedOneGroup = ":: in place of one group"
        case localPartTooLong = "local part over 64 octets"
        case domainTooLong = "domain over 255 octets"
        case labelTooLong = "label over 63 octets"
        case tooLong = "address over 254 octets"
        case notHostName = "domain is no host name"
        case otherLiteral = "literal that is no IP address"
        case noLocalPart = "no local part"
        case noDomain = "no domain"
        case emptyLabel = "dot at an end, or two together"
        case hyphenAtEnd = "label with a hyphen at an end"
        case badDomain = "not allowed by IDNA2008"
        case badCharacter = "character out of place"
        case badLineEnd = "CR or LF that is no folding"
        case unclosed = "quote, comment or bracket not closed"
        case badEncoding = "not UTF-8"

        /// The category that this finding alone would lead to.
        package var category: Category {
            switch self {
            case .quotedLocalPart, .addressLiteral, .singleLabel, .numericTopLevel, .internationalized: .validInSMTP
            case .comment, .folding: .commentsOrFolding
            case .spaceNearAt, .obsoleteFolding, .obsoleteLocalPart, .obsoleteQuotedPair, .obsoleteControl, .shortenedOneGroup: .deprecated
            case .localPartTooLong, .domainTooLong, .labelTooLong, .tooLong, .notHostName, .otherLiteral: .headerOnly
            case .noLocalPart, .noDomain, .emptyLabel, .hyphenAtEnd, .badDomain, .badCharacter, .badLineEnd, .unclosed, .badEncoding:
                .invalid
            }
        }
    }

    /// What was found, in order, each once; of an invalid address nothing behind the fault is read.
    package let findings: [Finding]

    /// The worst category of all findings, `valid` when there is none.
    package var category: Category { findings.map(\.category).max() ?? .valid }

    /// Judges an address; more than 2,000 octets are invalid unread.
    package init(of bytes: some Collection<UInt8>) {
        guard bytes.count <= 2000 else {
            findings = [.badCharacter]
            return
        }
        var judge = AddressJudge(Array(bytes))
        findings = judge.findings()
    }

    /// Judges an address given as text.
    package init(of text: String) {
        self.init(of: text.utf8)
    }
}
