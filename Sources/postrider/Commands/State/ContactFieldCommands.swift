import ArgumentParser
import InternetMessage
import Outreach

struct ContactsSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Give fields and the consent of contacts other values, and take them.",
        discussion: """
            The field 'owner' says who looks after a contact; 'inbox list --owner' lists what came for one. Another source of a consent takes the \
            date away that was known of the one before, unless --consent-date is given with it.
            """)

    @OptionGroup var conf: StateOption
    @OptionGroup var choice: ContactChoice
    @Option(help: ArgumentHelp("A field and its value, none to take the field; may be given several times.", valueName: "name=value"))
    var field: [String] = []
    @Option(help: ArgumentHelp("Where the right to write to them comes from.", valueName: "words")) var consentSource: String?
    @Option(help: ArgumentHelp("When it was given: 2026-03-01, or with a time.", valueName: "date")) var consentDate: String?
    @Flag(help: "Nothing is known of their consent any more.") var noConsent = false
    @Flag(help: "One JSON object per contact.") var json = false

    func validate() throws {
        let saysConsent = consentSource != nil || consentDate != nil
        if field.isEmpty, !saysConsent, !noConsent {
            throw ValidationError("say what with --field NAME=VALUE, --consent-source, --consent-date or --no-consent")
        }
        if noConsent, saysConsent { throw ValidationError("--no-consent takes what --consent-source and --consent-date say") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let values = try field.map(Self.read)
            let given = try ConsentWords.read(source: consentSource, date: consentDate, now: state.now())
            let saysConsent = noConsent || !given.isEmpty
            let consentWords = noConsent ? "no consent" : "consent is '\(given.words ?? "")'"
            try await choice.each(of: state) { contacts in
                let changes = contacts.flatMap { contact in
                    values.map { Consequence.FieldChange(contact: contact.id, name: $0.name, value: $0.value) }
                }
                var verdicts = try await state.store.set(changes, at: state.now())[...]
                let consents = saysConsent ? contacts.map { Consent.Change(contact: $0.id, given: noConsent ? nil : given) } : []
                var consented = try await state.store.setConsent(consents, at: state.now())[...]
                for contact in contacts {
                    let isConsentChanged = consented.popFirst() ?? false
                    let changed = zip(values, verdicts.prefix(values.count)).filter(\.1).map(\.0)
                    verdicts = verdicts.dropFirst(values.count)
                    if json {
                        JSONLine.write([
                            "address": .string(contact.address.text),
                            "changed": .texts(changed.map(\.name) + (isConsentChanged ? ["consent"] : [])),
                        ])
                        continue
                    }
                    var words = changed.map { $0.value.utf8.isEmpty ? "no \($0.name)" : "\($0.name) is '\($0.value)'" }
                    if isConsentChanged { words.append(consentWords) }
                    let line = words.isEmpty ? "nothing changed" : words.joined(separator: ", ")
                    Console.out(TerminalText.line("\(contact.address.text): \(line)"))
                }
            }
        }
    }

    private static func read(_ text: String) throws -> (name: String, value: String) {
        let bytes = Array(text.utf8)
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
            throw Failure(.usage, "'\(TerminalText.line(text))' is no field with a value; write NAME=VALUE")
        }
        let name = String(decoding: bytes[..<equals], as: UTF8.self)
        if let fault = ContactColumns.fault(ofField: name) { throw Failure(.usage, TerminalText.line(fault)) }
        return (name, String(decoding: bytes[(equals + 1)...], as: UTF8.self))
    }
}

/// What options say of a consent.
enum ConsentWords {
    static func read(source: String?, date: String?, now: Timestamp) throws(Failure) -> Consent {
        var consent = Consent()
        if let source {
            let text = CSVCell.trimmed(source)
            if text.utf8.isEmpty {
                throw Failure(.usage, "--consent-source says nothing; leave it out, or take a consent with 'contacts set --no-consent'")
            }
            if let fault = Consent.fault(ofSource: text) { throw Failure(.usage, "--consent-source: \(fault)") }
            consent.source = text
        }
        if let date {
            switch Consent.readDate(date, now: now) {
            case .moment(let moment): consent.at = moment
            case .wrong(let why): throw Failure(.usage, "--consent-date: \(TerminalText.line(why))")
            }
        }
        return consent
    }
}
