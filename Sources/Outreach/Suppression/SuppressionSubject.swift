package import InternetMessage
import OpenSSL

extension Suppression {
    /// What is suppressed, as the byte-compared key that the store looks up.
    package enum Subject: Sendable, Hashable {
        /// `EmailAddress.suppressionKey`.
        case address(String)
        /// Lower-case A-label domain; its subdomains are not meant.
        case domain(String)
        /// Suppression keys that a pattern covers: `*` stands for any text, `?` for one character.
        case pattern(String)
        /// The hash of a suppression key, of somebody who asked to be forgotten: 64 hexadecimal digits.
        case hash(String)

        package init(_ address: EmailAddress) { self = .address(address.suppressionKey) }

        /// The hash under which an address stays suppressed when it is forgotten.
        ///
        /// It is keyed with the installation's seed, so that it says nothing elsewhere.
        package static func hash(ofKey key: String, seed: [UInt8]) -> Subject {
            .hash(Hex.encode(HMAC.sha256(key: seed, message: Array("suppressed:".utf8) + key.utf8)))
        }

        /// Reads an address, a domain, or with a `*` a pattern of addresses (`*@*.example.com`; without an `@` a pattern of domains).
        ///
        /// - Throws: what is wrong with the text, for a person.
        package static func read(_ text: String) throws(SubjectFault) -> Subject {
            let bytes = Array(text.utf8)
            if bytes.contains(UInt8(ascii: "*")) { return .pattern(try pattern(bytes)) }
            if bytes.contains(UInt8(ascii: "@")) {
                guard let address = EmailAddress(text) else { throw SubjectFault(what: "is neither an email address nor a domain") }
                return Subject(address)
            }
            guard bytes.contains(UInt8(ascii: ".")), let address = EmailAddress("a@" + text), !address.isAddressLiteral,
                let domain = address.asciiDomain
            else { throw SubjectFault(what: "is neither an email address nor a domain") }
            return .domain(domain)
        }

        private static func pattern(_ written: [UInt8]) throws(SubjectFault) -> String {
            let lower = written.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
            let bytes = lower.contains(UInt8(ascii: "@")) ? lower : Array("*@".utf8) + lower
            guard let at = bytes.lastIndex(of: UInt8(ascii: "@")), bytes.allSatisfy({ $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "[") })
            else {
                throw SubjectFault(what: "is no pattern: it has a blank or a bracket; only * and ? have a meaning")
            }
            guard bytes[(at + 1)...].allSatisfy({ $0 < 0x80 }) else {
                throw SubjectFault(what: "is no pattern: write its domain in A-labels (xn--...)")
            }
            guard bytes.count <= 320 else { throw SubjectFault(what: "is no pattern: no address is longer than 320 octets") }
            // What covers nearly everybody was not meant.
            let telling = bytes.filter { $0 >= 0x80 || ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 122) }
            guard telling.count >= 2 else {
                throw SubjectFault(what: "would cover nearly everybody; 'postrider stop-all' is the way to send nothing")
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// `address`, `domain`, `pattern` or `hash`.
        package var kind: String {
            switch self {
            case .address: "address"
            case .domain: "domain"
            case .pattern: "pattern"
            case .hash: "hash"
            }
        }

        /// Whether it names one address, in clear or by its hash.
        package var isOfOne: Bool {
            switch self {
            case .address, .hash: true
            case .domain, .pattern: false
            }
        }

        /// The key without its kind.
        package var text: String {
            switch self {
            case .address(let text), .domain(let text), .pattern(let text), .hash(let text): text
            }
        }

        /// What `kind` and `text` said; nil for a kind that is none.
        package init?(kind: String, text: String) {
            switch kind {
            case "address": self = .address(text)
            case "domain": self = .domain(text)
            case "pattern": self = .pattern(text)
            case "hash" where text.utf8.count == 64 && text.utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }):
                self = .hash(text)
            default: return nil
            }
        }
    }

    /// What is wrong with a text that was to name whom to suppress; follows the text in a sentence.
    package struct SubjectFault: Error, Sendable, Equatable {
        package let what: String
    }
}
