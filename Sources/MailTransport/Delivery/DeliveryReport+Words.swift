package import SMTP

extension DeliveryReport {
    /// What came of the attempt in one line: the peer's words where it said something that counts, else ours; never empty.
    package var reason: String {
        guard case .outcome(let outcome) = result else { return "taken back before it left" }
        guard let failure = outcome.failure else {
            if case .accepted(let reply) = outcome { return Self.said(reply) }
            return "accepted"
        }
        if failure.cause == .replyCode, let reply = failure.reply { return Self.said(reply) }
        // Without a connection our own note has the whole story: which address, and why not.
        if remoteMTA == nil, let note { return note }
        if failure.cause == .authenticationFailed, failure.stage == .authentication, let note {
            // What is to be checked is in the note.
            let words = "the login at \(remoteMTA ?? "the server") was \(loginTrouble == nil ? "not accepted" : "not tried") (\(note))"
            return failure.reply.map { "\(words): \(Self.said($0))" } ?? words
        }
        let words = failure.words(at: remoteMTA)
        if let reply = failure.reply { return "\(words): \(Self.said(reply))" }
        return note.map { "\(words) (\($0))" } ?? words
    }

    /// The enhanced status code of the peer, or ours where DNS, what the peer offers or what we demand of its TLS decided; nil when there is
    /// none.
    package var enhancedStatusCode: SMTP.EnhancedStatusCode? {
        guard case .outcome(let outcome) = result else { return nil }
        if case .accepted(let reply) = outcome { return reply.enhancedStatusCode }
        if case .routing(let code)? = outcome.failure?.cause { return code }
        if case .unasked(let code)? = outcome.failure?.cause { return code }
        if case .extensionMissing(let missing)? = outcome.failure?.cause { return missing.status }
        let said = outcome.failure?.reply?.enhancedStatusCode
        guard let own = outcome.failure?.cause.refusal else { return said }
        // What the server itself says of its security is the better word.
        return said?.statusClass == 4 && said?.subject == 7 ? said : own
    }

    private static func said(_ reply: Reply) -> String {
        reply.text.utf8.isEmpty ? "\(reply.code)" : "\(reply.code) \(reply.text)"
    }
}

extension DeliveryFailure.Cause {
    /// The code for what we do without being refused anything, as Postfix gives it (RFC 3463 §3.8): nothing goes out like that.
    fileprivate var refusal: SMTP.EnhancedStatusCode? {
        switch self {
        case .tlsUnavailable, .refusedForSafety(.credentialsNeedVerifiedTLS): EnhancedStatusCode(4, 7, 4)
        case .tlsFailed: EnhancedStatusCode(4, 7, 5)
        case .authenticationUnavailable: EnhancedStatusCode(4, 7, 0)
        default: nil
        }
    }
}
