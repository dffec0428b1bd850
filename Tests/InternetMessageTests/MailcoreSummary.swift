import Foundation

@testable import InternetMessage

/// What a person sees of a message, from our parser and from mailcore2's plain rendering, reduced to what a difference in layout cannot
/// change: the facts of the header, the names and sizes of attachments, and the letters of the text.
struct MailcoreSummary {
    var facts: [String: String] = [:]
    var files: [(name: String, size: Double)] = []
    var letters: String

    /// Reads one of the expected renderings.
    init(rendering: String) {
        var lines = rendering.components(separatedBy: "\n")
        while let line = lines.first, !line.isEmpty {
            if let fact = Self.fact(line) { facts[fact.0] = fact.1 }
            lines.removeFirst()
        }
        for line in lines { if let file = Self.file(line) { files.append(file) } }
        let text = lines.filter { Self.file($0) == nil && Self.fact($0) == nil }.joined(separator: "\n")
        letters = Self.letters(text)
    }

    /// What our parser reads; `html` chooses the text made from HTML where there is HTML.
    init(_ message: Message, html: Bool) {
        func people(_ mailboxes: [Mailbox]) -> String {
            mailboxes.map { "\($0.displayName ?? "") <\($0.address.text)>" }.joined(separator: ", ")
        }
        for (name, value) in [
            ("From", people(message.from)), ("To", people(message.to)), ("Cc", people(message.cc)), ("Subject", message.subject ?? ""),
        ] where !value.isEmpty { facts[name] = Self.reduced(value) }
        facts["Date"] = message.date.map { String($0.timestamp.seconds) }
        var text = (html ? message.html.map(HTMLText.plainText) : message.text) ?? ""
        for part in Self.innerMessages(message.root) { text += "\n" + (MessageContent(part).text ?? "") }
        let kept = text.components(separatedBy: "\n").filter { Self.fact($0) == nil && Self.file($0) == nil }
        letters = Self.letters(kept.joined(separator: "\n"))
        files = message.attachments.map { ($0.filename ?? "Untitled", Double($0.bytes.count)) }
    }

    private static func innerMessages(_ root: BodyPart) -> [BodyPart] {
        root.children.flatMap { child in
            (child.mediaType.type == "message" ? child.children : []) + (child.mediaType.type == "multipart" ? innerMessages(child) : [])
        }
    }

    /// What of `self`, the rendering, is not in ours.
    func differences(from ours: MailcoreSummary) -> [String] {
        var found: [String] = []
        for (name, value) in facts where ours.facts[name] ?? "" != value { found.append("\(name): \(value) / \(ours.facts[name] ?? "")") }
        for file in files where !ours.files.contains(where: { $0.name == file.name && abs($0.size - file.size) <= file.size / 20 }) {
            found.append("file \(file)")
        }
        if letters != ours.letters { found.append("text") }
        return found
    }

    // MARK: One form

    /// A line of the header as mailcore2 prints it: its own words for nothing count as nothing, a made-up date too.
    private static func fact(_ line: String) -> (String, String)? {
        for name in ["From", "To", "Cc", "Bcc", "Subject", "Date"] where line.hasPrefix(name + ": ") {
            let value = String(line.dropFirst(name.count + 2))
            if name == "Date" { return (name, seconds(value)) }
            if name == "Bcc" || value == "Undisclosed recipient" || value == "No Subject" { return (name, "") }
            return (name, reduced(EncodedWord.decode(Array(value.utf8))))
        }
        return nil
    }

    /// "December 1, 2014 at 2:59:42 PM PST" as seconds, as its own words would be read in a Date field.
    private static func seconds(_ value: String) -> String {
        guard value != "December 31, 2000 at 4:00:00 PM PST", let date = MessageDate(value) else { return "" }
        return String(date.timestamp.seconds)
    }

    private static let units: [String: Double] = ["bytes": 1, "KB": 1024, "MB": 1_048_576]

    private static func file(_ line: String) -> (name: String, size: Double)? {
        guard line.hasPrefix("- "), let comma = line.range(of: ", ", options: .backwards) else { return nil }
        let words = line[comma.upperBound...].split(separator: " ")
        guard words.count == 2, let number = Double(words[0]), let unit = units[String(words[1])] else {
            return nil
        }
        return (String(line[..<comma.lowerBound].dropFirst(2)), number * unit)
    }

    /// Without marks of answering, which mailcore2 takes off, and without the marks around addresses.
    private static func reduced(_ text: String) -> String {
        var text = text
        for mark in ["Re:", "RE:", "Fwd:"] where text.hasPrefix(mark) { text = String(text.dropFirst(mark.count)) }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.filter { !$0.properties.isWhitespace && !#"<>""#.unicodeScalars.contains($0) }))
    }

    /// The letters of the words that are no addresses or links, which one rendering repeats and the other does not. Digits are left out
    /// because lists are numbered by one and not by the other.
    private static func letters(_ text: String) -> String {
        let words = text.components(separatedBy: .whitespacesAndNewlines)
        let marks = ["@", "//", "mailto:", "%40", "(#", "<#"]
        let kept = words.filter { word in !marks.contains { word.contains($0) } }.joined()
        return String(String.UnicodeScalarView(kept.unicodeScalars.filter { $0.properties.isAlphabetic }))
    }
}
