internal import Toml

/// A typed section of the conf; the values of a fresh one are the defaults.
protocol ConfSection: Sendable {
    /// `name` is the last part of the section's header when it is a named one, else it is empty.
    init(name: String)

    static var fields: [Field<Self>] { get }
}

/// One key of a section: the single place that says how it is named, read, shown and explained.
struct Field<Section: ConfSection>: Sendable {
    let name: String
    let form: String
    let doc: String
    let isRequired: Bool
    let apply: @Sendable (TomlValue, inout Section, ReadingContext) -> [Complaint]
    /// The value as TOML, nil when unset.
    let text: @Sendable (Section) -> String?
    let isDefault: @Sendable (Section) -> Bool

    /// A key with a default, or one that must be given.
    init<Value>(
        _ name: String, _ path: any WritableKeyPath<Section, Value> & Sendable, _ type: ConfType<Value>, required: Bool = false,
        _ doc: String
    ) {
        self.name = name
        self.form = type.form
        self.doc = doc
        self.isRequired = required
        self.apply = { value, section, context in
            switch type.read(value, context) {
            case .success(let read):
                section[keyPath: path] = read
                return []
            case .failure(let faults): return faults.all
            }
        }
        self.text = { type.show($0[keyPath: path]) }
        self.isDefault = { !required && $0[keyPath: path] == Section(name: "")[keyPath: path] }
    }

    /// A key that may stay unset.
    init<Value>(_ name: String, _ path: any WritableKeyPath<Section, Value?> & Sendable, _ type: ConfType<Value>, _ doc: String) {
        self.name = name
        self.form = type.form
        self.doc = doc
        self.isRequired = false
        self.apply = { value, section, context in
            switch type.read(value, context) {
            case .success(let read):
                section[keyPath: path] = read
                return []
            case .failure(let faults): return faults.all
            }
        }
        self.text = { $0[keyPath: path].map(type.show) }
        self.isDefault = { $0[keyPath: path] == nil }
    }
}

extension ConfType where Value: ConfSection {
    /// A section written as the value of a key, as in `auth = { user = "..." }`.
    static func table(_ form: String) -> ConfType {
        ConfType(form: form) { value, context in
            guard case .table(let table) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            var section = Value(name: "")
            var complaints: [Complaint] = []
            for entry in table.entries {
                guard let field = Value.fields.first(where: { $0.name.utf8.elementsEqual(entry.key.utf8) }) else {
                    var complaint = UnknownKey.complaint(entry.key, in: nil, known: Value.fields.map(\.name))
                    complaint.key = entry.key
                    complaints.append(complaint)
                    continue
                }
                complaints += field.apply(entry.value, &section, context).map { complaint in
                    var complaint = complaint
                    complaint.key = entry.key
                    complaint.message = "\(entry.key): \(complaint.message)"
                    return complaint
                }
            }
            for field in Value.fields where field.isRequired && table[field.name] == nil {
                complaints.append(Complaint("'\(field.name)' is missing here", "write \(form)"))
            }
            return complaints.isEmpty ? .success(section) : .failure(Complaints(complaints))
        } show: { section in
            let pairs = Value.fields.filter { !$0.isDefault(section) }.compactMap { field in
                field.text(section).map { "\(field.name) = \($0)" }
            }
            return "{ \(pairs.joined(separator: ", ")) }"
        }
    }
}

/// What to say about a key that no section knows.
enum UnknownKey {
    // A secret written into the conf must not come back in a message, so values are never quoted here.
    private static let secrets = ["password", "passwd", "pass", "secret", "token", "key", "private_key", "client_secret"]

    static func complaint(_ key: String, in section: String?, known: [String]) -> Complaint {
        let place = section.map { " in [\($0)]" } ?? " in this table"
        let secretFile = known.first { $0.utf8.elementsEqual("\(key)_file".utf8) }
        let remedy =
            if let secretFile, secrets.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
                "secrets stand in files of their own: use '\(secretFile)'"
            } else if let nearest = Suggestion.nearest(to: key, among: known) {
                "did you mean '\(nearest)'?"
            } else if known.isEmpty {
                "remove it"
            } else {
                "known here: \(known.joined(separator: ", "))"
            }
        return Complaint("unknown key '\(printable(key))'\(place)", remedy)
    }

    static func printable(_ key: String) -> String {
        String(decoding: key.utf8.prefix(80).map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    }
}
