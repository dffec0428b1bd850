/// What one recipient gets instead of a step's own words: fields of the contact named `SEQUENCE.STEP.subject`, `.text` and `.html`.
///
/// They leave as they stand, without tags being filled in; signature and legal bytes are added as to every message.
struct OwnLetter: Sendable, Equatable {
    /// Only where the step has a subject: one that goes on in a thread has that thread's.
    let subject: String?
    let text: String?
    let html: String?

    static let parts = ["subject", "text", "html"]

    /// - Parameter fields: of the contact.
    init(of fields: [String: String], sequence: String, step: String) {
        func field(_ part: String) -> String? { fields[Self.field(part, sequence: sequence, step: step)] }
        subject = field("subject")
        text = field("text")
        html = field("html")
    }

    /// The name of the field that stands for a part of a step.
    static func field(_ part: String, sequence: String, step: String) -> String { "\(sequence).\(step).\(part)" }

    /// Whether it stands for that part of a step; with a text of its own, the step's HTML falls away.
    func replaces(_ part: String) -> Bool {
        switch part {
        case "subject": subject != nil
        case "text": text != nil
        default: html != nil || text != nil
        }
    }

    /// Whether the title of a column names a part of a step.
    static func isFieldName(_ title: String, isName: (Substring.UTF8View) -> Bool) -> Bool {
        let names = title.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard names.count == 3, names[..<2].allSatisfy({ !$0.isEmpty && isName($0) }) else { return false }
        return parts.contains { $0.utf8.elementsEqual(names[2]) }
    }
}
