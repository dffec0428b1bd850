import Foundation
import InternetMessage

/// Reads every message of a folder: the addresses, subject, date and identifiers of its header, each text part as Unicode text, each
/// other part with its transfer encoding undone. The peers do the same.
enum Parsing {
    /// What was found, so that one sees that the peers did the same work.
    struct Totals {
        var addresses = 0
        var parts = 0
        var textBytes = 0
        var fileBytes = 0
    }

    static func measure(folder: String, seconds: Double) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let messages = try names.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0))) }
        let bytes = messages.reduce(0) { $0 + $1.count }
        var totals = Totals()
        let (rounds, spent) = Stopwatch.repeating(atLeast: seconds) {
            totals = Totals()
            for message in messages { read(message, &totals) }
        }
        return """
            {"messages": \(messages.count * rounds), "bytes": \(bytes * rounds), "seconds": \(spent), "addresses": \(totals.addresses), \
            "parts": \(totals.parts), "textBytes": \(totals.textBytes), "fileBytes": \(totals.fileBytes)}
            """
    }

    static func read(_ bytes: [UInt8], _ totals: inout Totals) {
        let message = Message(parsing: bytes)
        totals.addresses += message.from.count + message.to.count + message.cc.count + message.replyTo.count
        keep(message.subject)
        keep(message.date)
        keep(message.messageID)
        keep(message.inReplyTo)
        keep(message.references)
        var stack = [message.root]
        while let part = stack.popLast() {
            if part.isContainer {
                stack += part.children.reversed()
                continue
            }
            totals.parts += 1
            keep(part.filename)
            keep(part.contentID)
            if part.mediaType.type == "text" {
                totals.textBytes += part.decodedText().text.utf8.count
            } else {
                totals.fileBytes += part.decodedBody().bytes.count
            }
        }
    }

    /// Keeps the optimizer from leaving out what nobody reads.
    @inline(never)
    private static func keep<Value>(_ value: Value) {}
}
