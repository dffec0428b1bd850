import Foundation
import TestKit

/// A Swift file of `Sources/`, read into tokens, string literals and imports.
struct SourceFile {
    /// Relative to the package, such as `Sources/SMTP/Grammar/Reply.swift`.
    let path: String
    let lines: [Substring]
    let tokens: [SwiftLexer.Piece]
    let literals: [SwiftLexer.Piece]

    /// The target that the file belongs to: the folder below `Sources/`.
    let target: String

    init(path: String, source: String) {
        let lexed = SwiftLexer.lex(source)
        self.path = path
        lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        tokens = lexed.tokens
        literals = lexed.literals
        let parts = path.split(separator: "/")
        target = parts.count > 2 ? String(parts[1]) : ""
    }

    struct Import {
        /// The module, such as `NIOCore`.
        let module: String
        /// The kind of a scoped import, such as `struct`; nil when the whole module is imported.
        let kind: String?
        /// What a scoped import names below the module, such as `ByteBuffer`.
        let member: String
        let line: Int
    }

    /// The imports of the file, with any access level or attribute before them.
    var imports: [Import] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return tokens.indices.compactMap { index -> Import? in
            guard tokens[index].text == "import", before(index) != ".", before(index) != "`" else { return nil }
            let line = tokens[index].line
            var words = tokens[(index + 1)...].prefix { $0.line == line && $0.text != ";" }.map(\.text)
            let kind = words.first.flatMap { kinds.contains($0) ? $0 : nil }
            if kind != nil { words.removeFirst() }
            guard let module = words.first, SwiftLexer.isWord(module) else { return nil }
            return Import(module: module, kind: kind, member: words.dropFirst(2).joined(), line: line)
        }
    }

    /// The text of the token before `index`; empty at the start of the file.
    func before(_ index: Int, by count: Int = 1) -> String { index >= count ? tokens[index - count].text : "" }

    /// The indices at which the tokens `texts` follow each other.
    func occurrences(of texts: [String]) -> [Int] {
        tokens.indices.filter { start in
            start + texts.count <= tokens.count && zip(tokens[start...], texts).allSatisfy { $0.text == $1 }
        }
    }

    /// The Swift files of this checkout's `Sources/`, sorted by path.
    static func all() throws -> [SourceFile] {
        let sources = Checkout.url("Sources").resolvingSymlinksInPath()
        let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            SourceFile(path: "Sources/\(name)", source: try String(contentsOf: sources.appending(path: name), encoding: .utf8))
        }
    }

    /// The folders of `Sources/`: one for each target.
    static func targetFolders() throws -> Set<String> {
        Set(
            try FileManager.default.contentsOfDirectory(atPath: Checkout.url("Sources").resolvingSymlinksInPath().path).filter {
                !$0.hasPrefix(".")
            })
    }
}
