import Foundation
import Synchronization
import TestKit
import Testing

/// `kill -9` and the loss of power at random moments: nothing is lost, nothing leaves twice, and what is uncertain is said to be so.
@Suite("crashes of serve", .serialized)
struct CrashTests {
    /// `CRASH_KILLS` asks for more than the small dose.
    static let kills = ProcessInfo.processInfo.environment["CRASH_KILLS"].flatMap(Int.init) ?? 20
    static let messages = kills * 10
    /// Those who deliver at the same time.
    static let clients = 8

    /// Small numbers that a seed gives again (SplitMix64).
    struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }

        /// The seed that `CRASH_SEED` names, to run a failure again; else a new one.
        static func seed() -> UInt64 {
            ProcessInfo.processInfo.environment["CRASH_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: .min ... .max)
        }
    }

    /// Ends `serve` at once and starts it again on what is left.
    private static func restart(_ serve: ChildProcess, _ premises: Premises, _ disk: Disk?) async throws -> ChildProcess {
        serve.signal(SIGKILL)
        #expect(try await serve.waitForEnd() == .killed(signal: SIGKILL))
        return try await premises.serve(environment: disk?.losePower() ?? [:])
    }

    @Test("the disk of these tests forgets what was not synchronised, and nothing else", arguments: [("FULL", "7"), ("OFF", "")])
    func forgetful(_ synchronous: String, _ kept: String) async throws {
        let premises = try Premises("")
        let file = try premises.folder.makeFolder("state") + "/other.sqlite"
        let sqlite = try Interop.require("sqlite3")
        try await Command.succeed(sqlite, [file, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)"])
        let disk = try await Disk(premises)
        // It ends in the middle, with everything written and the file open: what a kill leaves behind.
        let script = "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = \(synchronous); INSERT INTO t VALUES (7);\n.shell kill -9 $PPID\n"
        _ = try await Command.run(sqlite, [file], environment: disk.environment(), input: Array(script.utf8))
        let written = try await Command.run("/usr/bin/test", ["-s", file + "-wal"])
        #expect(written.status == 0)
        _ = try disk.losePower()
        let left = try await Command.succeed(sqlite, [file, "SELECT a FROM t"]).outputText
        #expect(left == (kept.isEmpty ? "" : "\(kept)\n"))
    }

    @Test("killed while it sends: each message leaves once, or is held as ambiguous", .timeLimit(.minutes(60)), arguments: End.allCases)
    func whileSending(_ end: End) async throws {
        let seed = Dice.seed()
        var dice = Dice(state: seed)
        let sink = try SinkSMTP()
        let addresses = (1...Self.messages).map { "person-\($0)@customers.example.net" }
        // The reply to the dot takes its time, so that kills fall into every stage of a transaction and not beside it.
        for address in addresses { sink.script(address, then: .delayReply(.milliseconds(Int.random(in: 0...60, using: &dice)))) }
        let premises = try Premises(
            Premises.plainRoute("sink", port: sink.port, connections: 4) + Premises.identity(route: "sink")
                + "[safety]\ninstance_daily_limit = \(2 * Self.messages)\n")
        try await premises.load(sequence: "one", delays: ["PT0S"])
        try await premises.importContacts(addresses)
        try await premises.run(["enroll", "one", "--all"])

        let disk = end == .powerLoss ? try await Disk(premises) : nil
        var serve = try await premises.serve(environment: disk?.environment() ?? [:])
        var kills = 0
        for round in 1...Self.kills {
            // The moments are spread over the run: each kill waits for its share of the messages and then some time by chance. What is held
            // as ambiguous and never arrived is missing at the end.
            let share = round * Self.messages * 9 / (10 * (Self.kills + 1))
            try await eventually(
                "\(share) messages in the sink, which has \(sink.messages.count)\n\(serve.outputTail)", within: .seconds(60)
            ) {
                sink.messages.count >= share
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...80, using: &dice)))
            serve = try await Self.restart(serve, premises, disk)
            kills += 1
        }
        let queue = try await eventually("a quiet queue\n\(serve.outputTail)", within: .seconds(90)) {
            let all = try await premises.query(Premises.Queued.self, ["queue", "list", "--all"])
            let isQuiet = all.count == Self.messages && all.allSatisfy { $0.state == "sent" || $0.ambiguous }
            return isQuiet ? all : nil
        }
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")

        let received = sink.messages
        let counts = Dictionary(grouping: received, by: \.messageID).mapValues(\.count)
        let twice = counts.filter { $0.value > 1 }
        let ambiguous = Set(queue.filter(\.ambiguous).map(\.messageId))
        let sent = Set(queue.filter { $0.state == "sent" }.map(\.messageId))
        let lost = addresses.filter { address in !queue.contains { $0.recipient == address } } + sent.filter { counts[$0] == nil }
        // What the sink has whole and we know no reply of.
        let unknown = Set(counts.keys).subtracting(sent)
        print(
            "sending, \(end.rawValue): seed \(seed), kills \(kills), in the sink \(received.count), lost \(lost.count), duplicates \(twice.count), ambiguous \(ambiguous.count) (of which arrived: \(unknown.count))"
        )
        #expect(kills == Self.kills && lost.isEmpty && twice.isEmpty, "seed \(seed): lost \(lost), twice \(twice)")
        #expect(unknown.isSubset(of: ambiguous) && sent.count + ambiguous.count == Self.messages, "seed \(seed)")
        #expect(counts.keys.allSatisfy { sent.contains($0) || ambiguous.contains($0) })
        // They are listed for a person, who must say so to let one leave a second time.
        let listed = try await premises.query(Premises.Queued.self, ["queue"])
        #expect(Set(listed.map(\.messageId)) == ambiguous)
    }

    @Test(
        "killed while it receives: every message that got a 250 is kept, once", .timeLimit(.minutes(60)), arguments: ["smtp", "lmtp"],
        End.allCases)
    func whileReceiving(_ dialect: String, _ end: End) async throws {
        let seed = Dice.seed()
        var dice = Dice(state: seed)
        let port = try FreePort.next()
        let sink = try SinkSMTP()
        let premises = try Premises(
            Premises.plainRoute("sink", port: sink.port) + Premises.identity(route: "sink") + """

                [listener.\(dialect)]
                listen = ["127.0.0.1:\(port)"]
                accept_domains = ["r.example.com"]
                max_connections_per_ip = 100
                max_messages_per_session = 1000
                """)
        let hello = dialect == "smtp" ? "EHLO world.example.net" : "LHLO world.example.net"
        // Several at a time, so that what a kill hits is a commit that they share.
        let clients = (0..<Self.clients).map { _ in Sender(port: port, hello: hello) }
        let each = (Self.messages + Self.clients - 1) / Self.clients
        let sending = Task {
            try await withThrowingTaskGroup(of: [String].self) { group in
                for (number, client) in clients.enumerated() {
                    group.addTask { try await client.send(each, named: "\(dialect)-\(number)") }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
        defer { sending.cancel() }

        let disk = end == .powerLoss ? try await Disk(premises) : nil
        var serve = try await premises.serve(environment: disk?.environment() ?? [:])
        for round in 1...Self.kills {
            let share = round * Self.messages / (Self.kills + 1)
            try await eventually("\(share) messages taken\n\(serve.outputTail)", within: .seconds(60)) {
                clients.reduce(0) { $0 + $1.count } >= share
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...40, using: &dice)))
            serve = try await Self.restart(serve, premises, disk)
        }
        let taken = try await sending.value
        let unanswered = clients.reduce(0) { $0 + $1.unanswered }
        #expect(taken.count == each * Self.clients && Set(taken).count == taken.count)

        // Role mail answers nothing of ours, so each is listed with the other replies when it is sorted.
        let replies = try await eventually("all sorted\n\(serve.outputTail)", within: .seconds(60 + Self.kills)) {
            let replies = try await premises.query(Premises.Reply.self, ["inbox", "list", "--limit", "10000"])
            return Set(replies.compactMap(\.messageId)).isSuperset(of: taken) ? replies : nil
        }
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
        // What was kept although its 250 was lost is offered again: stored again, and known as the same message.
        let kept = replies.filter { $0.duplicateOf == nil }.compactMap(\.messageId)
        let counts = Dictionary(grouping: kept, by: \.self).mapValues(\.count)
        let lost = taken.filter { counts[$0] == nil }
        let twice = counts.filter { $0.value > 1 }
        print(
            "receiving by \(dialect), \(end.rawValue): seed \(seed), kills \(Self.kills), got 250 \(taken.count), offered again \(unanswered),",
            "of these kept before \(replies.count - kept.count), lost \(lost.count), taken for two \(twice.count)")
        #expect(lost.isEmpty && twice.isEmpty, "seed \(seed): lost \(lost), twice \(twice)")
        #expect(kept.count == taken.count && replies.count - kept.count <= unanswered)
    }
}

