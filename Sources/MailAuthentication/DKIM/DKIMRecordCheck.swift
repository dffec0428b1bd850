package import OpenSSL

/// Where the key record of a selector stands in DNS.
package struct DKIMRecordName: Sendable, Hashable {
    /// As A-labels.
    package let domain: String
    package let selector: String

    package init(domain: String, selector: String) {
        self.domain = domain
        self.selector = selector
    }

    /// The name of the TXT record.
    package var text: String { "\(selector)._domainkey.\(domain)" }

    /// The line for a zone file; long texts are cut into strings of at most 255 octets.
    package func zoneLine(_ key: PrivateKey) -> String {
        "\(text). IN TXT ( \(DKIMKeyRecord.strings(for: key).map { "\"\($0)\"" }.joined(separator: " ")) )"
    }
}

/// What DNS publishes under a selector, compared with the private key that is to sign under it.
package enum DKIMRecordCheck: Sendable, Equatable {
    /// What the key signs, the record verifies.
    case fits
    /// There is no TXT record.
    case missing
    /// More than one TXT record: receivers may read any of them.
    case several(Int)
    case unusable(DKIMKeyRecord.Fault)
    case otherKey
    /// `h=` does not allow SHA-256, which every signature is made with.
    case noSHA256
    /// DNS does not answer now; nothing is known.
    case noAnswer

    package init(_ answer: TextAnswer, for key: PrivateKey, named name: DKIMRecordName) {
        switch answer {
        case .none: self = .missing
        case .temporaryFailure: self = .noAnswer
        case .records(let texts):
            guard let text = texts.first else {
                self = .missing
                return
            }
            guard texts.count == 1 else {
                self = .several(texts.count)
                return
            }
            do throws(DKIMKeyRecord.Fault) {
                self = Self.compare(try DKIMKeyRecord(parsing: text), key, name)
            } catch {
                self = .unusable(error)
            }
        }
    }

    /// The proof that counts: what the private key signs, the published key verifies.
    private static func compare(_ record: DKIMKeyRecord, _ key: PrivateKey, _ name: DKIMRecordName) -> DKIMRecordCheck {
        let probe = Digest.sha256(Array(name.text.utf8))
        guard record.key.algorithm == key.algorithm, let signature = try? key.sign(probe),
            record.key.verify(signature: signature, message: probe)
        else { return .otherKey }
        return record.allowsSHA256 ? .fits : .noSHA256
    }

    /// What stands in the way and what to do about it, for people; nil when the record fits.
    package func complaint(_ key: PrivateKey, named name: DKIMRecordName) -> String? {
        switch self {
        case .fits: nil
        case .missing: "\(name.text): no TXT record; publish:\n\(name.zoneLine(key))"
        case .several(let count): "\(name.text): \(count) TXT records; receivers may read any of them, leave one"
        case .unusable(let fault): "\(name.text): not a usable key record (\(fault)); publish:\n\(name.zoneLine(key))"
        case .otherKey: "\(name.text): the record is of another key; publish:\n\(name.zoneLine(key))"
        case .noSHA256: "\(name.text): h= of the record does not allow sha256"
        case .noAnswer: "\(name.text): DNS does not answer now; try again, or name another resolver"
        }
    }
}
