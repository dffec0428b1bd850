import Testing

@testable import DNS

@Suite("MX routes")
struct MXRouteTests {
    typealias Record = StaticResolver.Record

    static let zone = StaticResolver(
        [
            "plain.example": [.mx(20, "second.example"), .mx(10, "first.example")],
            "first.example": [.a("203.0.113.1"), .aaaa("2600::1")], "second.example": [.a("203.0.113.2")],
            "null.example": [.mx(0, ".")], "mixed-null.example": [.mx(0, "."), .mx(10, "first.example")],
            "implicit.example": [.a("203.0.113.3"), .txt("v=spf1 -all")], "implicit6.example": [.aaaa("2600::3")],
            "textonly.example": [.txt("hello")], "under.empty.example": [.a("203.0.113.4")],
            "alias.example": [.cname("plain.example")], "loop1.example": [.cname("loop2.example")],
            "loop2.example": [.cname("loop1.example")],
            "mxalias.example": [.mx(10, "aliasedhost.example")], "aliasedhost.example": [.cname("first.example")],
            "mxloop.example": [.mx(10, "loop1.example")],
            "ip.example": [.mx(10, "203.0.113.9"), .mx(20, "first.example")], "onlyip.example": [.mx(10, "203.0.113.9")],
            "local.example": [.mx(10, "lo.example")], "lo.example": [.a("127.0.0.1"), .aaaa("::1")],
            "inside.example": [.mx(10, "in.example")], "in.example": [.a("10.1.2.3"), .a("203.0.113.5")],
            "mapped.example": [.mx(10, "map.example")], "map.example": [.aaaa("::ffff:127.0.0.1")],
            "dead.example": [.mx(10, "nohost.example"), .mx(20, "text.example")], "text.example": [.txt("x")],
            "halfdead.example": [.mx(10, "nohost.example"), .mx(20, "first.example")],
            "sick.example": [.mx(10, "failing.example")], "halfsick.example": [.mx(10, "failing.example"), .mx(20, "first.example")],
            "sickordead.example": [.mx(10, "nohost.example"), .mx(20, "failing.example")],
            "own.example": [.mx(10, "first.example"), .mx(20, "me.example"), .mx(20, "second.example"), .mx(30, "third.example")],
            "ownfirst.example": [.mx(5, "ME.example."), .mx(10, "first.example")],
            "localhost.example": [.mx(10, "localhost")], "localhost": [.a("127.0.0.1")],
            "twice.example": [.mx(10, "first.example"), .mx(20, "first.example")],
            "broken.example": [.mx(10, "not a host")], "under_score.example": [.a("203.0.113.8")],
        ], failures: ["failing.example": .responseCode(2), "down.example": .timedOut], secure: ["plain.example", "first.example"])

    static func told(_ resolution: MXResolution) -> String {
        switch resolution {
        case .hosts(let hosts, let skipped):
            hosts.map {
                "\($0.preference) \($0.name) \($0.addresses.map(\.description).joined(separator: ","))" + ($0.isImplicit ? " implicit" : "")
                    + ($0.isSecure ? " secure" : "")
            }
            .joined(separator: "; ") + (skipped.isEmpty ? "" : " | " + skipped.map { "\($0.name) \($0.reason)" }.joined(separator: "; "))
        case .permanent(let problem): "permanent \(problem.enhancedStatusCode) \(problem.kind)"
        case .temporary(let problem): "temporary \(problem.enhancedStatusCode) \(problem.kind)"
        }
    }

