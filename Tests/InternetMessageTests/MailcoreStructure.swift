import Foundation

@testable import InternetMessage

/// The structure of a message as lines of `path key: value`, from our parser and from the JSON of mailcore2's, in one form.
///
/// Left out on purpose: mailcore2's numbering of parts, its receivedDate (a copy of the date), and the values it makes up where a message
/// has none (its own Message-ID, the last hour of the year 2000).
enum MailcoreStructure {
    private static let madeUpID = "MyMessageID123@mail.gmail.com"
    private static let madeUpDate = "978307200"

    // MARK: What mailcore2 read

    static func expected(_ json: [String: Any]) -> [String] {
        var lines: [String] = []
        expectedHeader(json, "", &lines)
        expectedPart(json["mainPart"] as? [String: Any] ?? [:], "", &lines)
        return lines.sorted()
    }

    private static func expectedHeader(_ json: [String: Any], _ path: String, _ lines: inout [String]) {
        let header = json["header"] as? [String: Any] ?? [:]
        func addresses(_ key: String) {
            let items: [Any]
            if let array = header[key] as? [String: Any], let list = array["items"] as? [Any] {
                items = list
            } else if let one = header[key] {
                items = [one]
            } else {
                return
            }
            for case let item as [String: Any] in items {
                lines.append(address(path, key, item["displayName"] as? String, item["mailbox"] as? String ?? ""))
            }
        }
        for key in ["from", "sender", "to", "cc", "replyTo"] { addresses(key) }
        if let subject = header["subject"] as? String { lines.append("\(path) subject: \(squeezed(subject))") }
        if let id = header["messageID"] as? String, id != madeUpID { lines.append("\(path) id: \(id)") }
        if let date = header["date"] as? String, date != madeUpDate { lines.append("\(path) date: \(date)") }
        for key in ["inReplyTo", "references"] {
            for id in header[key] as? [String] ?? [] { lines.append("\(path) \(key): \(id)") }
        }
        for (name, value) in header["extraHeaders"] as? [String: String] ?? [:] {
            lines.append("\(path) field \(name.lowercased()): \(squeezed(value))")
        }
    }

    private static func expectedPart(_ part: [String: Any], _ path: String, _ lines: inout [String]) {
        switch part["partType"] as? String {
        case "single":
            var line = "\(path) leaf \((part["mimeType"] as? String ?? "").lowercased())"
            for key in ["charset", "filename", "contentID", "contentLocation", "contentDescription"] {
                if let value = part[key] as? String { line += " \(key)=\(squeezed(value))" }
            }
            if part["attachment"] != nil { line += " attachment" }
            if part["inlineAttachment"] != nil { line += " inline" }
            lines.append(line)
        case "message":
            lines.append("\(path) message")
            expectedHeader(part, path + ".m", &lines)
            expectedPart(part["mainPart"] as? [String: Any] ?? [:], path + ".m", &lines)
        case let kind:
            lines.append("\(path) \(kind ?? "nothing")")
            let items = (part["parts"] as? [String: Any])?["items"] as? [[String: Any]] ?? []
            for (number, item) in items.enumerated() { expectedPart(item, "\(path).\(number)", &lines) }
        }
    }

    // MARK: What we read

    /// `fields` are the lines of further fields that are looked at: `path field name`.
    static func actual(_ message: Message, fields: Set<String>) -> [String] {
        var lines: [String] = []
        actualHeader(message.header, "", fields, &lines)
        actualPart(message.root, "", fields, &lines)
        return lines.sorted()
    }

    /// The keys of the lines of further fields in what is expected.
    static func fields(in lines: [String]) -> Set<String> {
        Set(lines.filter { $0.contains(" field ") }.compactMap { line in line.range(of: ": ").map { String(line[..<$0.lowerBound]) } })
    }

    private static func actualHeader(_ header: Header, _ path: String, _ fields: Set<String>, _ lines: inout [String]) {
        for field in header.fields {
            let key = "\(path) field \(field.name.lowercased())"
            if fields.contains(key), !lines.contains(where: { $0.hasPrefix(key + ": ") }) {
                lines.append("\(key): \(squeezed(field.text))")
            }
        }
        for (key, name) in [("from", "From"), ("sender", "Sender"), ("to", "To"), ("cc", "Cc"), ("replyTo", "Reply-To")] {
            let mailboxes = header.all(name).flatMap { AddressList(parsing: $0.rawValue).mailboxes }
            for mailbox in mailboxes.prefix(key == "from" || key == "sender" ? 1 : .max) {
                lines.append(address(path, key, mailbox.displayName, mailbox.address.text))
            }
        }
        if let subject = header.first("Subject")?.text { lines.append("\(path) subject: \(squeezed(subject))") }
        if let id = header.messageID?.text { lines.append("\(path) id: \(id)") }
        if let date = header.first("Date").flatMap({ MessageDate(parsing: $0.rawValue) }) {
            lines.append("\(path) date: \(date.timestamp.seconds)")
        }
        for (key, name) in [("inReplyTo", "In-Reply-To"), ("references", "References")] {
            for field in header.all(name) {
                for id in MessageID.list(parsing: field.rawValue) { lines.append("\(path) \(key): \(id.text)") }
            }
        }
    }

    private static func actualPart(_ part: BodyPart, _ path: String, _ fields: Set<String>, _ lines: inout [String]) {
        if part.mediaType.type == "multipart", part.mediaType.parameters.bytes("boundary") != nil || !part.children.isEmpty {
            let subtype = part.mediaType.subtype
            lines.append("\(path) multipart/\(["alternative", "related", "signed"].contains(subtype) ? subtype : "mixed")")
            for (number, child) in part.children.enumerated() { actualPart(child, "\(path).\(number)", fields, &lines) }
        } else if part.mediaType.type == "message", let inner = part.children.first {
            lines.append("\(path) message")
            actualHeader(inner.header, path + ".m", fields, &lines)
            actualPart(inner, path + ".m", fields, &lines)
        } else {
            var line = "\(path) leaf \(part.mediaType.essence)"
            let facts = [
                ("charset", part.mediaType.charset), ("filename", part.filename), ("contentID", part.contentID),
                ("contentLocation", part.header.first("Content-Location")?.text),
                ("contentDescription", part.header.first("Content-Description")?.text),
            ]
            for (key, value) in facts { if let value { line += " \(key)=\(squeezed(value))" } }
            if part.disposition?.kind == "attachment" { line += " attachment" }
            if part.disposition?.kind == "inline" { line += " inline" }
            lines.append(line)
        }
    }

    // MARK: One form

    private static func address(_ path: String, _ key: String, _ name: String?, _ mailbox: String) -> String {
        "\(path) \(key): \(name.map { squeezed($0) + " " } ?? "")<\(mailbox)>"
    }

    /// Runs of white space as one space.
    static func squeezed(_ text: String) -> String {
        text.unicodeScalars.split { $0.properties.isWhitespace || $0.value == 0 }.map { String($0) }.joined(separator: " ")
    }
}
