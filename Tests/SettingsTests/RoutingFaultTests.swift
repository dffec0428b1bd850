import Settings
import Testing

@Suite("which route takes what")
struct RoutingFaultTests {
    private static let routes = "[route.a]\ntype = \"mx\"\n[route.b]\ntype = \"mx\"\n"

    @Test("a conf without any route has a sink that it does not say; one with a route has none")
    func implied() throws {
        let identity = "[identity.a]\nfrom = \"a@example.com\"\n"
        let bare = try load(smallest + identity).get()
        #expect(bare.routes.map(\.type) == [.sink] && bare.routes.map(\.isImplied) == [true] && bare.writtenRoutes == [])
        #expect(bare.identities.map { bare.wayOut(of: $0) } == ["sink"])
        #expect(!bare.nonDefault().contains("route"))
        #expect(try load(bare.nonDefault()).get().routes == bare.routes)
        #expect(try load(smallest).get().routes == [])
        let named = try load(smallest + identity + "[route.sink]\ntype = \"sink\"\n").get()
        #expect(named.routes.map(\.isImplied) == [false] && named.writtenRoutes.count == 1)
    }

    @Test(
        "names of routes that are not there stay faults where there is no route",
        arguments: [
            ("[transport]\ndefault = \"office\"\n", "postrider.conf:6: there is no [route.office]; add a section [route.office]"),
            (
                "[pool.p]\nmembers = [{ route = \"office\" }]\n",
                "postrider.conf:6: there is no [route.office]; add a section [route.office]"
            ),
        ])
    func missing(text: String, fault: String) {
        #expect(faults(smallest + "[identity.a]\nfrom = \"a@example.com\"\n" + text) == [fault])
    }

    static let faulty: [(String, [String])] = [
        ("[transport]\ndefault = \"relay\"\n", ["postrider.conf:8: there is no [route.relay]; routes: a, b"]),
        (
            "[pool.a]\nmembers = [{ route = \"b\" }]\n",
            ["postrider.conf:7: there is a [route.a] too, and a name means one of them; give the pool another name"]
        ),
        (
            "[pool.p]\nmembers = [{ route = \"bb\", weight = 0 }, { route = \"p\" }, { route = \"a\" }, { route = \"a\" }]\n",
            [
                "postrider.conf:8: there is no [route.bb]; did you mean 'b'?",
                "postrider.conf:8: 'p' is a pool, and a pool holds routes; name its routes one by one",
                "postrider.conf:8: 'a' stands here twice; write it once, with the sum of its weights",
            ]
        ),
        (
            "[pool.p]\nmembers = [{ route = \"a\", weight = 0 }]\n",
            ["postrider.conf:8: no route of the pool has a weight; give at least one a weight of 1 or more"]
        ),
        ("[pool.p]\nmembers = []\n", ["postrider.conf:8: members: this list needs at least 1"]),
        (
            "[pool.p]\nmembers = [{ route = \"a\", weight = -1 }]\n",
            ["postrider.conf:8: members: weight: -1 is outside the bounds; write a number from 0 to 1000000"]
        ),
        (
            "[route.c]\ntype = \"mx\"\nfallback = \"d\"\n[route.d]\ntype = \"mx\"\nfallback = \"c\"\n[route.e]\ntype = \"mx\"\nfallback = \"d\"\n",
            ["postrider.conf:9: the fallbacks go in a circle: c > d > c; end it somewhere"]
        ),
        (
            "[route.c]\ntype = \"mx\"\nfallback = \"c\"\n",
            ["postrider.conf:9: the fallbacks go in a circle: c > c; end it somewhere"]
        ),
        ("[route.c]\ntype = \"mx\"\nfallback = \"relay\"\n", ["postrider.conf:9: there is no [route.relay]; routes: a, b, c"]),
        (
            "[route.c]\ntype = \"mx\"\nfallback = \"d\"\n[route.d]\ntype = \"sink\"\n",
            [
                "postrider.conf:9: [route.d] is of type sink: mail would count as sent and reach nobody; name a route that delivers"
            ]
        ),
        ("[route.c]\ntype = \"maildir\"\n", ["postrider.conf:7: a route of type maildir needs 'path'; add path = \"/folder\""]),
        (
            "[route.c]\ntype = \"mx\"\npath = \"/var/lib/x\"\n",
            ["postrider.conf:9: only a route of type maildir writes to a folder; remove it"]
        ),
        (
            "[route.c]\ntype = \"maildir\"\npath = \"/var/lib/x\"\nfallback = \"a\"\n",
            [
                "postrider.conf:10: a route of type maildir connects to nothing; remove 'fallback', or use type \"submission\", \"mx\" or \"lmtp\""
            ]
        ),
    ]

    @Test("what cannot be is named with its place", arguments: faulty)
    func refused(text: String, expected: [String]) {
        #expect(faults(smallest + Self.routes + text) == expected)
    }

    @Test("each line of the map that cannot be is named with its own place")
    func map() {
        let map = """
            # to partners
            example.com  a   # a comment
            *.example.com  a
            ann@exa mple.com  a
            nobody

            .example.com  x
            EXAMPLE.com  b
            ann@example.com b
            ANN@example.com a
            xn--a.example b
            * a
            example.net b
            """
        let found = faults(smallest + Self.routes + "[transport]\nmap = \"m\"\n", files: ["./m": map])
        let place = "postrider.conf:8: map: ./m"
        #expect(
            found == [
                "\(place):3: '*.example.com' names no recipients; write an address, a domain, \".example.com\" for every domain below, or \"*\"",
                "\(place):4: a line has a recipient and a route; write it as \"example.com relay\"",
                "\(place):5: a line has a recipient and a route; write it as \"example.com relay\"",
                "\(place):8: 'EXAMPLE.com' never counts: line 2 stands before it; remove one of them, or change their order",
                "\(place):10: 'ANN@example.com' never counts: line 9 stands before it; remove one of them, or change their order",
                "\(place):11: 'xn--a.example' names no recipients; write an address, a domain, \".example.com\" for every domain below, or \"*\"",
                "\(place):13: 'example.net' never counts: line 12 stands before it; remove one of them, or change their order",
            ])
        let unknown = faults(smallest + Self.routes + "[transport]\nmap = \"m\"\n", files: ["./m": "\n*  relay\n"])
        #expect(unknown == ["postrider.conf:8: ./m:2: there is no [route.relay]; routes: a, b"])
        let missing = faults(smallest + Self.routes + "[transport]\nmap = \"m\"\n")
        #expect(missing == ["postrider.conf:8: map: ./m: there is no such file"])
    }
}
