import Foundation

@testable import InternetMessage

/// The table of differences in Fixtures/mailcore2-differences.txt.
struct MailcoreDifferences {
    struct Entry {
        var name: String
        var places: [String]
        var rfc: String
    }

    let entries: [Entry]

    init() throws {
        let url = Bundle.module.url(forResource: "mailcore2-differences", withExtension: "txt", subdirectory: "Fixtures")
        guard let url else { throw Fixture.Missing(name: "mailcore2-differences") }
        let lines = String(decoding: try Data(contentsOf: url), as: UTF8.self).split(separator: "\n")
        entries = lines.filter { !$0.hasPrefix("#") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return Entry(name: cells[0], places: cells[1].split(separator: " ").map(String.init), rfc: cells[2])
        }
    }

    /// The names of the rules, and the pairs that are expected to differ.
    var rules: Set<String> { Set(entries.filter { $0.places == ["*"] }.map(\.name)) }
    var listed: Set<String> { Set(entries.flatMap(\.places)).subtracting(["*"]) }

    /// Takes out of two lists of lines what a rule explains; the names of the rules that did.
    func explain(missing: inout [String], surplus: inout [String]) -> Set<String> {
        var met: Set<String> = []
        for line in missing where explain(line, missing: missing, surplus: &surplus, &met) {
            missing.removeAll { $0 == line }
        }
        return met
    }

    private func explain(_ line: String, missing: [String], surplus: inout [String], _ met: inout Set<String>) -> Bool {
        let (key, value) = Self.parts(line)
        if key.hasSuffix(" date"), let theirs = Int(value) {
            for (index, other) in surplus.enumerated() where Self.parts(other).key == key {
                guard let ours = Int(Self.parts(other).value) else { continue }
                let difference = theirs - ours - (theirs - ours > Self.century / 2 ? Self.century : 0)
                guard abs(difference) <= 14 * 3600, difference % 1800 == 0 else { continue }
                surplus.remove(at: index)
                return met.insert("obsolete-date").inserted || true
            }
        }
        if let address = Self.address(value) {
            if EmailAddress(address) == nil {
                let rivals = missing.filter { Self.parts($0).key == key }.count
                let own = surplus.indices.filter { Self.parts(surplus[$0]).key == key }
                if own.count <= rivals, let first = own.first { surplus.remove(at: first) }
                return met.insert("no-domain").inserted || true
            }
            let bare = "\(key): <\(address)>"
            let named = surplus.firstIndex { Self.parts($0).key == key && Self.address(Self.parts($0).value) == address }
            if line == bare, let named {
                surplus.remove(at: named)
                return met.insert("name-in-comment").inserted || true
            }
        }
        if let range = line.range(of: " leaf x-"), line.hasSuffix("/unknown") {
            let plain = line[..<range.lowerBound] + " leaf text/plain"
            guard let index = surplus.firstIndex(of: String(plain)) else { return false }
            surplus.remove(at: index)
            return met.insert("no-subtype").inserted || true
        }
        return false
    }

    private static func parts(_ line: String) -> (key: String, value: String) {
        guard let colon = line.range(of: ": ") else { return (line, "") }
        return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
    }

    private static func address(_ value: String) -> String? {
        guard value.hasSuffix(">"), let open = value.range(of: "<", options: .backwards) else { return nil }
        return String(value[open.upperBound...].dropLast())
    }

    private static let century = 36525 * 86400
}
