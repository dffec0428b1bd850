import ArgumentParser
import InternetMessage
import MailClassifier

struct Classify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Say what replies and reports mean, how sure that is, and why. Needs no conf, no database and no network.",
        subcommands: [ClassifyMessages.self, ClassifyEval.self, ClassifyTrain.self], defaultSubcommand: ClassifyMessages.self)
}

/// A tone model other than the one that the binary carries.
struct ToneModelFile: ParsableArguments {
    @Option(help: ArgumentHelp("A tone model that 'classify train' wrote; without it the binary's own.", valueName: "file"))
    var model: String?

    func classifier() throws(Failure) -> Classifier {
        var tone: ToneModel?
        if let model { tone = try ToneModelFiles.read(model) }
        do throws(RuleError) {
            return try Classifier(tone: tone)
        } catch {
            throw Failure(.internalError, error.description)
        }
    }
}

struct ClassifyMessages: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "messages", abstract: "Say what each message means. This is the default.")

    @Flag(help: "One JSON object per line.")
    var json = false
    @OptionGroup var tone: ToneModelFile
    @OptionGroup var input: MessageFiles

    func run() async throws {
        try await reportingFailures {
            let classifier = try tone.classifier()
            try input.each { file, bytes in
                let classification = classifier.classify(Message(parsing: bytes))
                if json {
                    JSONLine.write(ClassificationJSON.value(file: file, classification))
                } else {
                    summarise(file, classification)
                }
            }
        }
    }

    private func summarise(_ file: String, _ found: Classification) {
        var facts: [(String, String?)] = [
            ("file", file), ("class", found.messageClass.rawValue), ("intent", found.intent?.rawValue),
            ("confidence", "\(ClassificationJSON.rounded(found.confidence))"), ("written by", found.automatic ? "a program" : "a person"),
            ("back on", found.returnDate?.iso8601), ("ask again on", found.comeBackDate?.iso8601),
        ]
        for contact in found.referredTo {
            let address = contact.address.map { MessageJSON.address($0) }
            facts.append(("referred to", contact.name.map { name in address.map { "\(name) <\($0)>" } ?? name } ?? address))
        }
        for bounce in found.bounces {
            let words = [
                bounce.recipient.map { MessageJSON.address($0) } ?? "unnamed recipient", bounce.action.rawValue, bounce.status?.text,
                bounce.failureClass.rawValue, bounce.permanent ? "permanent" : "not permanent", bounce.diagnostic,
            ]
            facts.append(("bounce", words.compactMap(\.self).joined(separator: ", ")))
        }
        if let complaint = found.complaint { facts.append(("complaint", complaint.feedbackType)) }
        for evidence in found.evidence { facts.append(("because", "\(evidence.rule) (\(evidence.place)): \(evidence.text)")) }
        FactSheet.write(facts)
        Console.out("")
        Console.out(TerminalText.lines(found.replyText))
    }
}

/// A classification as data for machines: the contract of `classify --json`.
enum ClassificationJSON {
    static func value(file: String, _ found: Classification) -> JSONValue {
        [
            "file": .string(file),
            "class": .string(found.messageClass.rawValue),
            "intent": .text(found.intent?.rawValue),
            "confidence": .number(rounded(found.confidence)),
            "automatic": .bool(found.automatic),
            "reply_text": .string(found.replyText),
            "signature": .text(found.signature),
            "return_date": .text(found.returnDate?.iso8601),
            "come_back_date": .text(found.comeBackDate?.iso8601),
            "referred_to": .array(
                found.referredTo.map { ["name": .text($0.name), "address": .text($0.address.map { MessageJSON.address($0) })] }),
            "evidence": .array(
                found.evidence.map { ["rule": .string($0.rule), "where": .string($0.place), "text": .string($0.text)] }),
            "bounces": .array(found.bounces.map(bounce)),
            "complaint": found.complaint.map(complaint) ?? .null,
        ]
    }

    /// Three digits: more would claim a precision that nobody measured.
    static func rounded(_ confidence: Double) -> Double { (confidence * 1000).rounded() / 1000 }

    private static func bounce(_ bounce: Classification.Bounce) -> JSONValue {
        [
            "recipient": .text(bounce.recipient.map { MessageJSON.address($0) }), "action": .string(bounce.action.rawValue),
            "status": .text(bounce.status?.text), "reply_code": .count(bounce.replyCode), "class": .string(bounce.failureClass.rawValue),
            "scope": .string(bounce.scope.rawValue), "permanent": .bool(bounce.permanent), "diagnostic": .string(bounce.diagnostic),
            "remote_mta": MessageJSON.host(bounce.remoteMTA),
        ]
    }

    private static func complaint(_ complaint: Classification.Complaint) -> JSONValue {
        [
            "type": .string(complaint.feedbackType),
            "original_recipient": .text(complaint.originalRecipients.first.map { MessageJSON.address($0) }),
            "original_message_id": .text(complaint.originalMessageID),
        ]
    }
}
