import ArgumentParser
import InternetMessage
import Outreach

struct ContactsSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Give fields of contacts other values, and take them.",
        discussion: "The field 'owner' says who looks after a contact; 'inbox list --owner' lists what came for one.")

    @OptionGroup var conf: ConfOption
    @OptionGroup var choice: ContactChoice
    @Option(help: ArgumentHelp("A field and its value, none to take the field; may be given several times.", valueName: "name=value"))
    var field: [String] = []
    @Flag(help: "One JSON object per contact.") var json = false

    func validate() throws {
        if field.isEmpty { throw ValidationError("say what with --field NAME=VALUE") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let values = try field.map(Self.read)
            try await choice.each(of: state) { contacts in
                let changes = contacts.flatMap { contact in
                    values.map { Consequence.FieldChange(contact: contact.id, name: $0.name, value: $0.value) }
                }
                var verdicts = try await state.store.set(changes, at: state.now())[...]
                for contact in contacts {
                    let changed = zip(values, verdicts.prefix(values.count)).filter(\.1).map(\.0)
                    verdicts = verdicts.dropFirst(values.count)
                    if json {
                        JSONLine.write(["address": .string(contact.address.text), "changed": .texts(changed.map(\.name))])
                        continue
                    }
                    let words = changed.map { $0.value.utf8.isEmpty ? "no \($0.name)" : "\($0.name) is '\($0.value)'" }
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
