package import DNS
package import InternetMessage

/// Finds out who a message is from: SPF for the client, every DKIM signature, DMARC for the From domain.
package struct MessageAuthenticator: Sendable {
    /// Distinct From domains that are looked at; a message with more is taken for one whose domain is not borne out.
    private static let mostAuthorDomains = 3

    private let resolver: any Resolver
    private let authservID: String
    private let patience: Duration

    /// - Parameters:
    ///   - authservID: our name, as we write it into results.
    ///   - patience: what one message may take in all; a lookup under way may go beyond it by its own deadline.
    package init(resolver: any Resolver, authservID: String, patience: Duration = .seconds(20)) {
        self.resolver = resolver
        self.authservID = authservID
        self.patience = patience
    }

    /// Checks a message.
    ///
    /// - Parameters:
    ///   - message: with CRLF line ends, as it came in. Fields in it that claim to be ours have no effect.
    ///   - peer: nil when the client is not known, as for mail read from a mailbox. One without a public address counts as not known: it is
    ///     a server of ours that hands mail on, and SPF says nothing about it.
    ///   - names: what the server that keeps the mailbox, or hands mail on to us, writes as its authserv-id. Its field is believed when the
    ///     client is not known or has no public address; a client from outside is checked here, whatever it brings along.
    ///   - now: when the message came in.
    package func authenticate(_ message: [UInt8], from peer: SMTPPeer?, trusting names: [String] = [], at now: Timestamp) async
        -> AuthenticationVerdict
    {
        let domains = Self.authorDomains(of: message)
        let client = peer.flatMap { $0.address.isPublic ? $0 : nil }
        if client == nil, !names.isEmpty, let reported = AuthenticationResults.trusted(in: message, from: names),
            let verdict = Self.verdict(reported, domains: domains)
        {
            return verdict
        }
        let end = ContinuousClock.now + patience
        let isOverdue: @Sendable () -> Bool = { Task.isCancelled || ContinuousClock.now > end }
        let resolver = resolver
        let verifier = DKIMVerifier { name in isOverdue() ? .temporaryFailure : await resolver.textAnswer(name) }
        async let signatures = verifier.verify(message, at: now)
        var spf: SPFResult?
        if let client { spf = await SPFChecker(resolver: resolver, receiver: authservID, isOverdue: isOverdue).check(client, at: now) }
        let dkim = await signatures
        let dmarc = await self.dmarc(domains, spf: spf, dkim: dkim, isOverdue: isOverdue)
        let results = AuthenticationResults(
            authservID: authservID,
            entries: [Self.entry(spf, client)].compactMap { $0 } + dkim.map(Self.entry) + [Self.entry(dmarc)].compactMap { $0 })
        return AuthenticationVerdict(source: .ours, spf: spf, dkim: dkim, dmarc: dmarc, results: results)
    }

    /// The result for the From domain that fares worst.
    private func dmarc(_ domains: [String], spf: SPFResult?, dkim: [DKIMResult], isOverdue: @escaping @Sendable () -> Bool) async
        -> DMARCResult?
    {
        // Without SPF only a signature can prove the domain, and nothing can disprove it: there is nothing to ask for.
        if spf == nil, !dkim.contains(where: { $0.outcome == .pass }) { return nil }
        guard (1...Self.mostAuthorDomains).contains(domains.count) else { return DMARCResult(outcome: .permanentError, domain: "") }
        let checker = DMARCChecker(resolver: resolver, isOverdue: isOverdue)
        var worst: DMARCResult?
        for domain in domains {
            let result = await checker.check(domain, spf: spf, dkim: dkim)
            if worst == nil || Self.rank(result.outcome) > worst.map({ Self.rank($0.outcome) }) ?? 0 { worst = result }
        }
        if spf == nil, worst?.outcome == .fail { return nil }
        return worst
    }

    private static func rank(_ outcome: DMARCResult.Outcome) -> Int {
        switch outcome {
        case .pass: 0
        case .none: 1
        case .temporaryError: 2
        case .permanentError: 3
        case .fail: 4
        }
    }

    /// The domains of all From addresses, each once; a field or an address that cannot be read counts as a domain of its own, the empty one.
    private static func authorDomains(of message: [UInt8]) -> [String] {
        let parts = SignedParts(message)
        let name = Array("from".utf8)
        var domains: [String] = []
        for field in parts.fields where parts.isNamed(field, name) {
            let mailboxes = AddressList(parsing: parts.value(field)).mailboxes
            for domain in mailboxes.isEmpty ? [""] : mailboxes.map({ $0.address.asciiDomain ?? "" }) where !domains.contains(domain) {
                domains.append(domain)
                if domains.count > mostAuthorDomains { return domains }
            }
        }
        return domains
    }

    // MARK: Results

    private static func entry(_ spf: SPFResult?, _ peer: SMTPPeer?) -> AuthenticationResults.Entry? {
        guard let spf, let peer else { return nil }
        let value = spf.identity == .helo ? peer.helloName : peer.reversePath
        return .init(
            method: "spf", result: spf.outcome.rawValue, reason: spf.problem,
            properties: [.init("smtp", spf.identity.rawValue, value), .init("smtp", "remote-ip", peer.address.description)])
    }

    private static func entry(_ dkim: DKIMResult) -> AuthenticationResults.Entry {
        var properties: [AuthenticationResults.Property] = []
        for (name, value) in [("d", dkim.domain), ("s", dkim.selector), ("a", dkim.algorithm)] where !value.utf8.isEmpty {
            properties.append(.init("header", name, value))
        }
        return .init(
            method: "dkim", result: dkim.word, reason: dkim.reason, comment: dkim.coversWholeBody ? nil : "part of the body is not signed",
            properties: properties)
    }

    private static func entry(_ dmarc: DMARCResult?) -> AuthenticationResults.Entry? {
        guard let dmarc else { return nil }
        var properties: [AuthenticationResults.Property] = []
        if !dmarc.domain.utf8.isEmpty { properties.append(.init("header", "from", dmarc.domain)) }
        if let policy = dmarc.policy { properties.append(.init("policy", "published-domain-policy", policy.rawValue)) }
        if let domain = dmarc.policyDomain { properties.append(.init("policy", "published-domain", domain)) }
        return .init(
            method: "dmarc", result: dmarc.outcome.rawValue, comment: dmarc.isTesting ? "the domain is testing its policy" : nil,
            properties: properties)
    }

    /// What a trusted field says; nil when it says nothing of DMARC, or of another From domain than the message has.
    private static func verdict(_ reported: AuthenticationResults, domains: [String]) -> AuthenticationVerdict? {
        guard let entry = reported.entry("dmarc"), let domain = domains.first, domains.count == 1 else { return nil }
        let outcome: DMARCResult.Outcome
        switch entry.result {
        case "bestguesspass": outcome = .none
        default:
            guard let known = DMARCResult.Outcome.allCases.first(where: { $0.rawValue.utf8.elementsEqual(entry.result.utf8) }) else {
                return nil
            }
            outcome = known
        }
        if let from = entry.property("header", "from"), !Self.host(from).elementsEqual(domain.utf8) { return nil }
        return AuthenticationVerdict(
            source: .reported, spf: nil, dkim: [], dmarc: DMARCResult(outcome: outcome, domain: domain), results: reported)
    }

    /// The domain of a domain or an address, lower case.
    private static func host(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        let host = bytes.lastIndex(of: UInt8(ascii: "@")).map { Array(bytes[($0 + 1)...]) } ?? bytes
        return Array((DomainName.toASCII(host.text) ?? "").utf8)
    }
}

extension Resolver {
    /// TXT records as DKIM asks for them.
    package func textAnswer(_ name: String) async -> TextAnswer {
        let answer = await lookup(name, .txt)
        switch answer.outcome {
        case .records: return answer.texts.isEmpty ? .none : .records(answer.texts)
        case .noData, .nameNotFound: return .none
        case .failure(let failure): return failure.isTemporary ? .temporaryFailure : .none
        }
    }
}
