@testable import IMAP

/// A small IMAP server in memory that can misbehave, and that notices a client which does.
struct MailboxServer {
    struct Message {
        var uid: UInt32
        var bytes: [UInt8]
        var flags: [String] = []
    }

    struct Mailbox {
        var validity: UInt32 = 7
        var next: UInt32 = 1
        var messages: [Message] = []

        mutating func arrive(_ body: [UInt8], gap: UInt32 = 0) {
            messages.append(Message(uid: next + gap, bytes: body))
            next += gap + 1
        }
    }

    /// How often, of a thousand occasions, each fault happens.
    struct Faults {
        var shuffled = 0
        var repeated = 0
        var unsolicited = 0
        var omitted = 0
        var garbage = 0
        var wrongSize = 0
        var refusedFetch = 0
    }

    /// How a FETCH is answered that names a message which is not given.
    enum Denial: CaseIterable {
        /// OK, with nothing of the messages.
        case silence
        case no
        case bad
        /// All but the body.
        case bodiless
        /// The connection ends.
        case hangUp
    }

    var mailboxes: [String: Mailbox]
    /// nil UIDs: any.
    var denied: (how: Denial, uids: Set<UInt32>?)?
    /// Named by every search of a range, and not there.
    var phantoms: [UInt32] = []
    private(set) var hasHungUp = false
    var capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE"
    var faults = Faults()
    /// What STATUS says of each mailbox for ever after it has said it once; nil: the truth.
    var frozenStatus: [String: String]?
    /// What the client sent, line by line.
    private(set) var commands: [String] = []
    /// Octets sent by the server.
    private(set) var octetsSent = 0
    var random = SeededGenerator(state: 1)
    /// What the client did that it must not.
    private(set) var offences: [String] = []
    /// The UIDs of the mailbox that the client says it has stored.
    var stored: [String: Set<UInt32>] = [:]

    private var input: [UInt8] = []
    private var selected: String?
    private var isReadOnly = false
    private var idleTag: String?
    private var isAuthenticated = false

    init(_ mailboxes: [String: Mailbox]) { self.mailboxes = mailboxes }

    /// A new connection; gives the greeting.
    mutating func connect() -> [UInt8] {
        input = []
        selected = nil
        idleTag = nil
        isAuthenticated = false
        hasHungUp = false
        return IMAPTests.bytes("* OK [CAPABILITY \(capabilities)] ready\r\n")
    }

    /// A message arrives while the client waits; gives what the server says about it.
    mutating func arrive(_ body: [UInt8], in name: String) -> [UInt8] {
        mailboxes[name]?.arrive(body)
        guard selected == name, idleTag != nil else { return [] }
        return IMAPTests.bytes("* \(mailboxes[name]?.messages.count ?? 0) EXISTS\r\n")
    }

    /// Takes the client's bytes; gives the answer.
    mutating func receive(_ more: [UInt8]) -> [UInt8] {
        input += more
        var output = ""
        while let end = input.firstIndex(of: 10) {
            let line = String(decoding: input[..<end], as: UTF8.self)
            input.removeSubrange(...end)
            guard line.utf8.last == 13 else {
                offences.append("bare line feed: \(line)")
                continue
            }
            let answer = self.answer(line.unicodeScalars.dropLast().reduce(into: "") { $0.unicodeScalars.append($1) })
            if hasHungUp { break }
            output += answer
        }
        octetsSent += output.utf8.count
        return IMAPTests.bytes(output)
    }

    private mutating func happens(_ perMille: Int) -> Bool { Int.random(in: 0..<1000, using: &random) < perMille }

