package import InternetMessage

/// What is known of the mail sites of one provider, or of all of which nothing is known.
package struct ProviderProfile: Sendable, Equatable {
    /// The name of its section; `default` for the sites of nobody known.
    package var name: String
    /// Ends of MX host names, each beginning with a dot, in lower case; empty for the default.
    package var suffixes: [[UInt8]] = []
    /// Whether all its domains are one site, whatever their MX sets.
    package var isOneSite = false
    /// Deliveries at a time at most.
    package var connections = 20
    /// Messages after which a connection is closed.
    package var messagesPerConnection = 100
    /// Whether its hosts take mail over TLS only, so that it never goes to them in clear.
    package var encrypts = false
    /// What may be sent to the site.
    package var rates: [Rate] = []

    package init(name: String) { self.name = name }
}

/// Domains that are one to the outside: those with the same mail exchangers, or of one provider that counts them together.
package struct MailSite: Sendable, Equatable {
    /// The provider's name, or the MX hosts in order.
    package let name: String
    package let profile: ProviderProfile

    package init(name: String, profile: ProviderProfile) {
        self.name = name
        self.profile = profile
    }
}

/// What to do when a site says certain words.
package struct ReactionRule: Sendable {
    package enum Action: Sendable, Equatable {
        /// Nothing more to the site.
        case suspend
        case rate(Rate)
        /// Deliveries at a time.
        case connections(Int)
    }

    /// nil: of every provider.
    package let provider: String?
    /// Where in the reply's first kilobyte it must occur; nil when `words` decides.
    package let pattern: BytePattern?
    /// Words in lower case that must occur, whatever the case they are written in; nil when `pattern` decides.
    package let words: [UInt8]?
    /// How many such replies within an hour it takes; 1: the first one.
    package let count: Int
    package let actions: [Action]
    package let lasts: Duration
    /// File and line, for a person.
    package let origin: String

    func holds(_ reply: ArraySlice<UInt8>, of provider: String) -> Bool {
        guard self.provider.map({ $0.utf8.elementsEqual(provider.utf8) }) ?? true else { return false }
        if let pattern { return pattern.occurs(in: reply) }
        guard let words, !words.isEmpty, reply.count >= words.count else { return false }
        let folded = reply.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        return folded.indices.dropLast(words.count - 1).contains { folded[$0...].starts(with: words) }
    }
}

/// What the reactions to one site's replies have led to.
package struct SiteMeasures: Sendable {
    package struct Measure: Sendable, Equatable {
        package let action: ReactionRule.Action
        package let until: Timestamp
        /// The rule's file and line.
        package let rule: String
    }

    /// Moments of replies that a rule was about, by the rule's place.
    private var seen: [Int: [Timestamp]] = [:]
    private var measures: [Measure] = []

    package init() {}

    /// A reply that deferred or refused a message; what is done about it from now on, empty when nothing is.
    package mutating func replied(_ reply: [UInt8], provider: String, rules: [ReactionRule], at now: Timestamp) -> [Measure] {
        guard let (place, rule) = rules.enumerated().first(where: { $0.element.holds(reply.prefix(1024), of: provider) }) else { return [] }
        var moments = (seen[place] ?? []).filter { now - $0 < .seconds(3600) }
        moments.append(now)
        seen[place] = moments.suffix(rule.count)
        guard moments.count >= rule.count else { return [] }
        seen[place] = nil
        let taken = rule.actions.map { Measure(action: $0, until: now + rule.lasts, rule: rule.origin) }
        measures = measures.filter { old in old.until > now && !taken.contains { $0.rule == old.rule } } + taken
        return taken
    }

    /// Until when nothing is sent to the site, with the rule that said so; nil: it is not suspended.
    package func suspension(at now: Timestamp) -> Measure? {
        measures.filter { $0.action == .suspend && $0.until > now }.max { $0.until < $1.until }
    }

    /// Rates that count beside those of the profile.
    package func rates(at now: Timestamp) -> [Rate] {
        measures.compactMap { measure in
            guard measure.until > now, case .rate(let rate) = measure.action else { return nil }
            return rate
        }
    }

    /// The least number of deliveries at a time that a measure asks for; nil: none does.
    package func connections(at now: Timestamp) -> Int? {
        measures.compactMap { measure -> Int? in
            guard measure.until > now, case .connections(let count) = measure.action else { return nil }
            return count
        }.min()
    }

    /// Whether nothing of it will count after `now`, so that it can be forgotten.
    package func isSpent(at now: Timestamp) -> Bool {
        measures.allSatisfy { $0.until <= now } && seen.values.allSatisfy { $0.allSatisfy { now - $0 >= .seconds(3600) } }
    }
}
