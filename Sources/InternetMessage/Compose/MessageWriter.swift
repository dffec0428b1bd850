/// Writes a draft.
struct MessageWriter {
    private let draft: MessageDraft
    private var output: [UInt8] = []

    init(_ draft: MessageDraft) {
        self.draft = draft
    }

    mutating func write() throws(ComposeError) -> [UInt8] {
        output += try FieldWriter.unstructured("Subject", draft.subject).raw
        output += FieldWriter.folded("From", [draft.from.address.wireBytes]).raw
        output += FieldWriter.folded("To", draft.to.map { $0.address.wireBytes }).raw
        output += FieldWriter.folded("Date", [Array(draft.date.formatted.utf8)]).raw
        output += FieldWriter.folded("Message-ID", [[ASCII.less] + draft.messageID.bytes + [ASCII.greater]]).raw
        output += [ASCII.cr, ASCII.lf]
        output += QuotedPrintable.encode(Array(draft.text.utf8)[...])
        return output
    }
}
