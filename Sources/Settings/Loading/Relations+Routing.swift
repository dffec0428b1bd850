/// Which route takes what, and which one stands in for another.
extension Relations {
    mutating func checkRouting() {
        if isWhole(["transport"]) {
            if let name = settings.transport.defaultRoute { checkWay(name, at: ["transport"], "default") }
            if let map = settings.transport.map {
                for entry in map.entries { checkWay(entry.target, at: ["transport"], "map", place: "\(map.path):\(entry.line): ") }
            }
        }
        for pool in settings.pools where isWhole(["pool", pool.name]) { check(pool) }
        for route in settings.routes where isWhole(["route", route.name]) { checkFallback(of: route) }
    }

    /// A name that must be that of a route or a pool.
    ///
    /// - Parameter place: where the name stands when that is not the conf; ends in a blank.
    mutating func checkWay(_ name: String, at path: [String], _ key: String, place: String = "") {
        guard settings.route(named: name) == nil, settings.pool(named: name) == nil else { return }
        noRoute(name, at: path, key, place: place, among: settings.writtenRoutes.map(\.name) + settings.pools.map(\.name))
    }

    private mutating func noRoute(_ name: String, at path: [String], _ key: String, place: String = "", among names: [String]) {
        let nearest = Suggestion.nearest(to: name, among: names)
        let shown = UnknownKey.printable(name)
        find(
            path, key, "\(place)there is no [route.\(shown)]",
            nearest.map { "did you mean '\($0)'?" }
                ?? (names.isEmpty ? "add a section [route.\(shown)]" : "routes: \(names.joined(separator: ", "))"))
    }

    private mutating func check(_ pool: PoolSettings) {
        let path = ["pool", pool.name]
        if settings.route(named: pool.name) != nil {
            find(path, nil, "there is a [route.\(pool.name)] too, and a name means one of them", "give the pool another name")
        }
        for (index, member) in pool.members.enumerated() {
            if settings.route(named: member.route) == nil {
                let isPool = settings.pool(named: member.route) != nil
                if isPool {
                    find(path, "members", "'\(member.route)' is a pool, and a pool holds routes", "name its routes one by one")
                } else {
                    noRoute(member.route, at: path, "members", among: settings.writtenRoutes.map(\.name))
                }
            }
            if pool.members[..<index].contains(where: { $0.route.utf8.elementsEqual(member.route.utf8) }) {
                find(path, "members", "'\(member.route)' stands here twice", "write it once, with the sum of its weights")
            }
        }
        if pool.members.allSatisfy({ $0.weight == 0 }) {
            find(path, "members", "no route of the pool has a weight", "give at least one a weight of 1 or more")
        }
    }

    private mutating func checkFallback(of route: RouteSettings) {
        let path = ["route", route.name]
        guard let name = route.fallback, !route.type.leadsNowhere else { return }
        guard let other = settings.route(named: name) else {
            if settings.pool(named: name) != nil {
                return find(path, "fallback", "'\(name)' is a pool, and one route stands in for another", "name one of its routes")
            }
            return noRoute(name, at: path, "fallback", among: settings.writtenRoutes.map(\.name))
        }
        if other.type.leadsNowhere {
            find(
                path, "fallback", "[route.\(name)] is of type \(other.type.rawValue): mail would count as sent and reach nobody",
                "name a route that delivers")
        }
        var chain = [route.name]
        var current: RouteSettings? = other
        while let step = current {
            if chain.contains(where: { $0.utf8.elementsEqual(step.name.utf8) }) {
                // Told once, at the route of the loop that stands first.
                guard step.name.utf8.elementsEqual(route.name.utf8), chain.allSatisfy({ isBefore(route.name, $0) }) else { return }
                return find(
                    path, "fallback", "the fallbacks go in a circle: \((chain + [step.name]).joined(separator: " > "))", "end it somewhere")
            }
            chain.append(step.name)
            current = step.fallback.flatMap { settings.route(named: $0) }
        }
    }

    /// Whether one route stands before another in the conf, or is the same.
    private func isBefore(_ name: String, _ other: String) -> Bool {
        let first = settings.routes.first { $0.name.utf8.elementsEqual(name.utf8) || $0.name.utf8.elementsEqual(other.utf8) }
        return first?.name.utf8.elementsEqual(name.utf8) ?? false
    }

    /// A route that connects to nothing: a key that says where to or how belongs to one of another type, and nobody shall believe that it
    /// acts.
    mutating func checkUnconnected(_ route: RouteSettings, at path: [String]) {
        let given: [(key: String, isSet: Bool)] = [
            ("host", route.host != nil), ("port", route.port != nil), ("tls", route.tls != nil),
            ("tls_security_level", route.tlsSecurityLevel != nil), ("tls_match", !route.tlsMatch.isEmpty),
            ("tls_fingerprints", !route.tlsFingerprints.isEmpty), ("tls_ca_file", route.tlsCAFile != nil), ("auth", route.auth != nil),
            ("source", route.source != nil), ("fallback", route.fallback != nil),
            ("preserves_message_id", route.preservesMessageID != nil), ("path", route.type == .sink && route.path != nil),
        ]
        for (key, _) in given.filter(\.isSet) {
            find(
                path, key, "a route of type \(route.type.rawValue) connects to nothing",
                "remove '\(key)', or use type \"submission\", \"mx\" or \"lmtp\"")
        }
        if route.type == .maildir, route.path == nil { find(path, nil, "a route of type maildir needs 'path'", "add path = \"/folder\"") }
    }
}
