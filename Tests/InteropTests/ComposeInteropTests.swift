import Foundation
import InternetMessage
import MailAuthentication
import OpenSSL
import TestKit
import Testing

/// A thousand messages of every kind that is composed, signed as they leave, before readers and verifiers that share no code with us.
@Suite("1,000 composed messages before OpenDKIM, dkimpy and Python's email")
struct ComposeInteropTests {
    static let count = 1000

    private struct Batch {
        let drafts: [MessageDraft]
        let messages: [[UInt8]]
        let records: [DKIMRecord]
        let keys: [(selector: String, algorithm: String)]
    }

    /// Made once for both tests.
    private static let batch = Result { () throws -> Batch in try makeBatch() }

    private static func makeBatch() throws -> Batch {
        var generator = DraftGenerator(seed: 1000)
        let kinds = DraftGenerator.Kind.allCases
        let drafts = try (0..<count).map { try generator.draft(kinds[$0 % kinds.count], number: $0) }
        let rsa = try PrivateKey.generateRSA(bits: 2048)
        let ed25519 = try PrivateKey.generateEd25519()
        let signer = DKIMSigner(domain: "example.com", keys: [.init(selector: "r1", key: rsa), .init(selector: "e1", key: ed25519)])
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return Batch(
            drafts: drafts, messages: try drafts.map { try signer.sign(try $0.compose(), at: now) },
            records: [
                DKIMRecord(name: "r1._domainkey.example.com", text: DKIMKeyRecord.text(for: rsa)),
                DKIMRecord(name: "e1._domainkey.example.com", text: DKIMKeyRecord.text(for: ed25519)),
            ], keys: [("r1", "rsa-sha256"), ("e1", "ed25519-sha256")])
    }

    @Test("every signature verifies: RSA by OpenDKIM and dkimpy, Ed25519 by dkimpy and by OpenDKIM where it is built in")
    func signatures() async throws {
        let batch = try Self.batch.get()
        let expected = batch.keys.map {
            DKIMVerdict(domain: "example.com", selector: $0.selector, algorithm: $0.algorithm, isValid: true)
        }
        let dkimpy = try await DKIMPy.verify(all: batch.messages, records: batch.records)
        let opendkim = try await OpenDKIM.verify(all: batch.messages, records: batch.records)
        try #require(dkimpy.count == Self.count && opendkim.count == Self.count)
        for (position, verdicts) in dkimpy.enumerated() where verdicts != expected {
            Issue.record("dkimpy, message \(position): \(verdicts)")
        }
        var counts: [String: Int] = [:]
        for verdicts in dkimpy { for verdict in verdicts where verdict.isValid { counts["dkimpy \(verdict.algorithm)", default: 0] += 1 } }
        for (position, verdicts) in opendkim.enumerated() {
            for verdict in verdicts where verdict.isValid { counts["OpenDKIM \(verdict.algorithm)", default: 0] += 1 }
            if !verdicts.contains(expected[0]) || !verdicts.allSatisfy(expected.contains) {
                Issue.record("OpenDKIM, message \(position): \(verdicts)")
            }
        }
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            print("composed and signed messages: \(name) \(count)/\(Self.count)")
        }
        #expect(counts["dkimpy rsa-sha256"] == Self.count && counts["dkimpy ed25519-sha256"] == Self.count)
        #expect(counts["OpenDKIM rsa-sha256"] == Self.count)
    }

    @Test("Python's email reads the same structure, values and contents, and finds no defect")
    func readings() async throws {
        let batch = try Self.batch.get()
        let (version, readings) = try await PythonMail.read(batch.messages)
        try #require(readings.count == Self.count)
        var same = 0
        var shown = 0
        for (position, (draft, reading)) in zip(batch.drafts, readings).enumerated() {
            let wanted = Self.expected(draft, leaves: reading.leaves)
            if try Self.octets(reading) == Self.octets(wanted) {
                same += 1
            } else if shown < 5 {
                shown += 1
                Issue.record("message \(position): \(Self.firstDifference(reading, wanted))")
            }
        }
        print("composed messages: same structure by \(version)'s email \(same)/\(Self.count)")
        #expect(same == Self.count)
    }

    /// What a reader is to find, told from the draft; contents that the composer chooses are taken from `leaves`.
    private static func expected(_ draft: MessageDraft, leaves found: [PythonMail.Leaf]) -> PythonMail.Reading {
        func people(_ mailboxes: [Mailbox]) -> [[String]] {
            mailboxes.map { [($0.displayName ?? "").withoutOuterSpaces, String(decoding: $0.address.wireBytes, as: UTF8.self)] }
        }
        var others: [String: String] = [:]
        if !draft.listUnsubscribe.isEmpty {
            others["list-unsubscribe"] = draft.listUnsubscribe.map { "<\($0)>" }.joined(separator: ", ")
        }
        if draft.oneClick { others["list-unsubscribe-post"] = "List-Unsubscribe=One-Click" }
        others["list-id"] = draft.listID.map { "<\($0)>" }
        others["feedback-id"] = draft.feedbackID
        others["auto-submitted"] = draft.autoSubmitted?.rawValue
        for field in draft.extraFields { others[field.name.lowercased()] = field.text }
        let references = draft.references.map(\.text)
        let leaves = draft.expectedLeaves.enumerated().map { position, leaf in
            let chosen = found.indices.contains(position) ? found[position] : nil
            return PythonMail.Leaf(
                type: leaf.type, filename: leaf.filename, contentID: leaf.contentID,
                sha256: leaf.content.map { Hex.encode(Digest.sha256($0)) } ?? chosen?.sha256,
                calendar: leaf.type == "text/calendar" ? draft.invitation.map(calendar) : nil)
        }
        return PythonMail.Reading(
            subject: draft.subject.withoutOuterSpaces, from: people([draft.from]), sender: people(draft.sender.map { [$0] } ?? []),
            replyTo: people(draft.replyTo), to: people(draft.to), cc: people(draft.cc),
            date: [Int(draft.date.timestamp.seconds), draft.date.offsetMinutes], messageID: draft.messageID.text,
            inReplyTo: draft.inReplyTo.map(\.text),
            references: references.count > 50 ? [references[0]] + references.suffix(49) : references, others: others,
            tree: draft.expectedTree, leaves: leaves)
    }

    private static func calendar(_ invitation: CalendarInvitation) -> [String: String] {
        func moment(_ moment: Timestamp) -> String { moment.iso8601.filter { $0 != "-" && $0 != ":" } }
        var properties = [
            "METHOD": invitation.method.rawValue, "UID": invitation.uid, "SUMMARY": invitation.summary,
            "DTSTART": moment(invitation.start), "DTEND": moment(invitation.end), "ATTENDEES": "\(invitation.attendees.count)",
        ]
        properties["LOCATION"] = invitation.location
        properties["DESCRIPTION"] = invitation.details.map {
            $0.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        }
        return properties
    }

    /// Strings that are canonically equivalent are equal in Swift; here every octet counts.
    private static func octets(_ reading: PythonMail.Reading) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(reading)
    }

    private static func firstDifference(_ got: PythonMail.Reading, _ wanted: PythonMail.Reading) -> String {
        for ((name, left), (_, right)) in zip(
            Mirror(reflecting: got).children.map { ($0.label ?? "", "\($0.value)") },
            Mirror(reflecting: wanted).children.map { ($0.label ?? "", "\($0.value)") })
        where left != right {
            return "\(name): \(left) is not \(right)"
        }
        return "no difference that can be shown"
    }
}
