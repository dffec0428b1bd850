/// A mark in which some program writes a field, left where a value should stand: `[FIRST NAME]`, `%%name%%`, `*|FNAME|*`, `${x}`, ...
///
/// Whatever is put into a letter is looked through before it leaves, and what an author writes when a file is checked, by the same shapes.
enum FieldMark {
    private struct Shape: Sendable {
        let open: [UInt8]
        let close: [UInt8]
        /// Fewest octets between the two.
        let least: Int
        /// Stands for text where it is doubled, as `{{` and `[[` of our own templates are.
        let isSingle: Bool
        /// Holds code, which may begin with a blank.
        let isCode: Bool
        let isName: @Sendable (UInt8) -> Bool

        init(
            _ open: String, _ close: String, least: Int, isSingle: Bool = false, isCode: Bool = false,
            isName: @escaping @Sendable (UInt8) -> Bool
        ) {
            (self.open, self.close) = (Array(open.utf8), Array(close.utf8))
            self.least = least
            self.isSingle = isSingle
            self.isCode = isCode
            self.isName = isName
        }
    }

    private static let longest = 60

    /// The first that fits at a place is taken.
    private static let shapes: [Shape] = [
        Shape("{%", "%}", least: 1, isCode: true) { $0 >= 32 && $0 != UInt8(ascii: "%") },
        Shape("<%", "%>", least: 1, isCode: true) { $0 >= 32 && $0 != UInt8(ascii: "%") },
        Shape("${", "}", least: 1, isName: isPath), Shape("*|", "|*", least: 1, isName: isPath),
        Shape("%%", "%%", least: 2, isName: isWord), Shape("@@", "@@", least: 2, isName: isWord),
        Shape("[[", "]]", least: 3, isName: isCapital),
        Shape("%", "%", least: 3, isSingle: true, isName: isCapital), Shape("[", "]", least: 3, isSingle: true, isName: isCapital),
        Shape("{", "}", least: 3, isSingle: true) { isLetter($0) || $0 == UInt8(ascii: "_") || $0 == 32 },
    ]

    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 97 && byte | 0x20 <= 122 }
    private static func isCapital(_ byte: UInt8) -> Bool { byte >= 65 && byte <= 90 || byte == UInt8(ascii: "_") || byte == 32 }
    private static func isWord(_ byte: UInt8) -> Bool { ExpressionScanner.isLetter(byte) || byte == UInt8(ascii: ".") || byte == 32 }
    private static func isPath(_ byte: UInt8) -> Bool { isWord(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "|") }

    /// The first in what is put in for a field; nil: it is a value.
    ///
    /// People and firms do have names like `Acme [USA]`: in single brackets only the usual names of fields count.
    static func first(inValue text: String) -> String? {
        all(in: Array(text.utf8), isTemplate: false).first { mark in
            let bytes = Array(mark.utf8)
            let isSingle = bytes.count > 1 && "[{%".utf8.contains(bytes[0]) && isLetter(bytes[1])
            return !isSingle || words(of: bytes).contains { usual.contains($0) }
        }
    }

    private static func words(of mark: [UInt8]) -> [String] {
        mark.split { !isLetter($0) }.map { String(decoding: $0.map { $0 | 0x20 }, as: UTF8.self) }
    }

    /// Words that names of fields are made of.
    private static let usual: Set<String> = [
        "name", "first", "last", "fname", "lname", "firstname", "lastname", "fullname", "surname", "company", "firm", "organization",
        "organisation", "email", "mail", "title", "salutation", "greeting", "city", "country", "state", "street", "phone", "job",
        "position", "role", "website", "domain", "url", "link", "date", "day", "amount", "price", "product", "insert", "your", "field",
        "placeholder",
        "variable", "value", "contact", "recipient", "sender", "signature", "vorname", "nachname", "anrede", "firma", "ort", "datum",
        "prenom", "nom", "societe", "nombre", "apellido", "empresa", "azienda", "cognome",
    ]

    /// Each mark of a text once, in the order in which they stand there.
    ///
    /// - Parameter isTemplate: it is one of ours, in which `{{` begins a tag; else nothing filled in what stands there.
    static func all(in bytes: [UInt8], isTemplate: Bool) -> [String] {
        var marks: [String] = []
        var at = 0
        while at < bytes.count {
            guard let end = end(in: bytes, from: at, isTemplate: isTemplate) else {
                // Doubled, a mark stands for itself or for something of ours.
                let byte = bytes[at]
                let isBracket = [UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "%")].contains(byte)
                at += 1
                if isBracket, at < bytes.count, bytes[at] == byte { while at < bytes.count, bytes[at] == byte { at += 1 } }
                continue
            }
            let mark = String(decoding: bytes[at..<end], as: UTF8.self)
            if !marks.contains(where: { $0.utf8.elementsEqual(mark.utf8) }) { marks.append(mark) }
            at = end
        }
        return marks
    }

    /// Where the mark ends that begins here; nil: none does.
    private static func end(in bytes: [UInt8], from start: Int, isTemplate: Bool) -> Int? {
        guard "{<$*%@[".utf8.contains(bytes[start]) else { return nil }
        if !isTemplate, bytes[start...].starts(with: "{{".utf8) {
            let near = Array(bytes[start...].prefix(longest))
            if let close = TemplateScanner.find("}}", in: near, from: 2) { return start + close + 2 }
            return start + (near.dropFirst(2).firstIndex { $0 <= 32 } ?? near.count)
        }
        for shape in shapes where bytes[start...].starts(with: shape.open) {
            let inside = start + shape.open.count
            guard inside < bytes.count, !shape.isSingle || bytes[inside] != bytes[start] else { continue }
            var close = inside
            while close < bytes.count, close - inside <= longest, shape.isName(bytes[close]), !bytes[close...].starts(with: shape.close) {
                close += 1
            }
            guard bytes[close...].starts(with: shape.close), close - inside >= shape.least, shape.isCode || bytes[inside] != 32,
                bytes[inside..<close].contains(where: isLetter)
            else { continue }
            return close + shape.close.count
        }
        return nil
    }
}
