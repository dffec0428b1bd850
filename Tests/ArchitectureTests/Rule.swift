import Testing

/// A place in the sources where a rule does not hold.
struct Violation: CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// One rule of the house, as a function over a source file.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (SourceFile) -> [Violation]

    var testDescription: String { name }

    static let all: [Rule] = [
        .importsGoDownward, .outsideLibrariesHaveOwners, .machinesSeeOnlyByteBuffer,
        .sqlStaysInTheStore, .nothingTraps, .librariesDoNotPrint, .timeAndChanceComeIn, .unsafeStaysInWrappers,
        .uncheckedSendableNamesItsLock, .nothingIsPublic,
    ]
}

// What a target may see.
extension Rule {
    static let importsGoDownward = Rule(name: "imports go downward") { file in
        guard let floor = Floors.of[file.target] else {
            return [Violation(path: file.path, line: 1, message: "target '\(file.target)' has no floor; give it one in Floors.swift")]
        }
        return file.imports.compactMap { item in
            guard let below = Floors.of[item.module], item.module != file.target else { return nil }
            let isDownward = below < floor || Floors.sidewaysImports.contains("\(file.target) -> \(item.module)")
            let isInView = Floors.narrowViews[file.target]?.contains(item.module) ?? true
            let isOpen = !Floors.executableOnly.contains(item.module) || file.target == "postrider"
            guard !(isDownward && isInView && isOpen) else { return nil }
            return Violation(
                path: file.path, line: item.line, message: "\(file.target) (floor \(floor)) imports \(item.module) (floor \(below))")
        }
    }

    static let outsideLibrariesHaveOwners = Rule(name: "an outside library has an owner") { file in
        file.imports.compactMap { item in
            guard Floors.of[item.module] == nil || Floors.owners[item.module] != nil, !Floors.toolchain.contains(item.module) else {
                return nil
            }
            let owners = Floors.owners[item.module] ?? []
            guard !owners.contains(file.target) else { return nil }
            let whose = owners.isEmpty ? "nobody's" : owners.sorted().joined(separator: ", ")
            return Violation(path: file.path, line: item.line, message: "\(file.target) imports \(item.module), which is for \(whose)")
        }
    }

    static let machinesSeeOnlyByteBuffer = Rule(name: "machines see only ByteBuffer of NIO") { file in
        guard Floors.sansIO.contains(file.target) else { return [] }
        return file.imports.compactMap { item in
            guard item.module.hasPrefix("NIO"), !(item.module == "NIOCore" && item.kind == "struct" && item.member == "ByteBuffer") else {
                return nil
            }
            return Violation(path: file.path, line: item.line, message: "write 'import struct NIOCore.ByteBuffer'")
        }
    }
}

// What a file may say.
extension Rule {
    static let sqlStaysInTheStore = Rule(name: "SQL stays in SQLiteStore") { file in
        guard file.target != "SQLiteStore" else { return [] }
        return file.literals.filter { isSQL($0.text) }.map { literal in
            Violation(path: file.path, line: literal.line, message: "an SQL statement outside SQLiteStore")
        }
    }

    static let nothingTraps = Rule(name: "no try! and no fatalError") { file in
        file.occurrences(of: ["try", "!"]).filter { file.tokens[$0 + 1].isGlued }.map {
            file.violation(at: $0, "try! traps; catch the error or let it through")
        }
            + file.calls(of: "fatalError").map { file.violation(at: $0, "fatalError ends the process; make it an outcome or an error") }
    }

    static let librariesDoNotPrint = Rule(name: "libraries do not print") { file in
        guard file.target != "postrider" else { return [] }
        return ["print", "debugPrint", "dump"].flatMap(file.calls).map {
            file.violation(at: $0, "a library logs or returns; only postrider prints")
        }
    }

