import DNS
import HTTPFetch
import InternetMessage
import Logging
import MailTransport
import NIOPosix
import Outreach
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// MTA-STS policies over a real HTTPS server, a made-up zone, and a store that outlives the process.
@Suite("MTA-STS policies", .timeLimit(.minutes(5)))
struct STSPolicyKeeperTests {
    /// A zone that changes while somebody asks.
    final class Zone: DNS.Resolver {
        private let zone = Mutex(StaticResolver([:]))

        /// - Parameter id: of the policy of example.com; nil: there is no record, or with `isBroken` no answer.
        func set(id: String?, isBroken: Bool = false, host: String = "127.0.0.1") {
            var records: [String: [StaticResolver.Record]] = [
                "mta-sts.example.com": [.a(host)], "mta-sts.example.net": [.a(host)], "_mta-sts.example.net": [.txt("v=STSv1; id=1;")],
            ]
            if let id { records["_mta-sts.example.com"] = [.txt("v=STSv1; id=\(id);")] }
            let fresh = StaticResolver(records, failures: isBroken ? ["_mta-sts.example.com": .timedOut] : [:])
            zone.withLock { $0 = fresh }
        }

        func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
            if gate.withLock({ $0.isArmed }) {
                await withCheckedContinuation { continuation in gate.withLock { $0 = (false, continuation) } }
            }
            return await zone.withLock { $0 }.lookup(name, type)
        }

        private let gate = Mutex<(isArmed: Bool, waiting: CheckedContinuation<Void, Never>?)>((false, nil))

        /// The next one who asks waits for `release`.
        func holdNext() { gate.withLock { $0.isArmed = true } }

        var isHolding: Bool { gate.withLock { $0.waiting != nil } }

