package import InternetMessage
import OpenSSL

/// What became of one signature of a message (RFC 6376 §6, words of RFC 8601 §2.7.1).
package struct DKIMResult: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case pass
        case fail(Failure)
        /// DNS gave no answer now.
        case temporaryError
        case permanentError(Fault)
    }

    package enum Failure: Sendable, Equatable {
        case bodyHash
        case signature
        case expired
    }

    package enum Fault: Sendable, Equatable {
        case malformed
        case unknownVersion
        case unknownAlgorithm
        /// `h=` lacks From.
        case fromNotSigned
        /// `i=` is not within `d=`.
        case identityOutsideDomain
        case noKey
        case key(DKIMKeyRecord.Fault)
        /// An RSA key below 1024 bits (RFC 8301 §3.2).
        case keyTooShort
        /// The record allows no such hash or its key is of another type.
        case keyForbidsAlgorithm
    }

    package let outcome: Outcome
    /// `d=` as A-labels in lower case; empty when it could not be read.
    package let domain: String
    package let selector: String
    /// `rsa-sha256` or `ed25519-sha256`; empty when it could not be read.
    package let algorithm: String

    /// `dkim=pass example.com`, for a person.
    package var summary: String {
        switch outcome {
        case .pass: "dkim=pass \(domain)"
        case .fail(let failure): "dkim=fail \(domain) (\(failure))"
        case .temporaryError: "dkim=temperror \(domain)"
        case .permanentError(let fault): "dkim=permerror \(domain) (\(fault))"
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

/// Verifies every DKIM signature of a message.
package struct DKIMVerifier: Sendable {
    /// More signatures than this are not looked at.
    private static let most = 8

    private let lookUp: @Sendable (String) async -> TextAnswer

    /// - Parameter lookUp: asks for the TXT records of a name.
    package init(lookUp: @escaping @Sendable (String) async -> TextAnswer) { self.lookUp = lookUp }

    /// One result for each signature, in the order of the message; empty when there is none.
    package func verify(_ message: [UInt8], at now: Timestamp) async -> [DKIMResult] {
        let parts = SignedParts(message)
        var results: [DKIMResult] = []
        for field in parts.fields.filter({ $0.isNamed("DKIM-Signature") }).prefix(Self.most) {
            results.append(await verify(field, of: parts, at: now))
        }
        return results
    }

    private func verify(_ field: HeaderField, of parts: SignedParts, at now: Timestamp) async -> DKIMResult {
        let signature: DKIMSignature
        switch DKIMSignature.read(field) {
        case .signature(let read): signature = read
        case .fault(let fault): return DKIMResult(outcome: .permanentError(fault), domain: "", selector: "", algorithm: "")
        }
        func result(_ outcome: DKIMResult.Outcome) -> DKIMResult {
            DKIMResult(outcome: outcome, domain: signature.domain, selector: signature.selector, algorithm: signature.algorithm.rawValue)
        }
        if let expires = signature.expires, now.seconds > expires { return result(.fail(.expired)) }
        let records: [[UInt8]]
        switch await lookUp("\(signature.selector)._domainkey.\(signature.domain)") {
        case .records(let found): records = found
        case .none: return result(.permanentError(.noKey))
        case .temporaryFailure: return result(.temporaryError)
        }
        var last = DKIMResult.Outcome.permanentError(.noKey)
        for bytes in records.prefix(4) {
            let record: DKIMKeyRecord
            do throws(DKIMKeyRecord.Fault) {
                record = try DKIMKeyRecord(parsing: bytes)
            } catch {
                last = .permanentError(.key(error))
                continue
            }
            last = check(signature, field, parts, record)
            if last == .pass { break }
        }
        return result(last)
    }

    private func check(_ signature: DKIMSignature, _ field: HeaderField, _ parts: SignedParts, _ record: DKIMKeyRecord)
        -> DKIMResult.Outcome
    {
        let isRSA = record.key.algorithm == .rsa
        guard isRSA == (signature.algorithm == .rsa), record.hashes?.contains("sha256") ?? true else {
            return .permanentError(.keyForbidsAlgorithm)
        }
        if isRSA, record.key.bits < 1024 { return .permanentError(.keyTooShort) }
        if record.isStrict, signature.identityDomain != signature.domain { return .permanentError(.identityOutsideDomain) }
        var body = signature.bodyCanonicalization.body(parts.body)
        if let length = signature.bodyLength {
            guard length <= Int64(body.count) else { return .fail(.bodyHash) }
            body = Array(body.prefix(Int(length)))
        }
        guard Digest.sha256(body) == signature.bodyHash else { return .fail(.bodyHash) }
        var input: [UInt8] = []
        var chooser = FieldChooser(parts.fields)
        for name in signature.signedNames {
            guard let chosen = chooser.next(named: name) else { continue }
            input += signature.headerCanonicalization.header(chosen)
            input += [13, 10]
        }
        input += signature.headerCanonicalization.header(DKIMSignature.withoutSignature(field.raw)[...])
        let digest = Digest.sha256(input)
        let holds =
            isRSA
            ? record.key.verify(signature: signature.signature, digest: digest)
            : record.key.verify(signature: signature.signature, message: digest)
        return holds ? .pass : .fail(.signature)
    }
}