    private mutating func answer(_ line: String) -> String {
        commands.append(line)
        if let tag = idleTag {
            idleTag = nil
            if line != "DONE" { offences.append("\(line) in IDLE") }
            return "\(tag) OK idle over\r\n"
        }
        let words = line.split(separator: " ").map(String.init)
        guard words.count >= 2 else {
            offences.append("no command: \(line)")
            return ""
        }
        let tag = words[0]
        let name = words[1] == "UID" && words.count > 2 ? "UID \(words[2])" : words[1]
        if !isAuthenticated, !["LOGIN", "CAPABILITY"].contains(name) { offences.append("\(name) before LOGIN") }
        switch name {
        case "CAPABILITY": return "* CAPABILITY \(capabilities)\r\n\(tag) OK\r\n"
        case "LOGIN":
            isAuthenticated = true
            return "\(tag) OK [CAPABILITY \(capabilities)] in\r\n"
        case "NOOP": return noise() + "\(tag) OK\r\n"
        case "LOGOUT": return "* BYE\r\n\(tag) OK\r\n"
        case "EXAMINE", "SELECT": return select(tag, words.dropFirst(2).joined(separator: " "), readOnly: name == "EXAMINE")
        case "STATUS": return status(tag, words)
        case "IDLE":
            idleTag = tag
            return noise() + "+ idling\r\n"
        default: return inMailbox(tag, name, words)
        }
    }

    private mutating func select(_ tag: String, _ quoted: String, readOnly: Bool) -> String {
        let name = String(quoted.dropFirst().dropLast())
        selected = nil
        guard let mailbox = mailboxes[name] else { return "\(tag) NO no such mailbox\r\n" }
        selected = name
        isReadOnly = readOnly
        return
            "* \(mailbox.messages.count) EXISTS\r\n\(noise())* OK [UIDVALIDITY \(mailbox.validity)] x\r\n* OK [UIDNEXT \(mailbox.next)] x\r\n"
            + "\(tag) OK [READ-\(readOnly ? "ONLY" : "WRITE")] selected\r\n"
    }

    private mutating func status(_ tag: String, _ words: [String]) -> String {
        let name = String(words[2].dropFirst().dropLast())
        guard let mailbox = mailboxes[name] else { return "\(tag) NO no such mailbox\r\n" }
        if selected == name { offences.append("STATUS of the selected mailbox") }
        var numbers = "MESSAGES \(mailbox.messages.count) UIDNEXT \(mailbox.next) UIDVALIDITY \(mailbox.validity)"
        if let known = frozenStatus?[name] { numbers = known }
        if frozenStatus != nil { frozenStatus?[name] = numbers }
        return noise() + "* STATUS \"\(name)\" (\(numbers))\r\n\(tag) OK\r\n"
    }

    private mutating func inMailbox(_ tag: String, _ name: String, _ words: [String]) -> String {
        guard let selected, let mailbox = mailboxes[selected], words.count > 3 else {
            offences.append("\(name) without mailbox")
            return "\(tag) BAD\r\n"
        }
        if name == "UID SEARCH" { return search(tag, words.dropFirst(3).joined(separator: " "), mailbox) }
        guard let set = UIDSet(parsing: IMAPTests.bytes(words[3])[...]) else {
            offences.append("no set: \(words[3])")
            return "\(tag) BAD\r\n"
        }
        if name == "UID FETCH" { return fetch(tag, set, words.dropFirst(4).joined(separator: " "), mailbox) }
        if isReadOnly { offences.append("\(name) after EXAMINE") }
        let affected = mailbox.messages.map(\.uid).filter { set.contains(uid($0)) }
        for uid in affected where stored[selected]?.contains(uid) != true { offences.append("\(name) of \(uid) before it was stored") }
        switch name {
        case "UID STORE":
            for index in mailbox.messages.indices where set.contains(uid(mailbox.messages[index].uid)) {
                mailboxes[selected]?.messages[index].flags.append(words.last.map { String($0.dropFirst().dropLast()) } ?? "")
            }
        case "UID MOVE", "UID EXPUNGE": mailboxes[selected]?.messages.removeAll { affected.contains($0.uid) }
        case "UID COPY": break
        default: offences.append(name)
        }
        return noise() + "\(tag) OK\r\n"
    }

