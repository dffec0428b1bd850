import Foundation
import Testing

@testable import InternetMessage

/// The messages in Fixtures/, and the three line ends a message may come with.
enum Fixture {
    enum LineEnd: CaseIterable {
        case lf, crlf, cr
    }

    struct Missing: Error {
        let name: String
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        guard let url = Bundle.module.url(forResource: name, withExtension: "eml", subdirectory: "Fixtures") else {
            throw Missing(name: name)
        }
        return [UInt8](try Data(contentsOf: url))
    }

    static func bytes(_ name: String, _ end: LineEnd) throws -> [UInt8] {
        let bytes = try bytes(name)
        switch end {
        case .lf: return bytes
        case .cr: return bytes.map { $0 == 10 ? 13 : $0 }
        case .crlf: return bytes.flatMap { $0 == 10 ? [13, 10] : [$0] }
        }
    }

    static let names: [String] = {
        let folder = Bundle.module.resourceURL?.appendingPathComponent("Fixtures").path ?? ""
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".eml") }.map { String($0.dropLast(4)) }.sorted()
    }()
}

/// Reads everything that a message offers, so that a trap anywhere behind an accessor is met.
func touchEverything(_ message: Message) -> Int {
    var count = message.allDefects().count + message.attachments.reduce(0) { $0 + $1.bytes.count }
    count += (message.text?.utf8.count ?? 0) + (message.html.map { HTMLText.plainText($0).utf8.count } ?? 0)
    count += message.from.count + message.to.count + message.cc.count + message.replyTo.count + (message.sender == nil ? 0 : 1)
    count += message.calendarReply == nil ? 0 : 1
    count += message.references.count + message.inReplyTo.count + (message.date == nil ? 0 : 1) + (message.subject?.utf8.count ?? 0)
    for field in message.header.fields { count += field.text.utf8.count + field.value.count }
    for mailbox in message.from { count += mailbox.address.suppressionKey.utf8.count + mailbox.address.wireBytes.count }
    return count + (message.report == nil ? 0 : 1)
}
