import ArgumentParser
import Foundation
import InternetMessage
import MailClassifier

/// Messages with what a person says they mean: JSON lines `{"file": "a.eml", "class": "negative", "intent": null}`, file names as seen from the
/// folder of the labels.
struct LabelledMessages: ParsableArguments {
    @Argument(help: ArgumentHelp("JSON lines with a file and its class each; the files lie beside or below it.", valueName: "labels"))
    var labels: [String] = []

    struct Entry: Decodable {
        let file: String
        let `class`: String
        let intent: String?
    }

    /// - Throws: `Failure` naming file and line of what cannot be used.
    func each(_ body: (_ label: Entry, _ messageClass: MessageClass, _ message: Message) throws -> Void) throws {
        for path in labels {
            let folder = URL(filePath: path).deletingLastPathComponent()
            for (number, line) in try Input.file(path).split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
                if line.allSatisfy({ $0 <= 0x20 }) { continue }
                let place = "\(TerminalText.line(path)):\(number + 1)"
                guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) else {
                    throw Failure(.badInput, "\(place): a line is an object with \"file\" and \"class\"")
                }
                guard let messageClass = MessageClass(rawValue: entry.class) else {
                    let known = MessageClass.allCases.map(\.rawValue).joined(separator: " ")
                    throw Failure(.badInput, "\(place): '\(TerminalText.line(entry.class))' is no class; write one of \(known)")
                }
                let file = folder.appending(path: entry.file).path
                try body(entry, messageClass, Message(parsing: try Input.file(file)))
            }
        }
    }
}

struct ClassifyEval: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Compare what the classifier reads with what people say: right and wrong by class.")

    @OptionGroup var tone: ToneModelFile
    @OptionGroup var messages: LabelledMessages

    func validate() throws {
        if messages.labels.isEmpty { throw ValidationError("name a file with labels") }
    }

    func run() async throws {
        try await reportingFailures {
            let classifier = try tone.classifier()
            var table = ConfusionTable()
            try messages.each { _, messageClass, message in table.add(messageClass, classifier.classify(message).messageClass) }
            for line in table.lines { Console.out(line) }
        }
    }
}

extension Classifier {
    /// nil: the model that the binary carries.
    static func with(_ model: ToneModel?) throws(Failure) -> Classifier {
        do throws(RuleError) {
            return try Classifier(tone: model)
        } catch {
            throw Failure(.internalError, error.description)
        }
    }
}

/// What was meant against what was read.
struct ConfusionTable {
    private var counts: [MessageClass: [MessageClass: Int]] = [:]
    private(set) var right = 0
    private(set) var all = 0

    mutating func add(_ meant: MessageClass, _ read: MessageClass) {
        counts[meant, default: [:]][read, default: 0] += 1
        all += 1
        if meant == read { right += 1 }
    }

    /// Right of all, then a line for each class with precision, recall and where the others went.
    var lines: [String] {
        var lines = ["right: \(right) of \(all)"]
        for meant in MessageClass.allCases {
            guard let row = counts[meant] else { continue }
            let hits = row[meant] ?? 0
            let read = counts.values.reduce(0) { $0 + ($1[meant] ?? 0) }
            let elsewhere = row.filter { $0.key != meant }.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
                .map { "\($0.key.rawValue) \($0.value)" }
            let name = meant.rawValue.padding(toLength: 22, withPad: " ", startingAt: 0)
            lines.append(
                "\(name)\(hits) of \(row.values.reduce(0, +)), read as such \(read)\(elsewhere.isEmpty ? "" : "; \(elsewhere.joined(separator: ", "))")"
            )
        }
        return lines
    }
}
