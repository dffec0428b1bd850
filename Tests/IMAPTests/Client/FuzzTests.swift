import Testing

import struct NIOCore.ByteBuffer

@testable import IMAP

/// Seeded nonsense: nothing traps, nothing hangs, and what must hold holds.
@Suite("fuzz")
struct FuzzTests {
    private static let words: [String] = [
        "* ", "A1 ", "A2 ", "A3 ", "A4 ", "A5 ", "OK ", "NO ", "BAD ", "BYE ", "PREAUTH ", "+ ", "FETCH ", "SEARCH ", "LIST ", "STATUS ",
        "EXISTS",
        "UID ", "BODY[] ", "BODY[", "]", "<0>", "{3}\r\nabc", "{0}\r\n", "{5", "}", "{-1}", "{18446744073709551616}", "~{2+}\r\n", "(", ")",
        "\"", "\\",
        "NIL", " ", "\r\n", "\n", "\r", "0", "1", "21 ", "4294967295 ", "4294967296 ", "99999999999999999999", "[", "[ALERT] ",
        "[UIDVALIDITY 7] ",
        "[UIDVALIDITY 8]", "[CAPABILITY IMAP4rev1 IDLE MOVE] ", "[UIDNEXT ", "CAPABILITY IDLE", "RFC822.SIZE ", "FLAGS ", "INTERNALDATE ",
        "\0", "\u{FF}", "ä",
    ]

    private func nonsense(_ random: inout SeededGenerator) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            if Int.random(in: 0..<12, using: &random) == 0 {
                text.append(UInt8.random(in: 0...255, using: &random))
            } else {
                text += bytes(Self.words.randomElement(using: &random) ?? "")
            }
        }
        return text + (Bool.random(using: &random) ? [13, 10] : [])
    }

    @Test("the reader finds the same frames however the bytes are cut, and every frame is read", arguments: 0..<20)
    func reader(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed) &+ 1000)
        var limits = FrameReader.Limits()
        limits.line = 60
        limits.literal = 4
        for _ in 0..<150 {
            var input: [UInt8] = []
            for _ in 0..<8 { input += nonsense(&random) }
            let whole = frames(input, limits: limits)
            let pieces = frames(input, piece: Int.random(in: 1...9, using: &random), limits: limits)
            #expect(whole.end == pieces.end)
            #expect(whole.frames.map(\.isOverlong) == pieces.frames.map(\.isOverlong))
            for (a, b) in zip(whole.frames, pieces.frames) where !a.isOverlong { #expect(a == b) }
            for frame in whole.frames {
                _ = Response(frame)
                _ = Response(frame, quirks: .none)
            }
        }
    }

    @Test("a session under nonsense delivers nothing twice and falls silent after its end", arguments: 0..<60)
    func session(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed) &+ 5000)
        for _ in 0..<40 {
            var dialogue = try Dialogue("cursor INBOX 7 20")
            dialogue.configuration.watches = true
            dialogue.configuration.access = [.examine, .seen, .move(MailboxName("Done"))].randomElement(using: &random) ?? .examine
            var session = ClientSession(configuration: dialogue.configuration, cursors: dialogue.cursors)
            var actions = session.connected() + session.tlsEstablished(verified: true)
            actions += session.received(buffer("* OK [CAPABILITY IMAP4rev1 IDLE] x\r\nA1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] x\r\n"))
            var state = Watch()
            state.take(actions)
            for _ in 0..<60 {
                switch Int.random(in: 0..<14, using: &random) {
                case 0: actions = session.poll()
                case 1: actions = session.refreshIdle()
                case 2: actions = session.timedOut([.idleReissue, .poll].randomElement(using: &random) ?? .poll)
                case 3, 4:
                    actions = state.delivered.max().map { session.messageCommitted(uid($0.uid)) } ?? []
                case 5...8:
                    // A sensible answer now and then, so that the nonsense meets every state.
                    let tag = "A\(session.commandCount)"
                    let number = UInt32.random(in: 19...26, using: &random)
                    let text = [
                        "\(tag) OK [READ-WRITE] x", "* OK [UIDVALIDITY \(7 + seed % 2)] x", "* SEARCH \(number) \(number + 1)", "+ go",
                        "* \(number) EXISTS", "* 1 FETCH (UID \(number) RFC822.SIZE \(number))",
                        "* 1 FETCH (UID \(number) BODY[] {2}\r\nhi)",
                        "\(tag) NO x",
                    ].randomElement(using: &random)
                    actions = session.received(buffer((text ?? "") + "\r\n"))
                default: actions = session.received(ByteBuffer(bytes: nonsense(&random)))
                }
                state.take(actions)
            }
            #expect(state.faults == [])
        }
    }

    private struct Watch {
        struct Key: Hashable, Comparable {
            var validity: UInt32
            var uid: UInt32

            static func < (a: Key, b: Key) -> Bool { (a.validity, a.uid) < (b.validity, b.uid) }
        }

        var delivered: Set<Key> = []
        var isClosed = false
        var faults: [String] = []
        private var voided = 0

        mutating func take(_ actions: [ClientSession.Action]) {
            for action in actions {
                if isClosed { faults.append("\(action) after the end") }
                switch action {
                case .deliver(let message):
                    if voided < 2, !delivered.insert(Key(validity: message.uidValidity.value, uid: message.uid.value)).inserted {
                        faults.append("\(message.uid) twice")
                    }
                    if message.uid.value <= 20, message.uidValidity.value == 7, voided == 0 {
                        faults.append("\(message.uid) is below the watermark")
                    }
                case .uidValidityChanged: voided += 1
                case .send(let out), .sendSecret(let out):
                    let text = Array(out.readableBytesView)
                    if text.suffix(2) != [13, 10] { faults.append("half a command") }
                    if text.dropLast(2).contains(where: { $0 == 10 || $0 == 13 }) { faults.append("two commands in one") }
                case .close: isClosed = true
                default: break
                }
            }
        }
    }
}