    static let table: [(String, String)] = [
        ("plain.example", "10 first.example 203.0.113.1,2600::1 secure; 20 second.example 203.0.113.2"),
        ("PLAIN.Example.", "10 first.example 203.0.113.1,2600::1 secure; 20 second.example 203.0.113.2"),
        ("null.example", "permanent 5.1.10 nullMX"),
        ("mixed-null.example", "10 first.example 203.0.113.1,2600::1"),
        ("implicit.example", "0 implicit.example 203.0.113.3 implicit"),
        ("implicit6.example", "0 implicit6.example 2600::3 implicit"),
        ("textonly.example", "permanent 5.4.4 noMailHost"),
        ("empty.example", "permanent 5.4.4 noMailHost"),
        ("nowhere.example", "permanent 5.1.2 noSuchDomain"),
        ("alias.example", "10 first.example 203.0.113.1,2600::1; 20 second.example 203.0.113.2"),
        ("loop1.example", "temporary 4.4.3 lookupFailed(SERVFAIL)"),
        ("mxalias.example", "10 aliasedhost.example 203.0.113.1,2600::1"),
        ("mxloop.example", "temporary 4.4.3 lookupFailed(SERVFAIL)"),
        ("ip.example", "20 first.example 203.0.113.1,2600::1 | 203.0.113.9 notAHostName"),
        ("onlyip.example", "permanent 5.4.4 noMailHost"),
        ("local.example", "permanent 5.4.4 onlyForbiddenHosts"),
        ("localhost.example", "permanent 5.4.4 onlyForbiddenHosts"),
        ("mapped.example", "permanent 5.4.4 onlyForbiddenHosts"),
        ("inside.example", "10 in.example 203.0.113.5"),
        ("dead.example", "permanent 5.4.4 noMailHost"),
        ("halfdead.example", "20 first.example 203.0.113.1,2600::1 | nohost.example noAddress"),
        ("sick.example", "temporary 4.4.3 lookupFailed(SERVFAIL)"),
        ("halfsick.example", "20 first.example 203.0.113.1,2600::1 | failing.example lookupFailed(SERVFAIL)"),
        ("sickordead.example", "temporary 4.4.3 lookupFailed(SERVFAIL)"),
        ("failing.example", "temporary 4.4.3 lookupFailed(SERVFAIL)"),
        ("down.example", "temporary 4.4.3 lookupFailed(no answer in time)"),
        (
            "own.example",
            "10 first.example 203.0.113.1,2600::1 | me.example leadsBackHere; second.example leadsBackHere; third.example leadsBackHere"
        ),
        ("ownfirst.example", "permanent 5.4.6 leadsBackHere"),
        ("twice.example", "10 first.example 203.0.113.1,2600::1"),
        ("broken.example", "temporary 4.4.3 lookupFailed(SERVFAIL)"),
        ("[203.0.113.1]", "permanent 5.1.2 invalidDomain"), ("203.0.113.1", "permanent 5.1.2 invalidDomain"),
        ("bücher.example", "permanent 5.1.2 invalidDomain"), ("", "permanent 5.1.2 invalidDomain"),
        ("a b.example", "permanent 5.1.2 invalidDomain"),
        ("under_score.example", "permanent 5.1.2 invalidDomain"), ("-a.example", "permanent 5.1.2 invalidDomain"),
    ]

    @Test("each kind of domain", arguments: table)
    func each(domain: String, expected: String) async {
        var options = MXRoute.Options()
        options.ownNames = ["me.example"]
        var seeds: Set<String> = []
        for seed in UInt64(0)..<4 { seeds.insert(Self.told(await MXRoute.resolve(domain, via: Self.zone, options: options, seed: seed))) }
        // The order of skipped hosts of one preference follows the seed.
        #expect(Set(seeds.map { String($0.utf8.sorted().map { Character(Unicode.Scalar($0)) }) }).count == 1)
        #expect(seeds.contains(expected), "\(seeds)")
    }

