internal import Toml

/// What is wrong with a value, and how far inside the value.
struct Complaint: Error, Equatable {
    var message: String
    var remedy: String?
    /// From the key to the element at fault.
    var path: [Int] = []
    /// From the key to the key at fault, for values that are tables.
    var key: String?

    init(_ message: String, _ remedy: String? = nil) {
        self.message = message
        self.remedy = remedy
    }
}

/// Complaints about one value; never empty.
struct Complaints: Error {
    var all: [Complaint]

    init(_ all: [Complaint]) { self.all = all }
    init(_ message: String, _ remedy: String? = nil) { all = [Complaint(message, remedy)] }

    /// Of a text that is set into mail as it is.
    static let openTag = Complaints("'{{' is not filled in here and would stop every message", "write the words themselves")
    /// Of one that knows a single tag.
    static let otherTag = Complaints(
        "no tag but \(ComplianceSettings.wayOutTag) is filled in here, and another would stop every message", "write the words themselves")
}

/// What reading a value may look at besides the value.
struct ReadingContext: Sendable {
    var files: any ConfFiles
    /// The folder of the main conf file; relative paths start here.
    var directory: String

    func absolute(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : "\(directory)/\(path)"
    }
}

/// A kind of value: how it is written, read and shown.
///
/// `read` of what `show` gives is the value again.
struct ConfType<Value: Sendable & Equatable>: Sendable {
    /// The form in words, as in `duration such as "5m"`.
    let form: String
    let read: @Sendable (TomlValue, ReadingContext) -> Result<Value, Complaints>
    /// As TOML.
    let show: @Sendable (Value) -> String

    /// A type written as a string; `parse` gets it free of control characters and not empty.
    static func string(
        _ form: String, show: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (String, ReadingContext) -> Result<Value, Complaints>
    ) -> ConfType {
        ConfType(form: form) { value, context in
            guard case .string(let text) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            guard !text.utf8.isEmpty else {
                return .failure(Complaints("expected \(form), not an empty string", "remove the key to leave it unset"))
            }
            guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
                return .failure(Complaints("control characters are not allowed here"))
            }
            return parse(text, context)
        } show: {
            TomlText.quoted(show($0))
        }
    }
}

/// Values written as TOML.
enum TomlText {
    /// A basic string with everything escaped that must be.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += Array("\\n".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0x00..<0x20, 0x7F: bytes += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    /// A key, quoted where a bare key would not do.
    static func key(_ key: String) -> String {
        let isBare =
            !key.utf8.isEmpty
            && key.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        return isBare ? key : quoted(key)
    }

    /// A table's path, as in `dkim.key."example.com"`.
    static func path(_ keys: [String]) -> String { keys.map(key).joined(separator: ".") }
}