/// A client that goes on as soon as somebody listens again; like any MTA, it offers a message until it gets an answer.
private final class Sender: Sendable {
    private let port: Int
    private let hello: String
    private let state = Mutex((taken: [String](), unanswered: 0))

    init(port: Int, hello: String) {
        self.port = port
        self.hello = hello
    }

    /// How many messages got their 250.
    var count: Int { state.withLock { $0.taken.count } }
    /// How often a message was offered and got no answer.
    var unanswered: Int { state.withLock { $0.unanswered } }

    /// Sends messages with Message-IDs of their own until `count` of them got their 250, and returns those ids.
    func send(_ count: Int, named name: String) async throws -> [String] {
        while self.count < count {
            try Task.checkCancellation()
            do {
                let client = try await LineClient.connect(port: port)
                defer { client.close() }
                guard try await client.readReply().last?.hasPrefix("220 ") == true else { continue }
                _ = try await client.command(hello)
                while self.count < count {
                    let number = self.count + 1
                    let id = "\(name)-\(number)@world.example.net"
                    for command in ["MAIL FROM:<ann@world.example.net>", "RCPT TO:<postmaster@r.example.com>", "DATA"] {
                        _ = try await client.command(command)
                    }
                    state.withLock { $0.unanswered += 1 }
                    try await client.sendRaw(
                        Array(
                            Letter.reply(from: "ann@world.example.net", to: "postmaster@r.example.com", id: id, text: "Number \(number)")
                                .utf8)
                            + Array(".\r\n".utf8))
                    guard try await client.readReply().last?.hasPrefix("250 ") == true else { break }
                    state.withLock {
                        $0.unanswered -= 1
                        $0.taken.append(id)
                    }
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        return state.withLock { $0.taken }
    }
}
