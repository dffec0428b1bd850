import Foundation

/// The folder of outside mail that scores are measured on; nil where it is absent.
enum Corpora {
    static let root: String? = {
        let environment = ProcessInfo.processInfo.environment
        let candidates = [environment["POSTRIDER_CORPORA"]].compactMap { $0 } + ["../shared/corpora"]
        return candidates.first { FileManager.default.fileExists(atPath: "\($0)/README.md") }
    }()

    static var isRequired: Bool { ProcessInfo.processInfo.environment["REQUIRE_CORPORA"] == "1" }

    static func bytes(_ path: String) throws -> [UInt8] {
        let root = root ?? ""
        return Array(try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)")))
    }

    static func json(_ path: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(try bytes(path)))
    }

    /// Objects of a file with one JSON object a line.
    static func lines(_ path: String) throws -> [[String: Any]] {
        try bytes(path).split(separator: 0x0A).compactMap { try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any] }
    }

    static func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root ?? "")/\(path)").sorted()
    }
}

/// A count of what was right.
struct Score: CustomStringConvertible {
    var right = 0
    var all = 0

    var share: Double { all == 0 ? 0 : Double(right) / Double(all) }
    var description: String { "\(right)/\(all) = \(Double(Int(share * 1000)) / 10) %" }

    mutating func add(_ isRight: Bool) {
        all += 1
        if isRight { right += 1 }
    }
}

/// Words with one space between them, as the labels are written.
func collapsed(_ text: String) -> String {
    text.split(whereSeparator: { $0.isWhitespace }).joined(separator: " ")
}
