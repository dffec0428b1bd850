import OpenSSL
import Testing

@testable import MailTransport

/// Who may use which connection, and when a new one may be opened.
@Suite("connection ledger")
struct ConnectionLedgerTests {
    private let trust: TLSClientContext
    init() throws { trust = try TLSClientContext(trust: .system) }

    private func key(_ address: String = "192.0.2.1", route name: String = "r", peer: TLSPeer = .unverified(name: "mx.example.net"))
        -> ConnectionKey
    {
        let route = Route(name: name, kind: .mx(port: 25), trust: trust, helloName: "out.example.com")
        let host = Destination(name: "mx.example.net", place: .address(address, port: 25), demand: TLSDemand(.may, peer))
        return ConnectionKey(to: host, over: route, peer: peer)
    }

    /// One connection that was used and is kept.
    private func keeping(_ key: ConnectionKey, _ limits: ConnectionLimits) -> ConnectionLedger {
        var ledger = ConnectionLedger()
        #expect(ledger.ask(0, for: key, limits: limits, mustBeNew: false).grants == [0: .open(1)])
        var change = ConnectionLedger.Change()
        let stays = ledger.giveBack(1, into: &change)
        #expect(stays && change == .init())
        return ledger
    }

    @Test("a connection that is given back is granted again, the one used last first, and to its own kind only")
    func again() {
        let limits = ConnectionLimits(total: 10, perHost: 10)
        var ledger = keeping(key(), limits)
        #expect(ledger.ask(1, for: key(), limits: limits, mustBeNew: true).grants == [1: .open(2)])
        var change = ConnectionLedger.Change()
        let stays = ledger.giveBack(2, into: &change)
        #expect(stays)
        for other in [key("192.0.2.2"), key(route: "s"), key(peer: .verified(name: "mx.example.net")), key(peer: .unverified(name: nil))] {
            var ledger = ledger
            #expect(ledger.ask(2, for: other, limits: limits, mustBeNew: false).grants == [2: .open(3)])
        }
        #expect(ledger.ask(2, for: key(), limits: limits, mustBeNew: false).grants == [2: .kept(2)])
        #expect(ledger.ask(3, for: key(), limits: limits, mustBeNew: false).grants == [3: .kept(1)])
        #expect(ledger.ask(4, for: key(), limits: limits, mustBeNew: false).grants == [4: .open(3)])
    }

    @Test("who exceeds a limit waits for a connection, or for the end of one, in turn", arguments: [(1, 9), (9, 1)])
    func limits(total: Int, perHost: Int) {
        let limits = ConnectionLimits(total: total, perHost: perHost)
        var ledger = ConnectionLedger()
        #expect(ledger.ask(1, for: key(), limits: limits, mustBeNew: false).grants == [1: .open(1)])
        for waiter in 2...4 { #expect(ledger.ask(waiter, for: key(), limits: limits, mustBeNew: false) == .init()) }
        var change = ConnectionLedger.Change()
        let stays = ledger.giveBack(1, into: &change)
        #expect(stays && change == .init(grants: [2: .kept(1)]))
        // It is in use again, so it is nobody's to give up.
        #expect(ledger.expire(1) == false)
        ledger.leave(3)
        #expect(ledger.closed(1).grants == [4: .open(2)])
        #expect(ledger.closed(1) == .init() && ledger.closed(2) == .init() && ledger.isEmpty)
    }

    @Test("a connection that is kept makes room for one of another kind, and counts until it is closed")
    func eviction() {
        for (limits, other) in [
            (ConnectionLimits(total: 1, perHost: 9), key("192.0.2.2")),
            (ConnectionLimits(total: 9, perHost: 1), key(peer: .verified(name: "mx.example.net"))),
        ] {
            var ledger = keeping(key(), limits)
            #expect(ledger.ask(1, for: other, limits: limits, mustBeNew: false) == .init(ending: [1]))
            #expect(ledger.ask(2, for: other, limits: limits, mustBeNew: false) == .init())
            #expect(ledger.expire(1) == false)
            #expect(ledger.closed(1).grants == [1: .open(2)])
            // One that comes back where somebody else waits is ended at once.
            #expect(ledger.ask(3, for: key(), limits: limits, mustBeNew: false) == .init())
            var change = ConnectionLedger.Change()
            var stays = ledger.giveBack(2, into: &change)
            #expect(stays && change == .init(grants: [2: .kept(2)]))
            change = .init()
            stays = ledger.giveBack(2, into: &change)
            #expect(!stays && change == .init())
            #expect(ledger.closed(2).grants == [3: .open(3)])
        }
        // A route has its own limits.
        var ledger = keeping(key(), ConnectionLimits(total: 1, perHost: 1))
        #expect(
            ledger.ask(1, for: key(route: "s"), limits: ConnectionLimits(total: 1, perHost: 1), mustBeNew: false).grants == [1: .open(2)])
    }

    @Test("what is retired keeps no connection")
    func retirement() {
        let limits = ConnectionLimits()
        var ledger = keeping(key(), limits)
        #expect(ledger.ask(1, for: key("192.0.2.2"), limits: limits, mustBeNew: false).grants == [1: .open(2)])
        #expect(ledger.retire() == .init(ending: [1]))
        var change = ConnectionLedger.Change()
        let stays = ledger.giveBack(2, into: &change)
        #expect(!stays && change == .init())
        #expect(ledger.ask(2, for: key(), limits: limits, mustBeNew: false).grants == [2: .open(3)])
        for connection in 1...3 { _ = ledger.closed(connection) }
        #expect(ledger.isEmpty)
    }

    @Test("nothing is kept where the limits say so")
    func single() {
        var ledger = ConnectionLedger()
        #expect(ledger.ask(1, for: key(), limits: .single, mustBeNew: false).grants == [1: .open(1)])
        var change = ConnectionLedger.Change()
        let stays = ledger.giveBack(1, into: &change)
        #expect(!stays)
    }
}
