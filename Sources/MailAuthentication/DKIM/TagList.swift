/// A tag list of RFC 6376 §3.2: `name=value` between semicolons, with folding white space allowed around each.
struct TagList: Sendable {
    private let tags: [[UInt8]: ArraySlice<UInt8>]

    private static let largest = 16_384
    private static let most = 64

    /// nil when it is not a tag list, names a tag twice, or is larger than any real one.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count <= Self.largest else { return nil }
        var tags: [[UInt8]: ArraySlice<UInt8>] = [:]
        let parts = bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let tag = Self.trimmed(part)
            if tag.isEmpty {
                guard index == parts.count - 1 else { return nil }
                continue
            }
            guard let equals = tag.firstIndex(of: UInt8(ascii: "=")), tags.count < Self.most else { return nil }
            let name = Array(Self.trimmed(tag[..<equals]))
            guard !name.isEmpty, tags.updateValue(Self.trimmed(tag[(equals + 1)...]), forKey: name) == nil else { return nil }
        }
        self.tags = tags
    }

    /// The value without white space around it; nil when the tag is absent.
    subscript(_ name: String) -> ArraySlice<UInt8>? { tags[Array(name.utf8)] }

    /// The value as text; nil when the tag is absent or not UTF-8.
    func text(_ name: String) -> String? { self[name].flatMap { String(validating: $0, as: UTF8.self) } }

    /// The value without any white space, for base 64 and names between colons.
    func compact(_ name: String) -> [UInt8]? { self[name].map { $0.filter { !$0.isFoldingSpace } } }

    /// The names between the colons of a value, without white space; nil when the tag is absent or one is empty.
    func list(_ name: String) -> [[UInt8]]? {
        guard let names = compact(name)?.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(Array.init) else {
            return nil
        }
        return names.contains([]) ? nil : names
    }

    /// A decimal number of at most 12 digits; nil for anything else.
    func number(_ name: String) -> Int64? {
        guard let digits = self[name], !digits.isEmpty, digits.count <= 12 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let start = bytes.firstIndex(where: { !$0.isFoldingSpace }), let end = bytes.lastIndex(where: { !$0.isFoldingSpace }) else {
            return []
        }
        return bytes[start...end]
    }
}
