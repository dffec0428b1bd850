import InternetMessage
import MailClassifier
import Outreach
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// How often something happened.
private final class Tally: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    func add() { value.withLock { $0 += 1 } }
}

@Suite("parts of the mailroom")
struct PartsTests {
    @Test("every class of the classifier is a class that the domain decides on, and the other way round")
    func classes() {
        #expect(Set(MessageClass.allCases.map(\.rawValue)) == Set(ReplyClass.allCases.map(\.rawValue)))
    }

    @Test(
        "a feedback report is a complaint for the domain, unless it tells of failed authentication",
        arguments: [("abuse", ReplyClass.complaint), ("auth-failure", .autoAcknowledgement)])
    func feedback(_ type: String, _ expected: ReplyClass) throws {
        let mail = """
            From: feedback@example.net
            Subject: Feedback
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report; boundary=b

            --b
            Content-Type: message/feedback-report

            Feedback-Type: \(type)
            User-Agent: test/1
            Version: 1
            Original-Rcpt-To: ann@example.com

            --b--

            """
        #expect(Reading(try Classifier().classify(Message(parsing: Array(mail.utf8)))).replyClass == expected)
    }

    @Test("rings before anybody waits are kept as one")
    func keptRing() async throws {
        let bell = Bell()
        bell.ring()
        bell.ring()
        await bell.wait()
        // The second wait is ended by its moment and not by a ring that was kept twice.
        let clock = HandClock(Office.start)
        let waiting = Task { await bell.wait(until: Office.start + .seconds(10), clock: clock) }
        let done = Tally()
        let watcher = Task {
            await waiting.value
            done.add()
        }
        for _ in 0..<100 { await Task.yield() }
        #expect(done.count == 0)
        clock.wind(.seconds(10))
        await watcher.value
    }

    @Test("a ring, the moment and a cancelled task each end a wait", .timeLimit(.minutes(4)))
    func waits() async {
        let clock = HandClock(Office.start)
        let bell = Bell()
        let rung = Task { await bell.wait(until: Office.start + .seconds(10), clock: clock) }
        bell.ring()
        await rung.value
        let reached = Task { await bell.wait(until: Office.start + .seconds(10), clock: clock) }
        clock.wind(.seconds(10))
        await reached.value
        let cancelled = Task { await bell.wait(until: Office.start + .seconds(1000), clock: clock) }
        cancelled.cancel()
        await cancelled.value
        await bell.wait(until: Office.start, clock: clock)
    }

    @Test("everybody who waits hears one ring", .timeLimit(.minutes(4)))
    func manyWaiting() async throws {
        let bell = Bell()
        let started = Tally()
        let ended = Tally()
        let waiting = (0..<10).map { _ in
            Task {
                started.add()
                await bell.wait()
                ended.add()
            }
        }
        try await eventually("ten waiting") { started.count == 10 }
        // One that had only just begun may need a ring of its own.
        try await eventually("ten woken") {
            bell.ring()
            return ended.count == 10
        }
        for task in waiting { await task.value }
    }

    @Test("a value that is swapped is seen whole by the next look, and never by an earlier one")
    func swappable() {
        let value = Swappable(["a": 1])
        let before = value.current
        value.swap(["b": 2])
        #expect(before == ["a": 1] && value.current == ["b": 2])
    }
}
