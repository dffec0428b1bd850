/// A message disposition notification (RFC 8098): a read receipt, most of the time.
package struct DispositionReport: Sendable, Hashable {
    /// The Disposition field on one line, for example `manual-action/MDN-sent-manually; displayed`.
    package var disposition: String
    /// Final-Recipient without its type; nil when absent.
    package var finalRecipient: String?
    /// Original-Recipient without its type; nil when absent.
    package var originalRecipient: String?
    /// Original-Message-ID; nil when absent.
    package var originalMessageID: MessageID?
    /// The program that reports, as it names itself; nil when absent.
    package var reportingUserAgent: String?
    /// The gateway that made the report from a foreign one, without its type; nil when absent.
    package var gateway: String?
    /// The texts of the Error fields, in order.
    package var errors: [String] = []
    /// The texts of the Failure and Warning fields of RFC 3798, in order.
    package var warnings: [String] = []

    /// A report with its disposition, the other facts unset.
    package init(disposition: String) {
        self.disposition = disposition
    }

    /// How the action came about, in lower case: `manual-action` or `automatic-action`; nil when the field does not say.
    package var actionMode: String? { modes.first ?? nil }

    /// How the report came to be sent, in lower case: `mdn-sent-manually` or `mdn-sent-automatically`; nil when the field does not say.
    package var sendingMode: String? { modes.count > 1 ? modes[1] : nil }

    /// What became of the message, in lower case: `displayed`, `deleted`, `dispatched`, `processed`, or another word; nil when the
    /// field does not say.
    package var dispositionType: String? {
        Self.words(halves.type, separator: ASCII.slash).first.flatMap { Self.words($0[...], separator: ASCII.comma).first?.utf8Text }
    }

    /// What is said behind the type, in lower case: `error`, `expired` and others.
    package var modifiers: [String] {
        guard let slash = halves.type.firstIndex(where: { $0 == ASCII.slash || $0 == ASCII.comma }) else { return [] }
        return Self.words(halves.type[(slash + 1)...], separator: ASCII.comma).map(\.utf8Text)
    }

    private var modes: [String] { Self.words(halves.modes, separator: ASCII.slash).map(\.utf8Text) }

    private var halves: (modes: ArraySlice<UInt8>, type: ArraySlice<UInt8>) {
        let bytes = Array(disposition.utf8)[...]
        guard let semicolon = bytes.firstIndex(of: ASCII.semicolon) else { return (bytes, []) }
        return (bytes[..<semicolon], bytes[(semicolon + 1)...])
    }

    /// The words between separators in lower case, each up to white space or a parenthesis.
    private static func words(_ bytes: ArraySlice<UInt8>, separator: UInt8) -> [[UInt8]] {
        bytes.split(separator: separator).prefix(20).compactMap { piece in
            let word = piece.trimmed.prefix { !$0.isWhitespace && $0 != ASCII.openParen }
            return word.isEmpty ? nil : word.asciiLowercased
        }
    }

    /// Nil when the required Disposition is missing.
    init?(_ fields: ReportFields) {
        let all = fields.groups.flatMap { $0 }
        guard let disposition = all.first(where: { $0.name.matches("disposition") }) else { return nil }
        self.init(disposition: disposition.text)
        for field in all {
            switch field.name.utf8Text {
            case "final-recipient": finalRecipient = finalRecipient ?? field.address
            case "original-recipient": originalRecipient = originalRecipient ?? field.address
            case "original-message-id": originalMessageID = originalMessageID ?? MessageID.list(parsing: field.value[...]).first
            case "reporting-ua": reportingUserAgent = reportingUserAgent ?? field.text
            case "mdn-gateway": gateway = gateway ?? field.untypedText
            case "error": errors.append(field.text)
            case "failure", "warning": warnings.append(field.text)
            default: break
            }
        }
    }
}
