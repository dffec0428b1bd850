import Foundation
import InternetMessage
import Outreach
import Rehearsal

/// What the demo says: lines and a table for people, or one JSON object per line for machines.
struct DemoReport {
    struct Event {
        let at: Timestamp
        /// Done by the world outside, not by Postrider.
        let isWorld: Bool
        let kind: String
        let contact: String
        let summary: String
        let facts: [String: String]
    }

    let json: Bool

    /// What a person need not read: another line says it better.
    private static let quietKinds: Set<String> = ["queued", "correlated", "received", "enrolled", "turned_away", "bounced"]

    func opening(contacts: Int, path: String) {
        guard !json else { return }
        Console.out("Postrider demo: \(contacts) contacts, three messages, everything on 127.0.0.1; the log is \(path)/postrider.log")
        Console.out("")
    }

    func event(_ event: Event) {
        if json {
            var members: [(key: String, value: JSONValue)] = [
                ("event", .string(event.kind)), ("at", .moment(event.at)), ("by", .string(event.isWorld ? "world" : "postrider")),
                ("contact", .string(event.contact)), ("summary", .string(event.summary)),
            ]
            if !event.facts.isEmpty { members.append(("facts", .texts(event.facts))) }
            return JSONLine.write(.object(members))
        }
        if Self.quietKinds.contains(event.kind) { return }
        // Moving from step to step is what the messages show.
        if event.kind.utf8.elementsEqual("transition".utf8), let state = event.facts["state"],
            ["active", "sending"].contains(where: { $0.utf8.elementsEqual(state.utf8) })
        {
            return
        }
        let who = event.contact.padding(toLength: 36, withPad: " ", startingAt: 0)
        Console.out("\(Self.shown(event.at))  \(who)  \(event.isWorld ? "<" : ">") \(TerminalText.line(Self.words(event)))")
    }

    private static func words(_ event: Event) -> String {
        switch event.kind {
        case "accepted": "\(event.summary), \(event.facts["tls"] ?? "in clear")"
        case "arrived": "in the mailbox: \(event.summary)"
        case "wrote": "sends \(event.summary)"
        case "pressed": "presses \(event.summary)"
        case "classified": "read as \(event.summary)"
        case "transition", "rejected", "unsubscribed": event.summary
        default: "\(event.kind): \(event.summary)"
        }
    }

    func results(_ verdicts: [Verdict]) {
        if json {
            for verdict in verdicts { JSONLine.write(Self.object(verdict)) }
            return
        }
        Console.out("")
        var table = Table([
            .init("contact"), .init("sent", number: true), .init("what came back"), .init("class"), .init("conf.", number: true),
            .init("final state"), .init("why", limit: 52), .init("as scripted"),
        ])
        for verdict in verdicts {
            table.add([
                verdict.contact, "\(verdict.stepsSent)", verdict.cameBack, verdict.replyClass?.rawValue ?? "-",
                verdict.confidence.map { "\(Int(($0 * 100).rounded())) %" } ?? "-",
                verdict.state.rawValue + (verdict.isSuppressed ? ", suppressed" : ""), verdict.reason,
                verdict.differences.isEmpty ? "yes" : "NO",
            ])
        }
        table.write()
        for verdict in verdicts {
            for difference in verdict.differences { Console.error("\(verdict.contact): \(difference)") }
        }
    }

    func summary(isAsScripted: Bool, simulated: Duration, took: Duration) {
        let days = simulated.wholeMilliseconds / 86_400_000
        let seconds = Double(took.wholeMilliseconds) / 1000
        if json {
            return JSONLine.write([
                "event": "summary", "as_scripted": .bool(isAsScripted), "simulated_days": .integer(days), "seconds": .number(seconds),
            ])
        }
        Console.out("")
        Console.out(
            "\(isAsScripted ? "Every contact ended as scripted" : "Not every contact ended as scripted"); \(days) days in "
                + "\(String(format: "%.1f", seconds)) s.")
    }

    func keeping(port: Int, path: String) {
        let lines = [
            "status page: http://127.0.0.1:\(port)/ (folder \(path)); Ctrl-C ends it",
            "to look inside: postrider inbox list --conf \(path)/postrider.conf",
        ]
        for line in lines { if json { Console.error(line) } else { Console.out(line) } }
    }

    func trouble(_ words: String) { Console.error(words) }

    private static func object(_ verdict: Verdict) -> JSONValue {
        [
            "event": "result", "contact": .string(verdict.contact), "story": .string(verdict.story),
            "steps_sent": .count(verdict.stepsSent),
            "accepted": .count(verdict.accepted), "came_back": .string(verdict.cameBack), "class": .text(verdict.replyClass?.rawValue),
            "confidence": verdict.confidence.map { .number($0) } ?? .null, "state": .string(verdict.state.rawValue),
            "cause": .text(verdict.cause?.rawValue), "reason": .string(verdict.reason), "suppressed": .bool(verdict.isSuppressed),
            "as_scripted": .bool(verdict.differences.isEmpty), "differences": .texts(verdict.differences),
        ]
    }

    /// `Mon 2026-03-02 08:31`, in UTC.
    private static func shown(_ moment: Timestamp) -> String {
        let words = MessageDate(timestamp: moment, offsetMinutes: 0)
        return "\(words.formatted.prefix(3)) \(words.iso8601.prefix(10)) \(words.iso8601.dropFirst(11).prefix(5))"
    }
}
