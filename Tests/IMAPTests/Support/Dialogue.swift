import Foundation

import struct NIOCore.ByteBuffer

@testable import IMAP

/// A conversation from a file, and what the session must do in it.
///
/// One line each: `#` comment · `set KEY VALUE` configuration · `cursor MAILBOX VALIDITY UID` · `undisposed MAILBOX VALIDITY UID` · `S: ` a line of the server, its CRLF added ·
/// `S| ` bytes of the server with `\r`, `\n`, `\\` spelled out · `! ` an input to the session · `C: ` a line the client must send · `> ` an
/// action it must give. Timers, `disposed` and `authenticated` are left out of the comparison unless the file says `set timers on` or
/// `set disposals on`.
struct Dialogue {
    enum Step {
        case server([UInt8])
        case input([String])
    }

    var configuration: ClientSession.Configuration
    var cursors: [MailboxName: MailboxCursor] = [:]
    var steps: [Step] = []
    var expected: [String] = []
    var showsTimers = false
    var showsDisposals = false
    var undisposed: Set<MessageKey> = []

    static let names: [String] = {
        let folder = Bundle.module.resourceURL?.appendingPathComponent("Fixtures/dialogues")
        let files = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0.path) } ?? []
        return files.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    init(named name: String) throws {
        let url = Bundle.module.resourceURL?.appendingPathComponent("Fixtures/dialogues/\(name)")
        try self.init(String(contentsOf: url ?? URL(fileURLWithPath: name), encoding: .utf8))
    }

    init(_ text: String) throws {
        guard let credentials = Credentials(username: bytes("ann"), password: bytes("s3cret")) else { throw Broken(line: "credentials") }
        configuration = .init(authentication: .login(credentials))
        configuration.watches = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) {
            if line.hasPrefix("#") { continue }
            let rest = String(line.dropFirst(3))
            switch line.prefix(2) {
            case "S:": server(bytes(rest + "\r\n"))
            case "S|": server(Self.unescape(rest))
            case "C:", "> ": expected.append(line)
            case "! ": steps.append(.input(line.dropFirst(2).split(separator: " ").map(String.init)))
            default: try set(line.split(separator: " ").map(String.init))
            }
        }
    }

    struct Broken: Error { var line: String }

    private mutating func server(_ more: [UInt8]) {
        if case .server(let before) = steps.last {
            steps[steps.count - 1] = .server(before + more)
        } else {
            steps.append(.server(more))
        }
    }

    private mutating func set(_ words: [String]) throws {
        switch (words.first, words.dropFirst().first) {
        case ("cursor", let name?):
            guard words.count == 4, let validity = UInt32(words[2]).flatMap(UIDValidity.init), let last = UInt32(words[3])
            else { throw Broken(line: words.joined(separator: " ")) }
            cursors[MailboxName(name)] = MailboxCursor(uidValidity: validity, lastUID: UID(last))
        case ("undisposed", let name?):
            guard words.count == 4, let validity = UInt32(words[2]).flatMap(UIDValidity.init), let uid = UInt32(words[3]).flatMap(UID.init)
            else { throw Broken(line: words.joined(separator: " ")) }
            undisposed.insert(MessageKey(MailboxName(name), validity, uid))
        case ("set", let key?):
            guard words.count > 2 else { throw Broken(line: words.joined(separator: " ")) }
            try set(key, words[2])
        default: throw Broken(line: words.joined(separator: " "))
        }
    }

    private mutating func set(_ key: String, _ value: String) throws {
        switch (key, value) {
        case ("encryption", "starttls"): configuration.encryption = .startTLS
        case ("encryption", "none"): configuration.encryption = .none
        case ("policy", "any-tls"): configuration.credentialPolicy = .anyTLS
        case ("policy", "anywhere"): configuration.credentialPolicy = .anywhere
        case ("auth", "sasl"): configuration.authentication = .sasl
        case ("access", "seen"): configuration.access = .seen
        case ("access", _) where value.hasPrefix("move:"): configuration.access = .move(MailboxName(String(value.dropFirst(5))))
        case ("mailboxes", _):
            configuration.mailboxes = value.split(separator: ",").map {
                $0 == "@junk" ? .specialUse(.junk, orNamed: [MailboxName("Spam")]) : .named(MailboxName(String($0)))
            }
        case ("since", _):
            let parts = value.split(separator: "-").compactMap { Int($0) }
            configuration.since = parts.count == 3 ? SearchDate(year: parts[0], month: parts[1], day: parts[2]) : nil
        case ("watches", "on"): configuration.watches = true
        case ("size-limit", _): configuration.messageSizeLimit = Int(value) ?? 0
        case ("truncation", _): configuration.truncationLength = Int(value) ?? 0
        case ("timers", "on"): showsTimers = true
        case ("disposals", "on"): showsDisposals = true
        default: throw Broken(line: "\(key) \(value)")
        }
    }

    private static func unescape(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                out.append(byte == UInt8(ascii: "r") ? 13 : byte == UInt8(ascii: "n") ? 10 : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                out.append(byte)
            }
        }
        return out
    }

    var serverByteCount: Int {
        steps.reduce(0) { if case .server(let bytes) = $1 { $0 + bytes.count } else { $0 } }
    }

    /// Runs the conversation, the server's bytes in pieces as the closure says for each of its turns, and gives what the session did.
    func run(pieces: (_ offset: Int, _ turn: [UInt8]) -> [ArraySlice<UInt8>]) throws -> [String] {
        var session = ClientSession(configuration: configuration, cursors: cursors, undisposed: undisposed)
        var events: [String] = []
        var offset = 0
        for step in steps {
            switch step {
            case .server(let turn):
                for piece in pieces(offset, turn) {
                    events += session.received(ByteBuffer(bytes: piece)).flatMap(describe)
                }
                offset += turn.count
            case .input(let words):
                events += try perform(words, &session).flatMap(describe)
            }
        }
        return events
    }

    private func perform(_ words: [String], _ session: inout ClientSession) throws -> [ClientSession.Action] {
        let argument = words.dropFirst().first ?? ""
        switch words.first {
        case "connected": return session.connected()
        case "tls": return session.tlsEstablished(verified: argument == "verified")
        case "commit": return session.messageCommitted(uid(UInt32(argument) ?? 0))
        case "poll": return session.poll()
        case "refresh": return session.refreshIdle()
        case "logout": return session.logout()
        case "closed": return session.connectionClosed()
        case "mechanism": return session.authenticate(mechanism: argument, initialResponse: words.count > 2 ? bytes(words[2]) : nil)
        case "sasl": return session.saslResponse(bytes(argument))
        case "abandon": return session.abandonAuthentication()
        case "timeout":
            let timers: [String: ClientSession.Timer] = [
                "response": .response, "command": .command, "idle": .idleReissue, "poll": .poll,
            ]
            guard let timer = timers[argument] else { throw Broken(line: argument) }
            return session.timedOut(timer)
        default: throw Broken(line: words.joined(separator: " "))
        }
    }

    private func describe(_ action: ClientSession.Action) -> [String] {
        switch action {
        case .send(let bytes), .sendSecret(let bytes):
            return String(buffer: bytes).split(separator: "\r\n", omittingEmptySubsequences: false).dropLast().map { "C: \($0)" }
        case .startTLS: return ["> starttls"]
        case .startAuthentication(let offered, let ir): return ["> choose \(offered.joined(separator: ","))\(ir ? " ir" : "")"]
        case .saslChallenge(let challenge): return ["> challenge \(String(decoding: challenge, as: UTF8.self))"]
        case .authenticated: return []
        case .deliver(let m):
            let text = String(decoding: m.bytes, as: UTF8.self).split(separator: "\r\n").joined(separator: "|")
            let flags = m.flags.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
            let size = m.size.map { "\($0)" } ?? "?"
            let mark = m.truncated ? " truncated" : ""
            return ["> deliver \(m.mailbox) \(m.uidValidity) \(m.uid) size=\(size) flags=\(flags)\(mark) \(text)"]
        case .uidValidityChanged(let name, let old, let new): return ["> uidvalidity \(name) \(old) \(new)"]
        case .watermark(let name, let validity, let uid): return ["> watermark \(name) \(validity) \(uid)"]
        case .skipped(let name, let validity, let uid, let reason): return ["> skipped \(name) \(validity) \(uid) \(reason)"]
        case .refetched(let message, let outcome):
            return ["> refetched \(message.mailbox) \(message.uidValidity) \(message.uid) \(outcome)"]
        case .setback(let name, let validity, let uid, let kind): return ["> setback \(name) \(validity) \(uid) \(kind)"]
        case .disposed(let name, let validity, let uids):
            return showsDisposals ? ["> disposed \(name) \(validity) \(uids.map(\.description).joined(separator: ","))"] : []
        case .pollFinished: return ["> finished"]
        case .startTimer(let timer, let time): return showsTimers ? ["> start \(timer) \(time.components.seconds)"] : []
        case .cancelTimer(let timer): return showsTimers ? ["> cancel \(timer)"] : []
        case .alert(let alert): return ["> alert \(alert.kind) \(alert.mailbox?.description ?? "-")"]
        case .close(let reason): return ["> close \(Self.name(reason))"]
        }
    }

    private static func name(_ reason: ClientSession.CloseReason) -> String {
        switch reason {
        case .loginRefused: "loginRefused"
        case .throttled: "throttled"
        case .unavailable: "unavailable"
        case .fetchRefused: "fetchRefused"
        case .bye: "bye"
        case .safety(let fault): "safety \(fault)"
        case .protocolError(.commandRefused): "protocolError commandRefused"
        case .protocolError(let fault): "protocolError \(fault)"
        default: "\(reason)"
        }
    }
}
