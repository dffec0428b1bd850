/// A place in the bytes of an expression, and the words and marks that can stand there.
struct ExpressionScanner {
    let bytes: [UInt8]
    private(set) var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }
    /// nil at the end.
    var next: UInt8? { at < bytes.count ? bytes[at] : nil }
    var isAtQuote: Bool { next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") }

    mutating func skipBlanks() { at = afterBlanks(at) }

    func afterBlanks(_ place: Int) -> Int {
        bytes[place...].firstIndex { $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 } ?? bytes.count
    }

    /// Takes a mark such as `(` or `<=`; blanks may stand before it.
    mutating func take(_ mark: String) -> Bool {
        skipBlanks()
        let end = at + mark.utf8.count
        guard end <= bytes.count, bytes[at..<end].elementsEqual(mark.utf8) else { return false }
        at = end
        return true
    }

    /// Takes a word such as `and` where nothing goes on behind it; blanks may stand before it.
    mutating func takeWord(_ word: String) -> Bool {
        skipBlanks()
        let start = at
        guard take(word) else { return false }
        guard at == bytes.count || !Self.isBare(bytes[at]) else {
            at = start
            return false
        }
        return true
    }

    /// Takes one octet where it stands right here.
    mutating func takeHere(_ octets: [UInt8]) -> Bool {
        guard let next, octets.contains(next) else { return false }
        at += 1
        return true
    }

    /// The octets from here on for which that holds.
    mutating func run(while isPart: (UInt8) -> Bool) -> String {
        let start = at
        while at < bytes.count, isPart(bytes[at]) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    /// A name: letters, digits, `_` and `-`; empty where none stands.
    mutating func word() -> String { run(while: Self.isLetter) }

    /// A text in either kind of quotes; nil where none begins.
    mutating func quoted() throws(ExpressionFault) -> String? {
        guard isAtQuote, let quote = next else { return nil }
        guard let end = bytes[(at + 1)...].firstIndex(of: quote) else {
            throw fault("a text is opened with \(Character(Unicode.Scalar(quote))) and never closed")
        }
        let text = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
        at = end + 1
        return text
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    /// What texts without quotes are made of.
    static func isBare(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte >= 0x80 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "/")
    }

    /// ASCII letters in lower case, as texts are compared.
    static func folded(_ text: String) -> [UInt8] { text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }

    // MARK: Faults

    /// What stands here, for a message.
    var rest: String { at < bytes.count ? String(decoding: bytes[at...].prefix(20), as: UTF8.self) : "the end" }

    func column(_ place: Int) -> Int { bytes[..<min(place, bytes.count)].count { $0 & 0xC0 != 0x80 } + 1 }

    func fault(_ message: String, at place: Int? = nil) -> ExpressionFault {
        ExpressionFault(column: column(place ?? at), message: message)
    }
}
