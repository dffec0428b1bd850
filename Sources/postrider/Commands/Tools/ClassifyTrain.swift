import ArgumentParser
import Foundation
import InternetMessage
import MailClassifier
import Mailroom
import Outreach

struct ClassifyTrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Move the binary's tone model towards your own labels, and show the change.",
        discussion: """
            Labels come from files, or with --from-inbox from what 'postrider inbox label' said of replies. They are learnt beside sentences that \
            the binary carries. Every fifth label and every fifth such sentence is kept apart and tells what became better or worse. A model that \
            reads the kept labels worse, or of the sentences more than one in a hundred, is not written without --force.
            [classify] model = "FILE" names the model for 'serve'; send it SIGHUP then.
            """)

    @Option(help: ArgumentHelp("Where the model goes; [classify] model and 'classify --model' read it.", valueName: "file"))
    var out: String
    @Flag(help: "Write the model even where it reads what was kept apart worse.")
    var force = false
    @Flag(help: "Learn from the labels of the inbox; this needs the conf.")
    var fromInbox = false
    @OptionGroup var conf: ConfOption
    @OptionGroup var messages: LabelledMessages

    func validate() throws {
        if fromInbox != messages.labels.isEmpty { throw ValidationError("name files with labels, or --from-inbox") }
    }

    func run() async throws {
        try await reportingFailures {
            let shipped = try Classifier.with(nil)
            var lesson = Lesson()
            if fromInbox {
                try await OpenState.use(conf) { state in
                    for reply in try await state.store.labelledReplies() { lesson.add(reply) }
                }
            } else {
                try messages.each { label, messageClass, message in
                    lesson.add(
                        message, words: shipped.classify(message).replyText, messageClass: messageClass,
                        intent: label.intent.flatMap { Intent(rawValue: $0) })
                }
            }
            try teach(lesson, shipped)
        }
    }

    private func teach(_ lesson: Lesson, _ shipped: Classifier) throws(Failure) {
        guard lesson.learnt.count >= 10, !lesson.kept.isEmpty else {
            throw Failure(
                .badInput,
                "\(lesson.learnt.count + lesson.kept.count) labels of people's own words are too few to learn from; 13 are needed at least")
        }
        let today = CivilDate(OpenState.clock.now(), offsetMinutes: 0)
        let correction: ToneCorrection
        do throws(RuleError) {
            correction = try ToneCorrection(lesson.learnt, from: ToneModel.builtin(), on: today)
        } catch {
            throw Failure(.internalError, error.description)
        }
        let trained = try Classifier.with(correction.model)
        var before = ConfusionTable()
        var after = ConfusionTable()
        for (messageClass, message) in lesson.kept {
            before.add(messageClass, shipped.classify(message).messageClass)
            after.add(messageClass, trained.classify(message).messageClass)
        }
        Console.out(
            "learnt from \(lesson.learnt.count), kept \(lesson.kept.count) apart, left out \(lesson.others) that are no person's words")
        Console.out("before: \(before.right) of \(before.all) right")
        Console.out("after:  \(after.right) of \(after.all) right")
        for line in after.lines { Console.out(line) }
        let (old, new) = (correction.before, correction.after)
        Console.out("built-in sentences that were kept apart: \(old.right) of \(old.all) right before, \(new.right) after")
        if !force {
            if after.right < before.right {
                throw Failure(.badInput, "the new model reads the kept messages worse and was not written; --force writes it all the same")
            }
            if correction.isLoss {
                throw Failure(
                    .badInput,
                    "the new model reads more than one in a hundred of the built-in sentences worse and was not written: labels that contradict "
                        + "each other or the words do that; --force writes it all the same")
            }
        }
        do {
            try Data(correction.model.encoded).write(to: URL(filePath: out), options: .atomic)
        } catch {
            throw Failure(.noPermission, "\(TerminalText.line(out)): cannot be written; check the folder")
        }
    }
}

/// What is learnt from, and what is kept apart to see how well.
private struct Lesson {
    private(set) var learnt: [ToneCorrection.Label] = []
    private(set) var kept: [(class: MessageClass, message: Message)] = []
    /// Labels of what is no person's own words.
    private(set) var others = 0
    private var count = 0

    mutating func add(_ message: @autoclosure () -> Message, words: String, messageClass: MessageClass, intent: Intent?) {
        guard let tone = ToneClass(messageClass, intent: intent), !words.utf8.isEmpty else {
            others += 1
            return
        }
        count += 1
        if count % 5 == 0 { kept.append((messageClass, message())) } else { learnt.append(.init(text: words, tone: tone)) }
    }

    /// The words as they were read when the reply came in: its message may be gone by now.
    mutating func add(_ reply: ReplyRecord) {
        guard let label = reply.label, let messageClass = MessageClass(rawValue: label.rawValue) else { return }
        let words = reply.reading.text
        // A person's label names a class alone; what the reading said within that class stands.
        let intent = reply.reading.replyClass == label ? reply.reading.intent.flatMap { Intent(rawValue: $0) } : nil
        add(
            Message(parsing: Array("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\(words)".utf8)), words: words,
            messageClass: messageClass, intent: intent)
    }
}