    static let timeAndChanceComeIn = Rule(name: "time and chance come in as arguments") { file in
        guard let floor = Floors.of[file.target], floor == 1 || floor == 2 else { return [] }
        var forbidden = [
            ["Date", "(", ")"], ["Date", ".", "now"], ["Date", ".", "init", "(", ")"], ["Date", "(", "timeIntervalSinceNow"],
            ["UUID", "(", ")"], ["UUID", ".", "init", "(", ")"],
        ]
        if file.target == "Outreach" {
            forbidden += [
                ["ContinuousClock"], ["SuspendingClock"], ["SystemRandomNumberGenerator"], [".", "random", "("],
                ["randomElement", "(", ")"],
                ["shuffled", "(", ")"],
            ]
        }
        return forbidden.flatMap(file.occurrences).map { file.violation(at: $0, "time and chance come in as arguments here") }
    }

    static let unsafeStaysInWrappers = Rule(name: "unsafe pointers stay where a C library is wrapped") { file in
        let wrapsHere =
            Floors.wrappers.contains(file.target)
            || (file.target == "SQLiteStore" && file.imports.contains { $0.module == "GRDBSQLite" })
            || (file.target == "InternetMessage" && (file.path.contains("/Charsets/") || file.imports.contains { ["CIDN2", "CZlib"].contains($0.module) }))
        guard !wrapsHere else { return [] }
        let prefixes = ["Unsafe", "withUnsafe", "unsafeBitCast", "unsafeDowncast", "OpaquePointer", "Unmanaged"]
        return file.tokens.indices.filter { index in prefixes.contains { file.tokens[index].text.hasPrefix($0) } }
            .map { file.violation(at: $0, "'\(file.tokens[$0].text)' outside a target that wraps a C library") }
    }

    static let uncheckedSendableNamesItsLock = Rule(name: "@unchecked Sendable names its lock") { file in
        file.occurrences(of: ["@", "unchecked", "Sendable"]).compactMap { index in
            let line = file.tokens[index].line
            let nearby = file.lines[max(0, line - 6)..<line].filter { $0.contains("//") }
            guard !nearby.contains(where: { $0.lowercased().contains("lock") }) else { return nil }
            return file.violation(at: index, "say in a comment above which lock makes this Sendable")
        }
    }

    static let nothingIsPublic = Rule(name: "nothing is public") { file in
        ["public", "open"].flatMap { file.occurrences(of: [$0]) }.filter { index in
            let next = index + 1 < file.tokens.count ? file.tokens[index + 1].text : ""
            let declares = [
                "func", "var", "let", "struct", "class", "enum", "actor", "protocol", "extension", "init", "static", "typealias", "import",
                "subscript",
            ]
            return file.before(index) != "." && (declares.contains(next) || next == "final" || next == "override")
        }
        .map { file.violation(at: $0, "nobody links Postrider: use package, or less") }
    }

    private static func isSQL(_ text: String) -> Bool {
        let words = text.split { !($0.isLetter || $0 == "_") }
        func has(_ first: Substring, _ second: Set<Substring>) -> Bool {
            zip(words, words.dropFirst()).contains { $0 == first && second.contains($1) }
        }
        if let select = words.firstIndex(of: "SELECT"), words[select...].contains("FROM") { return true }
        if let update = words.firstIndex(of: "UPDATE"), words[update...].contains("SET") { return true }
        return has("INSERT", ["INTO", "OR"]) || has("REPLACE", ["INTO"]) || has("DELETE", ["FROM"]) || has("ALTER", ["TABLE"])
            || has("CREATE", ["TABLE", "INDEX", "UNIQUE", "TRIGGER", "VIEW"]) || has("DROP", ["TABLE", "INDEX", "TRIGGER", "VIEW"])
            || words.first == "PRAGMA" || has("VACUUM", ["INTO"])
    }
}

extension SourceFile {
    fileprivate func violation(at index: Int, _ message: String) -> Violation {
        Violation(path: path, line: tokens[index].line, message: message)
    }

    /// Calls of the standard library's free function `name`: neither a method of that name nor its declaration.
    fileprivate func calls(of name: String) -> [Int] {
        occurrences(of: [name, "("]).filter { index in
            before(index) != "func" && (before(index) != "." || before(index, by: 2) == "Swift")
        }
    }
}
