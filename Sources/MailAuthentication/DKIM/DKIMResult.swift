/// What became of one signature of a message (RFC 6376 §6, words of RFC 8601 §2.7.1).
package struct DKIMResult: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case pass
        /// The signature can be read and does not hold.
        case fail(Failure)
        /// DNS gave no answer now.
        case temporaryError
        /// The signature or its key cannot be used.
        case permanentError(Fault)
    }

    package enum Failure: Sendable, Equatable {
        case bodyHash
        case signature
        case expired
        /// `t=` is ahead of the receiver's clock.
        case notYetValid
        /// `l=` says more than the body has.
        case bodyTooShort
    }

    package enum Fault: Sendable, Equatable {
        /// Not a tag list, a tag missing, twice or unreadable.
        case malformed
        case unknownVersion
        case unknownAlgorithm
        /// `rsa-sha1`, which nobody may verify any more (RFC 8301 §3.1).
        case obsoleteAlgorithm
        case unknownCanonicalization
        /// `q=` without `dns/txt`.
        case unknownQueryMethod
        /// `h=` lacks From.
        case fromNotSigned
        /// `i=` is not within `d=`, or below it where the key says `t=s`.
        case identityOutsideDomain
        case noKey
        case key(DKIMKeyRecord.Fault)
        /// An RSA key below 1024 bits (RFC 8301 §3.2).
        case keyTooShort
        /// The key is of another type than `a=`.
        case keyOfAnotherType
        /// The record's `h=` does not allow SHA-256.
        case hashNotAllowed
        /// More signatures than are looked at stand above it.
        case tooMany
    }

    package let outcome: Outcome
    /// `d=` as A-labels in lower case; empty when it could not be read.
    package let domain: String
    package let selector: String
    /// `rsa-sha256` or `ed25519-sha256`; empty when it could not be read.
    package let algorithm: String
    /// Domain of `i=`, which is `d=` when there is none; empty when it could not be read.
    package var identityDomain = ""
    /// Whether the signature covers the body to its end; with `l=` anybody may add to it.
    package var coversWholeBody = true
    /// Whether the key's owner is only trying DKIM out (`t=y`).
    package var isTesting = false

    /// `dkim=pass example.com`, for a person.
    package var summary: String {
        switch outcome {
        case .pass: "dkim=pass \(domain)"
        case .fail(let failure): "dkim=fail \(domain) (\(failure))"
        case .temporaryError: "dkim=temperror \(domain)"
        case .permanentError(let fault): "dkim=permerror \(domain) (\(fault))"
        }
    }

    /// The result word of RFC 8601 §2.7.1. `policy` stands for signatures that are well made and not accepted here.
    package var word: String {
        switch outcome {
        case .pass: "pass"
        case .fail: "fail"
        case .temporaryError: "temperror"
        case .permanentError(.keyTooShort), .permanentError(.obsoleteAlgorithm), .permanentError(.tooMany): "policy"
        case .permanentError: "permerror"
        }
    }

    /// Why it is no pass, in plain words; nil for a pass.
    package var reason: String? {
        switch outcome {
        case .pass: nil
        case .fail(let failure): failure.words
        case .temporaryError: "the key cannot be looked up now"
        case .permanentError(let fault): fault.words
        }
    }
}

extension DKIMResult.Failure {
    fileprivate var words: String {
        switch self {
        case .bodyHash: "the body was changed"
        case .signature: "the header was changed, or another key signed"
        case .expired: "the signature has expired"
        case .notYetValid: "the signature is from the future"
        case .bodyTooShort: "the body is shorter than was signed"
        }
    }
}

extension DKIMResult.Fault {
    fileprivate var words: String {
        switch self {
        case .malformed: "the signature cannot be read"
        case .unknownVersion: "unknown version"
        case .unknownAlgorithm: "unknown algorithm"
        case .obsoleteAlgorithm: "rsa-sha1 is not accepted"
        case .unknownCanonicalization: "unknown canonicalization"
        case .unknownQueryMethod: "unknown query method"
        case .fromNotSigned: "From is not signed"
        case .identityOutsideDomain: "i= is not of the signing domain"
        case .noKey: "there is no key record"
        case .key(.malformed): "the key record cannot be read"
        case .key(.wrongVersion): "the key record is of another version"
        case .key(.revoked): "the key was revoked"
        case .key(.unknownKeyType): "unknown key type"
        case .key(.unreadableKey): "the key cannot be read"
        case .key(.notForMail): "the key is not for mail"
        case .keyTooShort: "the key is too short"
        case .keyOfAnotherType: "the key is of another type"
        case .hashNotAllowed: "the key does not allow this hash"
        case .tooMany: "too many signatures"
        }
    }
}

/// The answer to a question for TXT records.
package enum TextAnswer: Sendable, Equatable {
    /// Each record with its strings joined.
    case records([[UInt8]])
    /// The name or the type is not there.
    case none
    /// No answer now.
    case temporaryFailure
}
