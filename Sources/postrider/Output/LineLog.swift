import Foundation
import InternetMessage
import Logging
import Mailroom
import Settings

/// Log lines on standard error: in words a mail admin's tools read, or one JSON object each.
struct LineLog: LogHandler {
    let label: String
    let format: LogSettings.Format
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let now = SystemClock().now().iso8601
        // Every message has one: nothing is made for it that it does not show.
        if format == .postfix, event.message.description.utf8.elementsEqual(DeliveryLine.event.utf8) {
            return Console.error("\(now) \(label)/delivery: \(DeliveryLine.text(event.metadata ?? [:]))")
        }
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        switch format {
        case .postfix:
            var line = "\(now) \(label): "
            if event.level >= .warning { line += "\(event.level): " }
            line += event.message.description
            for (index, fact) in all.enumerated() {
                line += index == 0 ? ": " : ", "
                line += fact.key
                line += "="
                line += Self.shown(fact.value.description)
            }
            Console.error(line)
        case .json:
            var object: [String: String] = ["time": now, "level": event.level.rawValue, "message": "\(event.message)"]
            for (key, value) in all { object[key] = "\(value)" }
            if let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]) {
                Console.error(String(decoding: data, as: UTF8.self))
            }
        }
    }

    /// Control characters and commas must not make one line look like two, or one value like another.
    private static func shown(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
        if isPlain { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 32 || scalar.value == 127: text += "\\x\(String(scalar.value, radix: 16))"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
