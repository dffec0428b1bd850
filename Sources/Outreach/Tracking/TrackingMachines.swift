import Toml

/// Programs that fetch pictures and follow links by themselves, by what they call themselves.
package struct TrackingMachines: Sendable {
    /// What is wrong in a file and where.
    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package let file: String
        package let line: Int
        package let message: String

        package var description: String { "\(file):\(line): \(message)" }
    }

    private struct Machine {
        let name: String
        /// In lower case.
        var contains: [[UInt8]] = []
        var equals: [[UInt8]] = []
    }

    private var machines: [Machine] = []

    /// Reads files in order, the one that the binary carries last; what an earlier one says of a machine stands.
    ///
    /// - Parameter files: name as faults show it, and content.
    package init(files: [(name: String, bytes: [UInt8])]) throws(Fault) {
        for file in files {
            let document: TomlDocument
            do throws(TomlError) {
                document = try TomlDocument(parsing: file.bytes, file: file.name)
            } catch {
                throw Fault(file: file.name, line: error.line, message: error.message)
            }
            try read(document, file: file.name)
        }
    }

    /// Which machine it is; nil: none that is known.
    package func name(of agent: String) -> String? {
        let agent = Self.folded(agent)
        return machines.first { machine in
            machine.equals.contains(agent) || machine.contains.contains { Self.occurs($0, in: agent) }
        }?.name
    }

    private mutating func read(_ document: TomlDocument, file: String) throws(Fault) {
        for entry in document.root.entries where !entry.key.utf8.elementsEqual("machine".utf8) {
            throw Fault(
                file: file, line: document.line(near: [.key(entry.key)]), message: "unknown key '\(entry.key)'; there is [machine.\"NAME\"]"
            )
        }
        guard let value = document.root["machine"] else { return }
        guard case .table(let table) = value else {
            throw Fault(file: file, line: document.line(near: ["machine"]), message: "'machine' holds tables; write [machine.\"NAME\"]")
        }
        for entry in table.entries where !machines.contains(where: { $0.name.utf8.elementsEqual(entry.key.utf8) }) {
            let path: [TomlStep] = ["machine", .key(entry.key)]
            guard case .table(let keys) = entry.value else {
                throw Fault(file: file, line: document.line(near: path), message: "a machine is a table with 'contains' or 'equals'")
            }
            var machine = Machine(name: entry.key)
            for key in keys.entries {
                let place = path + [.key(key.key)]
                let words = Self.texts(key.value)
                guard let words, words.allSatisfy({ !$0.isEmpty }) else {
                    throw Fault(file: file, line: document.line(near: place), message: "'\(key.key)' is a list of texts that are not empty")
                }
                if key.key.utf8.elementsEqual("contains".utf8) {
                    machine.contains = words
                } else if key.key.utf8.elementsEqual("equals".utf8) {
                    machine.equals = words
                } else {
                    throw Fault(
                        file: file, line: document.line(near: place), message: "unknown key '\(key.key)'; there are contains and equals")
                }
            }
            machines.append(machine)
        }
    }

    private static func texts(_ value: TomlValue) -> [[UInt8]]? {
        guard case .array(let values) = value else { return nil }
        var texts: [[UInt8]] = []
        for value in values {
            guard case .string(let text) = value else { return nil }
            texts.append(folded(text))
        }
        return texts
    }

    private static func folded(_ text: String) -> [UInt8] { text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }

    private static func occurs(_ part: [UInt8], in bytes: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