    @Test("private addresses are taken when that is allowed")
    func allowPrivate() async {
        var options = MXRoute.Options()
        options.allowPrivate = true
        #expect(
            Self.told(await MXRoute.resolve("local.example", via: Self.zone, options: options, seed: 0)) == "10 lo.example 127.0.0.1,::1")
        options.useVersion6 = false
        #expect(Self.told(await MXRoute.resolve("local.example", via: Self.zone, options: options, seed: 0)) == "10 lo.example 127.0.0.1")
    }

    @Test("equal hosts are tried in an order that the seed settles, and every one comes first for some seed")
    func shuffling() async {
        let names = (0..<6).map { "h\($0).example" }
        var records = Dictionary(uniqueKeysWithValues: names.map { ($0, [Record.a("203.0.113.1")]) })
        records["many.example"] = names.map { .mx(10, $0) } + [.mx(5, "best.example"), .mx(50, "last.example")]
        records["best.example"] = [.a("203.0.113.1")]
        records["last.example"] = [.a("203.0.113.1")]
        let zone = StaticResolver(records)
        records["many.example"]?.reverse()
        let reversed = StaticResolver(records)
        var second: Set<String> = []
        for seed in UInt64(0)..<60 {
            guard case .hosts(let hosts, _) = await MXRoute.resolve("many.example", via: zone, seed: seed) else {
                return #expect(Bool(false))
            }
            #expect(hosts.first?.name == "best.example" && hosts.last?.name == "last.example")
            #expect(Set(hosts.map(\.name)).count == 8)
            #expect(
                await MXRoute.resolve("many.example", via: reversed, seed: seed) == .hosts(hosts, skipped: []),
                "the order of the answer mattered")
            second.insert(hosts[1].name)
        }
        #expect(second == Set(names))
    }

    @Test("a domain with 200 mail hosts costs no more lookups than the limit")
    func manyHosts() async {
        var records: [String: [Record]] = ["many.example": (0..<200).map { .mx($0, "h\($0).example") }]
        for number in 0..<200 { records["h\(number).example"] = [.a("203.0.113.1")] }
        guard case .hosts(let hosts, let skipped) = await MXRoute.resolve("many.example", via: StaticResolver(records), seed: 1) else {
            return #expect(Bool(false))
        }
        #expect(hosts.map(\.preference) == Array(0..<16))
        #expect(skipped.count == 184 && skipped.allSatisfy { $0.reason == .tooMany }, "all records of an answer are looked at")
    }
}