        func release() {
            let waiting = gate.withLock { state in
                let waiting = state.waiting
                state.waiting = nil
                return waiting
            }
            waiting?.resume()
        }
    }

    /// A keeper with everything it needs; `again` is the one of a process that starts anew on the same file.
    struct Bench {
        let server: PolicyServer
        let zone = Zone()
        let clock = HandClock(Office.start)
        let notes = Notes()
        let folder: TemporaryFolder
        let store: SQLiteStore
        let http = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)

        init() async throws {
            server = try await PolicyServer(hosts: ["mta-sts.example.com"])
            folder = try TemporaryFolder()
            store = try Self.open(folder)
            zone.set(id: "1")
        }

        static func open(_ folder: TemporaryFolder) throws -> SQLiteStore {
            try SQLiteStore.open(
                path: folder("p.sqlite"), mode: .createIfMissing(seed: Array(repeating: 1, count: 32)),
                ids: RecordIDs(now: { Office.start }, random: { 7 }))
        }

        func keeper(_ store: SQLiteStore? = nil, allowsPrivate: Bool = true, trust: HTTPFetcher.Trust? = nil) -> STSPolicyKeeper {
            let fetcher = STSFetcher(
                http: http, resolver: zone, trust: trust ?? .caFile(server.caFile), port: server.port, allowsPrivate: allowsPrivate)
            let notes = notes
            return STSPolicyKeeper(
                store: store ?? self.store, resolver: zone, fetch: { await fetcher.fetch($0) }, clock: clock,
                logger: Logger(label: "test") { _ in NotedLog { notes.add($0) } })
        }

        func end() async { await http.shutdown() }
    }

    final class Notes: Sendable {
        private let lines = Mutex([String]())
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    static func text(_ mode: String, hosts: String = "mx: mx.example.com\n", age: Int = 604_800) -> String {
        "version: STSv1\nmode: \(mode)\n\(hosts)max_age: \(age)\n"
    }

    @Test("a first address that is dead leaves the second one its time")
    func deadAddress() async throws {
        let server = try await PolicyServer(hosts: ["mta-sts.example.com"])
        try server.answer(Self.text("enforce"))
        let program = "import socket,time; s=socket.create_server(('127.0.0.2', \(server.port))); print('up', flush=True); time.sleep(60)"
        let silent = try ChildProcess(Interop.require("python3"), ["-c", program])
        try await silent.waitForLine(containing: "up", in: silent.outputFile)
        let http = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
        let zone = StaticResolver(["mta-sts.example.com": [.a("127.0.0.2"), .a("127.0.0.1")]])
        let fetcher = STSFetcher(
            http: http, resolver: zone, trust: .caFile(server.caFile), port: server.port, allowsPrivate: true, patience: .seconds(6))
        #expect(try await fetcher.fetch("example.com").get() == Array(Self.text("enforce").utf8))
        await http.shutdown()
        silent.kill()
    }

    @Test("a policy is fetched once, kept over a restart, and fetched anew when DNS has another id")
    func kept() async throws {
        let bench = try await Bench()
        try bench.server.answer(Self.text("enforce"))
        let keeper = bench.keeper()
        #expect(await keeper.policy(for: "example.com") == STSPolicy(mode: .enforce, hosts: ["mx.example.com"], maxAge: .seconds(604_800)))
        #expect(await keeper.policy(for: "example.com")?.mode == .enforce)
        #expect(bench.server.requests == ["mta-sts.example.com:\(bench.server.port)/.well-known/mta-sts.txt"])

        // The web server is wrong from here on, DNS silent, then without the record: what is kept counts, in a new process too.
        try bench.server.answer("gone", status: 500)
        try bench.store.close()
        let store = try Bench.open(bench.folder)
        let again = bench.keeper(store)
        bench.zone.set(id: nil, isBroken: true)
        #expect(await again.policy(for: "example.com")?.mode == .enforce)
        bench.zone.set(id: nil)
        #expect(await again.policy(for: "example.com")?.mode == .enforce)
        #expect(bench.server.requests.count == 1)

        // Another id: asked for at once, in vain, and then left alone for a while.
        bench.zone.set(id: "2")
        for _ in 0..<3 { #expect(await again.policy(for: "example.com")?.mode == .enforce) }
        #expect(bench.server.requests.count == 2 && bench.notes.all.contains { $0.contains("status 500") }, "\(bench.notes.all)")
        try bench.server.answer(Self.text("testing"))
        bench.clock.wind(.seconds(301))
        #expect(await again.policy(for: "example.com")?.mode == .testing)
        #expect(try await store.keptPolicy(domain: "example.com")?.recordID == "2")
        await bench.end()
    }

    @Test("a policy is renewed before its end, and does not count after it")
    func ages() async throws {
        let bench = try await Bench()
        try bench.server.answer(Self.text("enforce", age: 3 * 86_400))
        let keeper = bench.keeper()
        #expect(await keeper.policy(for: "example.com")?.mode == .enforce)
        // A day later the same id is fetched again when it is used.
        bench.clock.wind(.seconds(86_400))
        #expect(await keeper.policy(for: "example.com")?.mode == .enforce && bench.server.requests.count == 2)
        // Unused, it is renewed by the service before it ends.
        await keeper.renewThoseEnding()
        #expect(bench.server.requests.count == 2)
        bench.clock.wind(.seconds(2 * 86_400 + 60))
        await keeper.renewThoseEnding()
        #expect(bench.server.requests.count == 3)
        // When the server gives no more, it counts to its end and no longer.
        try bench.server.answer("", status: 404)
        bench.clock.wind(.seconds(3 * 86_400 - 1))
        #expect(await keeper.policy(for: "example.com")?.mode == .enforce)
        bench.clock.wind(.seconds(1))
        #expect(await keeper.policy(for: "example.com") == nil)
        bench.clock.wind(.seconds(1))
        await keeper.renewThoseEnding()
        #expect(try await bench.store.keptPolicy(domain: "example.com") == nil)
        await bench.end()
    }

    @Test("what is no policy, and no answer of that server, gives none")
    func refused() async throws {
        let bench = try await Bench()
        let good = Self.text("enforce")
        let answers: [(String, Int, [String])] = [
            (good, 404, ["Content-Type: text/plain"]), (good, 200, ["Content-Type: text/html"]), (good, 200, []),
            (
                good, 302,
                ["Content-Type: text/plain", "Location: https://mta-sts.example.com:\(bench.server.port)/.well-known/mta-sts.txt"]
            ),
            ("hello", 200, ["Content-Type: text/plain"]), (good + String(repeating: "x", count: 70_000), 200, ["Content-Type: text/plain"]),
            (Self.text("enforce", hosts: ""), 200, ["Content-Type: text/plain"]),
        ]
        let keeper = bench.keeper()
        for (number, (body, status, fields)) in answers.enumerated() {
            try bench.server.answer(body, status: status, fields: fields)
            #expect(await keeper.policy(for: "example.com") == nil, "\(status) \(fields) \(body.prefix(40))")
            #expect(bench.server.requests.count == number + 1)
            bench.clock.wind(.seconds(301))
        }
        try bench.server.answer(good, fields: ["Content-Type: Text/Plain; charset=utf-8"])
        // A certificate of nobody that is trusted, one for another name, and a server in a private network.
        #expect(await bench.keeper(trust: .system).policy(for: "example.com") == nil)
        #expect(await bench.keeper().policy(for: "example.net") == nil)
        #expect(await bench.keeper(allowsPrivate: false).policy(for: "example.com") == nil)
        #expect(bench.server.requests.count == answers.count)
        #expect(bench.notes.all.contains { $0.contains("private address") })
        #expect(await bench.keeper().policy(for: "example.com")?.mode == .enforce)
        // A domain without a record is not asked at all.
        #expect(await keeper.policy(for: "example.org") == nil)
        #expect(bench.server.requests.count == answers.count + 1)
        await bench.end()
    }

    @Test("whom DNS answers late does not fetch what somebody else has fetched meanwhile")
    func late() async throws {
        let bench = try await Bench()
        try bench.server.answer(Self.text("enforce"))
        let keeper = bench.keeper()
        bench.zone.holdNext()
        async let late = keeper.policy(for: "example.com")?.mode
        try await eventually("it asks DNS") { bench.zone.isHolding }
        #expect(await keeper.policy(for: "example.com")?.mode == .enforce)
        bench.zone.release()
        #expect(await late == .enforce && bench.server.requests.count == 1)
        await bench.end()
    }

    @Test("many who ask at once cost one fetch")
    func together() async throws {
        let bench = try await Bench()
        try bench.server.answer(Self.text("enforce"))
        let keeper = bench.keeper()
        let found = await withTaskGroup(of: STSPolicy.Mode?.self) { group in
            for _ in 0..<20 { group.addTask { await keeper.policy(for: "example.com")?.mode } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found == Array(repeating: .enforce, count: 20) && bench.server.requests.count == 1)
        await bench.end()
    }
}
