package import InternetMessage

/// Which route a message takes: the transport map by its recipient, else what its identity names; of a pool one route by weight.
///
/// The choice is made once, when the message is composed, so that its limits and its queue are those of one route; what a message does when
/// that route fails is for ``RouteFallbacks``.
package struct RoutePlan: Sendable {
    /// Recipients that a rule is for.
    package enum Pattern: Sendable, Hashable {
        case everybody
        /// The domain itself, in lower-case A-labels.
        case domain(String)
        /// Every domain below this one, in lower-case A-labels.
        case below(String)
        /// One address; local parts that differ in case are the same, as almost everywhere.
        case address(EmailAddress)
    }

    /// One line of the map.
    package struct Rule: Sendable {
        package let pattern: Pattern
        /// A route or a pool.
        package let target: String

        package init(_ pattern: Pattern, to target: String) {
            self.pattern = pattern
            self.target = target
        }
    }

    /// A route of a pool.
    package struct Member: Sendable, Hashable {
        package let route: String
        /// Its share among the weights of the pool, 0 ... 1,000,000; 0: it is given nothing.
        package let weight: Int

        package init(_ route: String, weight: Int) {
            self.route = route
            self.weight = max(0, min(weight, 1_000_000))
        }
    }

    /// A choice with what led to it.
    package struct Choice: Sendable, Equatable {
        package let route: String
        /// The place in the map of the rule that counted; nil: none did, and the identity's own way was taken.
        package let rule: Int?
        /// The pool that the route was drawn from; nil when a route was named.
        package let pool: String?
    }

    private let targets: [String]
    /// The first rule for each key, as its place in the map.
    private var byAddress: [String: Int] = [:]
    private var byDomain: [String: Int] = [:]
    private var byParent: [String: Int] = [:]
    private var everybody: Int?
    private let pools: [String: [Member]]

    /// - Parameters:
    ///   - rules: the first that matches counts.
    ///   - pools: by name; a name that is no pool is a route.
    package init(rules: [Rule] = [], pools: [String: [Member]] = [:]) {
        targets = rules.map(\.target)
        self.pools = pools
        for (place, rule) in rules.enumerated() {
            switch rule.pattern {
            case .everybody: everybody = everybody ?? place
            case .domain(let domain): if byDomain[domain] == nil { byDomain[domain] = place }
            case .below(let domain): if byParent[domain] == nil { byParent[domain] = place }
            case .address(let address): if byAddress[address.suppressionKey] == nil { byAddress[address.suppressionKey] = place }
            }
        }
    }

    /// The route of one message.
    ///
    /// - Parameters:
    ///   - name: the route or pool that the sender's identity names.
    ///   - draw: 64 random bits; the same give the same route of a pool.
    package func choice(for recipient: EmailAddress, named name: String, draw: UInt64) -> Choice {
        let place = rule(for: recipient)
        let target = place.map { targets[$0] } ?? name
        guard let pool = pools[target] else { return Choice(route: target, rule: place, pool: nil) }
        return Choice(route: Self.member(of: pool, draw: draw) ?? target, rule: place, pool: target)
    }

    /// The route of the step of an enrollment; every step of it takes the same one of a pool, as long as the pool stays as it is.
    package func route(for recipient: EmailAddress, as identity: SenderIdentity, subject: String, chance: Chance) -> String {
        choice(for: recipient, named: identity.route, draw: chance.bits("route", [identity.name, subject])).route
    }

    private static func member(of pool: [Member], draw: UInt64) -> String? {
        let total = pool.reduce(0) { $0 + UInt64($1.weight) }
        guard total > 0 else { return pool.first?.route }
        // The high half of draw times total: each share to within one in 2^44, and no remainder that favours the first.
        var place = draw.multipliedFullWidth(by: total).high
        for member in pool {
            if place < UInt64(member.weight) { return member.route }
            place -= UInt64(member.weight)
        }
        return pool.last?.route
    }

    private func rule(for recipient: EmailAddress) -> Int? {
        guard !targets.isEmpty else { return nil }
        var found = everybody
        func consider(_ place: Int?) {
            if let place, place < found ?? .max { found = place }
        }
        consider(byAddress[recipient.suppressionKey])
        let domain = Array((recipient.asciiDomain ?? recipient.domain).utf8)
        consider(byDomain[String(decoding: domain, as: UTF8.self)])
        if !byParent.isEmpty {
            for (index, byte) in domain.enumerated() where byte == UInt8(ascii: ".") {
                consider(byParent[String(decoding: domain[(index + 1)...], as: UTF8.self)])
            }
        }
        return found
    }
}

/// Where mail goes on when its route fails: each route names at most one other, and no chain comes back to itself.
package struct RouteFallbacks: Sendable, Equatable {
    private let next: [String: String]

    /// - Parameter next: by route; a chain that came back to itself would be followed once around.
    package init(_ next: [String: String] = [:]) { self.next = next }

    package subscript(_ route: String) -> String? { next[route] }

    /// The routes behind this one in their order, each once.
    package func chain(behind route: String) -> [String] {
        var chain: [String] = []
        var current = route
        while let following = next[current], following != route, !chain.contains(following) {
            chain.append(following)
            current = following
        }
        return chain
    }
}
