package import InternetMessage

/// How many messages within how long: the window is a duration that ends now, whatever the calendar says.
package struct FrequencyCap: Sendable, Hashable {
    /// 1 or more.
    package let count: Int
    package let window: Duration

    /// nil when either is not above zero.
    package init?(_ count: Int, in window: Duration) {
        guard count > 0, window > .zero else { return nil }
        self.count = count
        self.window = window
    }

    /// The cap for a person, for example `2 in 7d`.
    package var words: String {
        var rest = Int(window.components.seconds)
        var text = ""
        for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] where rest >= seconds {
            text += "\(rest / seconds)\(unit)"
            rest %= seconds
        }
        return "\(count) in \(text)"
    }
}

/// How often one person, and all people of one company, are written to: over all sequences of a workspace and all identities.
package struct FrequencyPolicy: Sendable {
    package let perContact: [FrequencyCap]
    package let perCompany: [FrequencyCap]
    package let companies: CompanyBook

    package init(perContact: [FrequencyCap] = [], perCompany: [FrequencyCap] = [], companies: CompanyBook = .none) {
        self.perContact = perContact
        self.perCompany = perCompany
        self.companies = companies
    }

    /// What counts for mail to an address; nil when nothing does.
    package func rule(for address: EmailAddress) -> FrequencyRule? {
        var clauses = perContact.map { FrequencyRule.Clause(subject: .contact, cap: $0) }
        if !perCompany.isEmpty, let company = companies.company(of: address) {
            clauses += perCompany.map { FrequencyRule.Clause(subject: .company(company), cap: $0) }
        }
        return clauses.isEmpty ? nil : FrequencyRule(clauses: clauses)
    }
}

/// The caps that one message must keep; the store counts them in the transaction that takes the message in.
///
/// What counts is a message of a sequence from the moment it was put into the outbox, but not one that was cancelled, or refused or given
/// up before a final dot.
package struct FrequencyRule: Sendable, Equatable {
    package enum Subject: Sendable, Hashable {
        /// Who is written to.
        case contact
        /// All addresses of that domain.
        case company(String)
    }

    package struct Clause: Sendable, Hashable {
        package let subject: Subject
        package let cap: FrequencyCap

        package init(subject: Subject, cap: FrequencyCap) {
            self.subject = subject
            self.cap = cap
        }
    }

    package let clauses: [Clause]

    package init(clauses: [Clause]) { self.clauses = clauses }

    /// Until when a message waits that would exceed a cap, by the one that lifts last; nil when none is reached.
    ///
    /// - Parameter moment: when the message was put into the outbox that is the `cap.count`th back from now; nil when fewer were within the
    ///   window.
    package func hold(at now: Timestamp, moment: (Clause) throws -> Timestamp?) rethrows -> Postponement? {
        var binding: (until: Timestamp, clause: Clause)?
        for clause in clauses {
            guard let moment = try moment(clause) else { continue }
            // A clock that was ahead holds nobody for longer than the window at a time.
            let until = min(max(moment, now - clause.cap.window), now) + clause.cap.window
            if binding.map({ until > $0.until }) ?? true { binding = (until, clause) }
        }
        return binding.map { Postponement(until: max($0.until, now + .milliseconds(1)), because: $0.clause.words, at: now) }
    }
}

extension FrequencyRule.Clause {
    fileprivate var words: String {
        switch subject {
        case .contact: "frequency cap of \(cap.words) for the contact, over all sequences, is reached"
        case .company(let domain): "frequency cap of \(cap.words) for the company \(domain), over all sequences, is reached"
        }
    }
}
