package import InternetMessage
import OpenSSL

/// Verifies every DKIM signature of a message (RFC 6376 §6, RFC 8463).
package struct DKIMVerifier: Sendable {
    /// Signatures below this many are reported, but not looked at.
    package static let mostSignatures = 16
    private static let mostResults = 50
    private static let mostRecords = 4
    /// How far ahead of ours a signer's clock may be.
    private static let clockSkew: Int64 = 3_600

    private let lookUp: @Sendable (String) async -> TextAnswer

    /// - Parameter lookUp: asks for the TXT records of a name.
    package init(lookUp: @escaping @Sendable (String) async -> TextAnswer) { self.lookUp = lookUp }

    /// One result for each signature, in the order of the message; empty when there is none.
    ///
    /// - Parameters:
    ///   - message: CRLF line ends.
    ///   - now: when the message came in, for `t=` and `x=`.
    package func verify(_ message: [UInt8], at now: Timestamp) async -> [DKIMResult] {
        let parts = SignedParts(message)
        let name = Array("dkim-signature".utf8)
        var bodies = BodyDigests(parts.body)
        var results: [DKIMResult] = []
        for field in parts.fields where parts.isNamed(field, name) && results.count < Self.mostResults {
            guard results.count < Self.mostSignatures else {
                results.append(DKIMResult(outcome: .permanentError(.tooMany), domain: "", selector: "", algorithm: ""))
                continue
            }
            results.append(await verify(field, of: parts, bodies: &bodies, at: now))
        }
        return results
    }

    private func verify(_ field: SignedParts.Field, of parts: SignedParts, bodies: inout BodyDigests, at now: Timestamp) async -> DKIMResult
    {
        let signature: DKIMSignature
        switch DKIMSignature.read(parts.value(field)) {
        case .fault(let fault):
            let domain = TagList(parts.value(field))?.text("d").flatMap(DomainName.toASCII) ?? ""
            let isDomain = Domain.isMailDomain(domain.utf8)
            return DKIMResult(outcome: .permanentError(fault), domain: isDomain ? domain : "", selector: "", algorithm: "")
        case .signature(let read): signature = read
        }
        var result = DKIMResult(
            outcome: .pass, domain: signature.domain, selector: signature.selector, algorithm: signature.algorithm.rawValue,
            identityDomain: signature.identityDomain)
        let (outcome, isTesting) = await judge(signature, field, of: parts, bodies: &bodies, at: now)
        result.isTesting = isTesting
        if let length = signature.bodyLength { result.coversWholeBody = length >= bodies.length(signature.bodyCanonicalization) }
        return result.with(outcome)
    }

    private func judge(
        _ signature: DKIMSignature, _ field: SignedParts.Field, of parts: SignedParts, bodies: inout BodyDigests, at now: Timestamp
    ) async -> (outcome: DKIMResult.Outcome, isTesting: Bool) {
        if let expires = signature.expires, now.seconds > expires { return (.fail(.expired), false) }
        if let signed = signature.signed, signed - Self.clockSkew > now.seconds { return (.fail(.notYetValid), false) }
        let records: [[UInt8]]
        switch await lookUp("\(signature.selector)._domainkey.\(signature.domain)") {
        case .records(let found): records = found
        case .none: return (.permanentError(.noKey), false)
        case .temporaryFailure: return (.temporaryError, false)
        }
        var last = (outcome: DKIMResult.Outcome.permanentError(.noKey), isTesting: false)
        for bytes in records.prefix(Self.mostRecords) {
            do throws(DKIMKeyRecord.Fault) {
                let record = try DKIMKeyRecord(parsing: bytes)
                last = (check(signature, field, parts, &bodies, record), record.isTesting)
            } catch {
                last = (.permanentError(.key(error)), false)
            }
            if last.outcome == .pass { break }
        }
        return last
    }

    private func check(
        _ signature: DKIMSignature, _ field: SignedParts.Field, _ parts: SignedParts, _ bodies: inout BodyDigests, _ record: DKIMKeyRecord
    ) -> DKIMResult.Outcome {
        let isRSA = record.key.algorithm == .rsa
        guard isRSA == (signature.algorithm == .rsa) else { return .permanentError(.keyOfAnotherType) }
        guard record.allowsSHA256 else { return .permanentError(.hashNotAllowed) }
        if isRSA, record.key.bits < 1024 { return .permanentError(.keyTooShort) }
        if record.isStrict, !signature.identityDomain.utf8.elementsEqual(signature.domain.utf8) {
            return .permanentError(.identityOutsideDomain)
        }
        if let length = signature.bodyLength, length > bodies.length(signature.bodyCanonicalization) { return .fail(.bodyTooShort) }
        guard bodies.digest(signature.bodyCanonicalization, length: signature.bodyLength) == signature.bodyHash else {
            return .fail(.bodyHash)
        }
        var input: [UInt8] = []
        for chosen in parts.chosen(by: signature.signedNames) {
            signature.headerCanonicalization.appendHeader(parts.raw(chosen), to: &input)
            input += [13, 10]
        }
        signature.headerCanonicalization.appendHeader(DKIMSignature.withoutSignature(parts.raw(field))[...], to: &input)
        let digest = Digest.sha256(input)
        let holds =
            isRSA
            ? record.key.verify(signature: signature.signature, digest: digest)
            : record.key.verify(signature: signature.signature, message: digest)
        return holds ? .pass : .fail(.signature)
    }
}

extension DKIMResult {
    fileprivate func with(_ outcome: Outcome) -> DKIMResult {
        var result = DKIMResult(outcome: outcome, domain: domain, selector: selector, algorithm: algorithm)
        result.identityDomain = identityDomain
        result.coversWholeBody = coversWholeBody
        result.isTesting = isTesting
        return result
    }
}

/// The digests of one body, each made once however many signatures ask for it.
private struct BodyDigests {
    private struct Kind: Hashable {
        let canonicalization: Canonicalization
        let length: Int?
    }

    private let body: ArraySlice<UInt8>
    private var digests: [Kind: [UInt8]] = [:]
    private var lengths: [Canonicalization: Int] = [:]

    init(_ body: ArraySlice<UInt8>) { self.body = body }

    mutating func digest(_ canonicalization: Canonicalization, length: Int?) -> [UInt8] {
        let kind = Kind(canonicalization: canonicalization, length: length)
        if let known = digests[kind] { return known }
        var sink = OctetDigest(limit: length)
        canonicalization.writeBody(body, into: &sink)
        digests[kind] = sink.digest
        lengths[canonicalization] = sink.count
        return sink.digest
    }

    /// Octets of the body in canonical form.
    mutating func length(_ canonicalization: Canonicalization) -> Int {
        if let known = lengths[canonicalization] { return known }
        _ = digest(canonicalization, length: nil)
        return lengths[canonicalization] ?? 0
    }
}
