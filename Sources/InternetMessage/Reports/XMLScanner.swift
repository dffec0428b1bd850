/// A bounded pull reader for the XML of DMARC reports: elements and text, nothing else.
///
/// There are no entities but the five of XML and character numbers; a document type declaration ends the reading, so nothing can expand.
/// Attributes, comments and processing instructions are passed over, namespaces dropped. Nesting is counted, the text of one element is
/// cut at a limit, and every byte is looked at once.
struct XMLScanner {
    enum Event: Equatable {
        /// The local name in lower case.
        case start([UInt8])
        /// The name that was given at the start.
        case end([UInt8])
        case text([UInt8])
    }

    /// Whether the reading ended because of a fault or a limit and not at the end of the document.
    private(set) var isBroken = false

    private let bytes: [UInt8]
    private let limits: ReportLimits
    private var i = 0
    private var open: [[UInt8]] = []
    private var count = 0
    private var pendingEnd = false
    private var sawRoot = false

    init(_ bytes: ArraySlice<UInt8>, limits: ReportLimits = .default) {
        self.bytes = Self.asUTF8(bytes)
        self.limits = limits
    }

    /// The next event; nil at the end and after a fault.
    mutating func next() -> Event? {
        if pendingEnd {
            pendingEnd = false
            return open.popLast().map(Event.end)
        }
        while i < bytes.count, !isBroken {
            if bytes[i] != ASCII.less {
                let text = readText()
                if !open.isEmpty, text.contains(where: { !$0.isWhitespace }) { return .text(text) }
                continue
            }
            guard i + 1 < bytes.count else { break }
            switch bytes[i + 1] {
            case 0x21:
                if starts("<!--") {
                    skip(past: "-->")
                } else if starts("<![CDATA[") {
                    i += 9
                    let start = i
                    skip(past: "]]>")
                    if !isBroken, !open.isEmpty { return .text(Array(bytes[start..<(i - 3)].prefix(limits.textBytes))) }
                } else {
                    isBroken = true
                }
            case ASCII.question: skip(past: "?>")
            case ASCII.slash: return readEnd()
            default: return readStart()
            }
        }
        if !open.isEmpty || !sawRoot { isBroken = true }
        return nil
    }

    // MARK: Markup

    private mutating func readStart() -> Event? {
        let nameStart = i + 1
        var j = nameStart
        while j < bytes.count, !bytes[j].isWhitespace, bytes[j] != ASCII.greater, bytes[j] != ASCII.slash, bytes[j] != ASCII.less { j += 1 }
        let name = Self.localName(bytes[nameStart..<j])
        count += 1
        guard !name.isEmpty, open.count < limits.depth, count <= limits.elements, !(open.isEmpty && sawRoot) else { return fault() }
        var quote: UInt8?
        while j < bytes.count {
            let byte = bytes[j]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == ASCII.quote || byte == ASCII.apostrophe {
                quote = byte
            } else if byte == ASCII.greater {
                break
            }
            j += 1
        }
        guard j < bytes.count else { return fault() }
        pendingEnd = bytes[j - 1] == ASCII.slash
        i = j + 1
        sawRoot = true
        open.append(name)
        return .start(name)
    }

    private mutating func readEnd() -> Event? {
        guard let close = bytes[...].index(of: ASCII.greater, from: i), let name = open.last,
            Self.localName(bytes[(i + 2)..<close].trimmed) == name
        else { return fault() }
        i = close + 1
        open.removeLast()
        return .end(name)
    }

    private mutating func fault() -> Event? {
        isBroken = true
        return nil
    }

    private func starts(_ text: String) -> Bool { bytes[i...].starts(with: text.utf8) }

    private mutating func skip(past mark: String) {
        let mark = Array(mark.utf8)
        guard let at = bytes[...].index(of: mark, from: i) else {
            isBroken = true
            return
        }
        i = at + mark.count
    }

    private static func localName(_ name: ArraySlice<UInt8>) -> [UInt8] {
        let local = name.lastIndex(of: ASCII.colon).map { name[($0 + 1)...] } ?? name
        return local.count <= 100 ? local.asciiLowercased : []
    }

    // MARK: Text

    private mutating func readText() -> [UInt8] {
        var text: [UInt8] = []
        while i < bytes.count, bytes[i] != ASCII.less {
            if bytes[i] == 0x26, let (scalar, end) = reference(at: i) {
                if text.count < limits.textBytes { text += Array(String(scalar).utf8) }
                i = end
            } else {
                if text.count < limits.textBytes { text.append(bytes[i]) }
                i += 1
            }
        }
        return text
    }

    private static let entities: [(name: [UInt8], scalar: Unicode.Scalar)] = [
        (Array("amp".utf8), "&"), (Array("lt".utf8), "<"), (Array("gt".utf8), ">"), (Array("quot".utf8), "\""), (Array("apos".utf8), "'"),
    ]

    private func reference(at start: Int) -> (Unicode.Scalar, Int)? {
        let window = bytes[(start + 1)..<min(bytes.count, start + 12)]
        guard let end = window.firstIndex(of: ASCII.semicolon) else { return nil }
        let name = window[..<end]
        if let known = Self.entities.first(where: { name.elementsEqual($0.name) }) { return (known.scalar, end + 1) }
        guard name.first == 0x23 else { return nil }
        let digits = name.dropFirst()
        let value: UInt32? =
            digits.first.map { $0 | 0x20 } == 0x78 ? UInt32(digits.dropFirst().utf8Text, radix: 16) : UInt32(digits.utf8Text, radix: 10)
        guard let scalar = value.flatMap(Unicode.Scalar.init), scalar.value >= 0x20 || scalar.value == 9 || scalar.value == 10 else {
            return nil
        }
        return (scalar, end + 1)
    }

    // MARK: Encoding

    private static func asUTF8(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return Array(bytes.dropFirst(3)) }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0x3C, 0x00]) {
            return Array(Charset.decode(bytes.first == 0xFF ? bytes.dropFirst(2) : bytes, label: "utf-16le").utf8)
        }
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0x00, 0x3C]) {
            return Array(Charset.decode(bytes.first == 0xFE ? bytes.dropFirst(2) : bytes, label: "utf-16be").utf8)
        }
        let head = Array(bytes.prefix(200).asciiLowercased)
        guard head.starts(with: Array("<?xml".utf8)), let at = head[...].index(of: Array("encoding=".utf8), from: 0) else {
            return Array(bytes)
        }
        let label = head[(at + 9)...].drop { $0 == ASCII.quote || $0 == ASCII.apostrophe }
            .prefix { $0.isLetter || $0.isDigit || $0 == ASCII.hyphen || $0 == ASCII.underscore }
        // What calls itself UTF-16 here and could be read so far is not UTF-16.
        if label.matches("utf-8") || label.hasPrefix(ignoringCase: "utf-16") || UTF8Check.isValid(bytes) { return Array(bytes) }
        return Array(Charset.decode(bytes, label: label.utf8Text).utf8)
    }
}