@Suite("DNS values")
struct DNSValueTests {
    @Test(
        "which addresses are public",
        arguments: [
            ("203.0.113.1", true), ("8.8.8.8", true), ("127.0.0.1", false), ("127.255.255.255", false), ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("172.15.255.255", true), ("172.16.0.1", false), ("172.31.255.255", false), ("172.32.0.1", true), ("192.168.1.1", false),
            ("192.0.0.8", false),
            ("192.0.2.1", true), ("169.254.169.254", false), ("168.63.129.16", false), ("168.63.129.17", true),
            ("100.64.0.1", false), ("100.128.0.1", true), ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false), ("::", false), ("::1", false), ("fe80::1", false), ("fc00::1", false), ("fd12::1", false),
            ("ff02::1", false),
            ("2600::1", true), ("::ffff:10.0.0.1", false), ("::ffff:8.8.8.8", true), ("64:ff9b::7f00:1", false), ("64:ff9b::808:808", true),
            ("2002:7f00:1::1", false), ("2002:808:808::1", true), ("::127.0.0.1", false),
        ])
    func publicAddresses(text: String, isPublic: Bool) throws {
        #expect(try #require(IPAddress(text)).isPublic == isPublic)
    }

    @Test(
        "text that is no address",
        arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "[::1]", "::1%eth0", "01.2.3.4x", "1.2.3.4\0", "example.com"])
    func notAddresses(text: String) { #expect(IPAddress(text) == nil) }

    @Test("addresses as text and as reverse names")
    func reverse() throws {
        #expect(try #require(IPAddress("192.0.2.25")).reverseName == "25.2.0.192.in-addr.arpa")
        let six = try #require(IPAddress("2001:DB8:0::567:89ab"))
        #expect(six.description == "2001:db8::567:89ab")
        #expect(six.reverseName == "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
    }

    @Test("record data decodes to what it was made of, and a cut of it to nothing")
    func roundTrip() async throws {
        let records: [(StaticResolver.Record, RecordType)] = [
            (.mx(10, "mail.example.com"), .mx), (.ptr("host.example.com"), .ptr), (.cname("x.example.com"), .cname),
            (.txt(String(repeating: "long ", count: 120)), .txt), (.a("203.0.113.1"), .a), (.aaaa("2600::1"), .aaaa),
            (.tlsa(usage: 3, selector: 1, matchingType: 1, data: [1, 2, 3]), .tlsa),
        ]
        func values(_ answer: DNSAnswer, _ type: RecordType) -> [String] {
            switch type {
            case .mx: answer.mailExchangers.map { "\($0.preference) \($0.host)" }
            case .ptr, .cname: answer.names
            case .txt: answer.texts.map { String(decoding: $0, as: UTF8.self) }
            case .a, .aaaa: answer.addresses.map(\.description)
            case .tlsa: answer.tlsAssociations.map { "\($0.usage) \($0.selector) \($0.matchingType) \($0.data)" }
            case .soa: []
            }
        }
        let expected = [
            "10 mail.example.com", "host.example.com", "x.example.com", String(repeating: "long ", count: 120), "203.0.113.1", "2600::1",
            "3 1 1 [1, 2, 3]",
        ]
        for ((record, type), text) in zip(records, expected) {
            let wire = try #require(record.wire)
            #expect(values(DNSAnswer(type, .records([wire])), type) == [text])
            for length in 0..<wire.count where type != .txt && type != .tlsa {
                #expect(values(DNSAnswer(type, .records([Array(wire[..<length])])), type).isEmpty, "\(type) cut at \(length)")
            }
            if type == .mx || type == .ptr { #expect(values(DNSAnswer(type, .records([wire + [0]])), type).isEmpty, "trailing bytes") }
        }
        let cutText = try #require(records[3].0.wire?.dropLast())
        #expect(values(DNSAnswer(.txt, .records([Array(cutText)])), .txt).isEmpty)
    }

    @Test("names from the wire: pointers, long labels and odd bytes")
    func wireNames() {
        func decode(_ bytes: [UInt8]) -> String? {
            var rest = bytes[...]
            return DomainText.decode(&rest)
        }
        #expect(decode([0]) == ".")
        #expect(decode([3, 0x41, 0x62, 0x43, 0]) == "abc")
        #expect(decode([3, 0x61, 0x2E, 0x62, 0]) == "a\\046b")
        #expect(decode([3, 0x61, 0x00, 0xFF, 0]) == "a\\000\\255")
        #expect(decode([0xC0, 0x0C]) == nil)
        #expect(decode([64] + Array(repeating: 0x61, count: 64) + [0]) == nil)
        #expect(decode([1, 0x61]) == nil)
        #expect(decode(Array(repeating: [63] + Array(repeating: 0x61, count: 63), count: 4).flatMap { $0 } + [0]) == nil)
        let longest: [UInt8] = Array([[UInt8]](repeating: [1, 0x61], count: 127).joined())
        #expect(decode(longest + [0])?.utf8.count == 253)
        #expect(decode(longest + [1, 0x61, 0]) == nil)
    }

    @Test("address answers join both kinds, and never take a failure for an absence")
    func addressAnswers() async {
        struct Half: Resolver {
            let four: DNSAnswer
            let six: DNSAnswer
            func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer { type == .a ? four : six }
        }
        let address = DNSAnswer(.a, .records([[203, 0, 113, 1]]), isSecure: true)
        let failed = DNSAnswer(.a, .failure(.responseCode(2)))
        let empty = DNSAnswer(.a, .noData)
        let gone = DNSAnswer(.a, .nameNotFound)
        let expected = [IPAddress("203.0.113.1")].compactMap { $0 }
        #expect(await Half(four: address, six: failed).addresses(of: "h.example") == .addresses(expected, isSecure: true))
        #expect(await Half(four: failed, six: empty).addresses(of: "h.example") == .failure(.responseCode(2)))
        #expect(await Half(four: empty, six: failed).addresses(of: "h.example") == .failure(.responseCode(2)))
        #expect(await Half(four: empty, six: failed).addresses(of: "h.example", withVersion6: false) == .none(nameNotFound: false))
        #expect(await Half(four: gone, six: gone).addresses(of: "h.example") == .none(nameNotFound: true))
    }
}
