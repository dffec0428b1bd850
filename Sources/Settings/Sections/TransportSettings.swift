/// `[transport]`: which route takes what.
package struct TransportSettings: ConfSection, Equatable {
    /// The NAME of the route or pool for identities that name none, nil: see ``Settings/wayOut(of:)``.
    package var defaultRoute: String?
    /// Which route or pool takes mail to whom, before what identities say; nil: there is no map.
    package var map: TransportMap?

    init(name: String) {}

    static let fields: [Field<TransportSettings>] = [
        Field(
            "default", \.defaultRoute, .name(of: "route"),
            "The route or pool of identities that name none. Unset: the only route, when there is one."),
        Field(
            "map", \.map, .transportMap,
            "A file with lines 'RECIPIENT ROUTE': an address, a domain, .domain for every domain below, or *; the first that matches counts."
        ),
    ]
}

/// `[pool.NAME]`: routes that share the mail which is sent to the pool.
package struct PoolSettings: ConfSection, Equatable {
    package let name: String
    package var members: [PoolMember] = []

    init(name: String) { self.name = name }

    static let fields: [Field<PoolSettings>] = [
        Field(
            "members", \.members, .list(.table("{ route = \"NAME\", weight = 1 }"), count: 1...50), required: true,
            "The routes, each with its share among the weights; the mail of one contact in one sequence takes one of them.")
    ]
}

/// A route of a pool.
package struct PoolMember: ConfSection, Equatable {
    package var route = ""
    package var weight = 1

    init(name: String) {}

    static let fields: [Field<PoolMember>] = [
        Field("route", \.route, .name(of: "route"), required: true, "The route."),
        Field("weight", \.weight, .integer(0...1_000_000), "Its share; 0: it is given nothing."),
    ]
}
