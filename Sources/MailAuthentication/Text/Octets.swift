/// ASCII by octets; what is not ASCII is of no class.
extension UInt8 {
    /// Space or tab.
    var isBlank: Bool { self == 32 || self == 9 }

    /// Space, tab, CR or LF: white space with folding.
    var isFoldingSpace: Bool { self == 32 || self == 9 || self == 13 || self == 10 }

    var isDigit: Bool { self &- 48 < 10 }

    var isLetter: Bool { (self | 0x20) &- 97 < 26 }

    var isLetterOrDigit: Bool { isDigit || isLetter }

    var lowercased: UInt8 { self &- 65 < 26 ? self | 0x20 : self }
}

extension Collection<UInt8> {
    /// Capital letters of ASCII made small, everything else as it is.
    var lowercased: [UInt8] { map(\.lowercased) }

    /// Whether both are the same but for the case of ASCII letters.
    func equalsIgnoringCase(_ other: some Collection<UInt8>) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.lowercased == $1.lowercased }
    }

    /// Whether this is that ASCII word but for case.
    func isWord(_ word: String) -> Bool { equalsIgnoringCase(word.utf8) }

    var text: String { String(decoding: self, as: UTF8.self) }
}

/// Domain names as authentication compares them: A-labels in lower case, no dot at the end.
enum Domain {
    /// The longest name that DNS carries, in text (RFC 1035 §2.3.4).
    static let longest = 253

    /// The labels of a name; nil when it is none: an empty label, one over 63 octets, or more than 253 in all. One dot may end it.
    static func labels(_ name: some Collection<UInt8>) -> [ArraySlice<UInt8>]? {
        var bytes = Array(name)[...]
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= longest else { return nil }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.allSatisfy { (1...63).contains($0.count) } ? labels : nil
    }

    /// Whether a name of at least two labels of letters, digits, `-` and `_`.
    static func isMailDomain(_ name: some Collection<UInt8>) -> Bool {
        guard let labels = labels(name), labels.count >= 2 else { return false }
        return labels.allSatisfy { $0.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") } }
    }

    /// Whether `name` is `ancestor` or lies below it; both in lower case.
    static func isWithin(_ name: String, _ ancestor: String) -> Bool {
        let name = name.utf8
        let ancestor = ancestor.utf8
        guard name.count > ancestor.count else { return name.elementsEqual(ancestor) }
        return name.suffix(ancestor.count).elementsEqual(ancestor) && Array(name.dropLast(ancestor.count)).last == UInt8(ascii: ".")
    }
}