    private mutating func search(_ tag: String, _ key: String, _ mailbox: Mailbox) -> String {
        var found = mailbox.messages.map(\.uid)
        if key == "UID *" {
            found = Array(found.suffix(1))
        } else if key.hasPrefix("UID "), !key.contains(":") {
            found = found.filter { "UID \($0)" == key }
        } else if key.hasPrefix("UID "), let first = UInt32(key.dropFirst(4).prefix { $0 != ":" }) {
            let new = found.filter { $0 >= first }
            found = new.isEmpty ? Array(found.suffix(1)) : new
        }
        if key == "ALL" || key.contains(":") || key.hasPrefix("SINCE") { found += phantoms }
        if happens(faults.shuffled) { found.shuffle(using: &random) }
        if happens(faults.repeated) { found += found }
        let numbers = found.map { " \($0)" }.joined()
        return noise() + "* SEARCH\(numbers)\(happens(faults.garbage) ? " 0 4294967296" : "")\r\n\(tag) OK\r\n"
    }

    private mutating func fetch(_ tag: String, _ set: UIDSet, _ items: String, _ mailbox: Mailbox) -> String {
        if items.contains("BODY[") { offences.append("FETCH that sets \\Seen") }
        if items.contains("BODY.PEEK"), happens(faults.refusedFetch) { return "\(tag) NO not today\r\n" }
        var lines: [String] = []
        var hits = false
        for message in mailbox.messages where set.contains(uid(message.uid)) && isDenied(message.uid) { hits = true }
        switch denied?.how {
        case .no? where hits: return "\(tag) NO internal server error\r\n"
        case .bad? where hits: return "\(tag) BAD internal server error\r\n"
        case .hangUp? where hits && items.contains("BODY.PEEK"):
            hasHungUp = true
            return ""
        default: break
        }
        for (index, message) in mailbox.messages.enumerated() where set.contains(uid(message.uid)) {
            if happens(faults.omitted) || denied?.how == .silence && isDenied(message.uid) { continue }
            let size = happens(faults.wrongSize) ? 3 : message.bytes.count
            var line = "* \(index + 1) FETCH (UID \(message.uid) FLAGS (\(message.flags.joined(separator: " "))) RFC822.SIZE \(size)"
            if items.contains("BODY.PEEK"), !isDenied(message.uid) { line += " " + body(message, items) }
            line += ")\r\n"
            lines.append(line)
            if happens(faults.repeated) { lines.append(line) }
            if happens(faults.unsolicited) { lines.append("* \(index + 1) FETCH (FLAGS (\\Seen))\r\n") }
            lines.append(noise())
        }
        if happens(faults.shuffled) { lines.shuffle(using: &random) }
        return noise() + lines.joined() + "\(tag) OK\r\n"
    }

    private func isDenied(_ uid: UInt32) -> Bool { denied.map { $0.uids?.contains(uid) ?? true } ?? false }

    private mutating func body(_ message: Message, _ items: String) -> String {
        var bytes = message.bytes
        var origin = ""
        if let start = items.range(of: "<0.") {
            let length = Int(items[start.upperBound...].prefix { $0 != ">" }) ?? 0
            bytes = Array(bytes.prefix(length))
            origin = "<0>"
        }
        return "BODY[]\(origin) {\(bytes.count)}\r\n" + String(decoding: bytes, as: UTF8.self)
    }

    /// Responses nobody asked for.
    private mutating func noise() -> String {
        var text = ""
        if happens(faults.unsolicited), let selected {
            text += "* \(mailboxes[selected]?.messages.count ?? 0) EXISTS\r\n* OK still here\r\n* 1 FETCH (UID 1 FLAGS ())\r\n"
        }
        if happens(faults.garbage) {
            text += "* FETCH (BODY[] {5}\r\nA1 OK))\r\n* 7 FETCH (UID 99999 BODY[] \"never asked for\")\r\nnonsense\r\n"
        }
        return text
    }
}

extension String {
    /// The first place of the text, in bytes that are all ASCII.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
