import Embedded
import Toml

/// A TOML file of rules with the lines of what stands in it.
struct RuleFile {
    /// How evidence names the file: `builtin:classify/en.toml`, or the path of a file of the installation.
    let name: String
    let document: TomlDocument

    init(builtin path: String) throws(RuleError) {
        try self.init(name: "builtin:\(path)", bytes: try Self.builtinBytes(path))
    }

    /// A file that the binary carries.
    static func builtinBytes(_ path: String) throws(RuleError) -> [UInt8] {
        guard let file = EmbeddedFile.named(path) else {
            throw RuleError(
                code: .missing, file: "builtin:\(path)", line: 1, message: "the binary does not carry this file; build it again")
        }
        return file.bytes
    }

    init(name: String, bytes: [UInt8]) throws(RuleError) {
        self.name = name
        do {
            document = try TomlDocument(parsing: bytes, file: name)
        } catch {
            throw RuleError(code: .syntax, file: name, line: error.line, message: error.message)
        }
    }

    func fault(_ path: [TomlStep], _ message: String) -> RuleError {
        RuleError(code: .content, file: name, line: document.line(near: path), message: message)
    }

    /// The tables of a list of tables; a list that is absent is empty.
    func tables(_ key: String) throws(RuleError) -> [TomlTable] {
        guard let value = document.root[key] else { return [] }
        guard case .array(let elements) = value else { throw fault([.key(key)], "'\(key)' must be a list of tables; write [[\(key)]]") }
        var tables: [TomlTable] = []
        for (index, element) in elements.enumerated() {
            guard case .table(let table) = element else {
                throw fault([.key(key), .index(index)], "'\(key)' must hold tables; write [[\(key)]]")
            }
            tables.append(table)
        }
        return tables
    }

    /// The lines of a text value that begins on the line of its key, with their line numbers; empty lines and `#` lines are left out.
    func lines(of text: String, at path: [TomlStep]) -> [(line: Int, bytes: [UInt8])] {
        let first = document.line(near: path)
        // TOML drops the newline behind the opening quotes, so the text begins on the next line.
        let bytes = Array(text.utf8)
        var number = first + (bytes.contains(0x0A) ? 1 : 0)
        var lines: [(Int, [UInt8])] = []
        var start = 0
        while start <= bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            var (low, high) = (start, end)
            while low < high, bytes[low] <= 0x20 { low += 1 }
            while high > low, bytes[high - 1] <= 0x20 { high -= 1 }
            if low < high, bytes[low] != 0x23 { lines.append((number, Array(bytes[low..<high]))) }
            number += 1
            start = end + 1
        }
        return lines
    }
}

extension [UInt8] {
    /// The bytes without white space at both ends.
    var trimmed: ArraySlice<UInt8> {
        var low = startIndex
        var high = endIndex
        while low < high, self[low] <= 0x20 { low += 1 }
        while high > low, self[high - 1] <= 0x20 { high -= 1 }
        return self[low..<high]
    }
}
