import InternetMessage
import Testing

@testable import Outreach

@Suite("route plan")
struct RoutePlanTests {
    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    @Test(
        "the first rule that matches counts, and without one the identity's own route",
        arguments: [
            ("bo@example.com", "partner", 1), ("Bo@EXAMPLE.com", "partner", 1), ("vip@example.com", "vip", 0),
            ("VIP@example.com", "vip", 0),
            ("x@a.example.com", "below", 2), ("x@b.a.example.com", "below", 2), ("x@badexample.com", "own", nil), ("x@com", "own", nil),
            ("x@example.org", "own", nil), ("x@bücher.example", "books", 4), ("x@xn--bcher-kva.example", "books", 4),
            ("x@[192.0.2.1]", "own", nil),
        ] as [(String, String, Int?)])
    func map(recipient: String, route: String, rule: Int?) throws {
        let plan = RoutePlan(rules: [
            .init(.address(try address("vip@example.com")), to: "vip"), .init(.domain("example.com"), to: "partner"),
            .init(.below("example.com"), to: "below"), .init(.domain("example.com"), to: "never"),
            .init(.domain("xn--bcher-kva.example"), to: "books"),
        ])
        #expect(plan.choice(for: try address(recipient), named: "own", draw: 1) == .init(route: route, rule: rule, pool: nil))
        let all = RoutePlan(rules: [.init(.everybody, to: "all"), .init(.domain("example.com"), to: "partner")])
        #expect(all.choice(for: try address(recipient), named: "own", draw: 1) == .init(route: "all", rule: 0, pool: nil))
        let specific = RoutePlan(rules: [.init(.below("a.example.com"), to: "deep"), .init(.everybody, to: "all")])
        #expect(specific.choice(for: try address("x@b.a.example.com"), named: "own", draw: 1).route == "deep")
    }

    @Test("a pool is drawn from by weight, and the same draw gives the same route")
    func pools() throws {
        let plan = RoutePlan(
            rules: [.init(.domain("example.com"), to: "pool")],
            pools: ["pool": [.init("a", weight: 1), .init("b", weight: 3), .init("c", weight: 0)], "idle": [.init("d", weight: 0)]])
        let chance = Chance(seed: [1, 2, 3])
        let recipient = try address("bo@example.com")
        var counts: [String: Int] = [:]
        for number in 0..<4000 {
            let draw = chance.bits("route", ["\(number)"])
            let choice = plan.choice(for: recipient, named: "own", draw: draw)
            #expect(plan.choice(for: recipient, named: "own", draw: draw) == choice && choice.pool == "pool" && choice.rule == 0)
            counts[choice.route, default: 0] += 1
        }
        #expect(counts["c"] == nil && (900...1100).contains(counts["a"] ?? 0) && (2900...3100).contains(counts["b"] ?? 0), "\(counts)")
        #expect(plan.choice(for: recipient, named: "own", draw: 0).route == "a")
        #expect(plan.choice(for: recipient, named: "own", draw: .max).route == "b")
        // An identity may name a pool too; one without weight gives its first.
        #expect(plan.choice(for: try address("bo@example.net"), named: "idle", draw: 5).route == "d")
        #expect(plan.choice(for: try address("bo@example.net"), named: "own", draw: 5).route == "own")
    }

    @Test("a chain of fallbacks ends, even where conf let one come back to itself")
    func chains() {
        let fallbacks = RouteFallbacks(["a": "b", "b": "c", "x": "y", "y": "x"])
        #expect(fallbacks.chain(behind: "a") == ["b", "c"] && fallbacks.chain(behind: "c").isEmpty)
        #expect(fallbacks.chain(behind: "x") == ["y"] && fallbacks["b"] == "c" && fallbacks["c"] == nil)
    }
}
