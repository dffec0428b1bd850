import Foundation
import NIOCore
import Testing

/// A dialogue from a fixture file.
///
/// A line begins with a letter, a colon and a space: `C:` what the client writes, `S:` what the server writes, each ended by CRLF on the wire;
/// `?:` options as `key=value` words; `=:` an expected result; `#` a comment. `\xNN` stands for an octet. A line `C: <tls>`, `C: <content>` or
/// `C: <close>` is an act of the driver.
struct Dialogue: CustomTestStringConvertible {
    enum Side { case client, server }

    struct Turn {
        let side: Side
        var bytes: [UInt8]
    }

    let name: String
    var options: [String: String] = [:]
    /// Turns of alternating sides.
    var turns: [Turn] = []
    var results: [String] = []

    var testDescription: String { name }

    static func all(in folder: String) -> [Dialogue] {
        guard let root = Bundle.module.url(forResource: "Fixtures", withExtension: nil)?.appendingPathComponent(folder),
            let files = try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)
        else { return [] }
        return files.filter { $0.pathExtension == "dialogue" }.sorted { $0.lastPathComponent < $1.lastPathComponent }.compactMap(
            Dialogue.init)
    }

    static func named(_ name: String, in folder: String) throws -> Dialogue {
        struct Missing: Error { let name: String }
        guard let found = all(in: folder).first(where: { $0.name == name }) else { throw Missing(name: name) }
        return found
    }

    private init?(_ file: URL) {
        guard let data = try? Data(contentsOf: file) else { return nil }
        name = file.deletingPathExtension().lastPathComponent
        for line in data.split(separator: 0x0A) where line.count >= 3 && line.first != UInt8(ascii: "#") {
            let text = Array(line.dropFirst(3))
            switch line.first {
            case UInt8(ascii: "C"): append(.client, text)
            case UInt8(ascii: "S"): append(.server, text)
            case UInt8(ascii: "="): results.append(String(decoding: text, as: UTF8.self))
            case UInt8(ascii: "?"):
                for word in String(decoding: text, as: UTF8.self).split(separator: " ") {
                    let parts = word.split(separator: "=", maxSplits: 1)
                    options[String(parts[0])] = parts.count == 2 ? String(parts[1]) : "yes"
                }
            default: return nil
            }
        }
    }

    private mutating func append(_ side: Side, _ text: [UInt8]) {
        let bytes = Dialogue.unescaped(text) + Array("\r\n".utf8)
        if turns.last?.side == side {
            turns[turns.count - 1].bytes += bytes
        } else {
            turns.append(Turn(side: side, bytes: bytes))
        }
    }

    private static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
            {
                result.append(value)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    /// All octets of one side, in order.
    func stream(_ side: Side) -> [UInt8] { turns.filter { $0.side == side }.flatMap(\.bytes) }
}

/// How a turn is cut into pieces when it is fed to a machine.
enum Cut {
    case whole
    case everyByte
    /// One cut, behind so many octets of the whole stream.
    case at(Int)

    func pieces(_ bytes: [UInt8], from offset: Int) -> [[UInt8]] {
        switch self {
        case .whole: return [bytes]
        case .everyByte: return bytes.map { [$0] }
        case .at(let position):
            let local = position - offset
            guard local > 0, local < bytes.count else { return [bytes] }
            return [Array(bytes[..<local]), Array(bytes[local...])]
        }
    }

    /// Whole, octet by octet, and cut once at every place of a stream.
    static func all(_ length: Int) -> [Cut] { [.whole, .everyByte] + (1..<max(2, length)).map(Cut.at) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// A small generator with a seed, so that what it finds can be found again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
