import Mustache

/// A Mustache template of ours: strict about values, with `{{field|fallback}}` for what may be missing.
///
/// Sections render when their field has a value (`{{#company}}`) or has none (`{{^company}}`). Of several wordings, `[[Hello|Hi]]`, one is
/// taken; brackets without a bar are text, and `\[[` is always text. `{{> name}}` stands for a snippet of the sequence. Lambdas, blocks and
/// changed delimiters are refused when the template is read.
package struct MessageTemplate: Sendable {
    package enum Format: Sendable {
        /// Values are put in as they are.
        case text
        /// Values are escaped by bytes, unless the tag is `{{{field}}}`.
        case html
    }

    /// What rendering gave.
    package enum Rendering: Sendable, Equatable {
        case text(String)
        /// Fields that a shown tag needs and that have neither value nor fallback, each once, in order of appearance.
        case missing([String])
    }

    /// Whether nothing is written in it.
    package let isBlank: Bool
    /// Whether no line end is written in it, or in its snippets, that would be shown.
    let isOneLine: Bool
    private let pieces: [TemplateScanner.Piece]
    /// How many wordings each choice has.
    private let wordings: [Int: Int]
    private let mustache: MustacheTemplate

    /// - Throws: `TemplateError` with the line of the first fault.
    package init(_ source: String, format: Format, snippets: [String: String] = [:]) throws(TemplateError) {
        let written = Array(source.utf8)
        isBlank = written.allSatisfy { $0 <= 32 }
        // Faults are told by the lines of what a person wrote.
        let bytes = try Self.expanded(written, pieces: try TemplateScanner.scan(written), snippets: snippets, depth: 0)
        pieces = try TemplateScanner.scan(bytes)
        isOneLine = !pieces.contains { piece in
            switch piece {
            case .text(let range): bytes[range].contains { $0 == 10 || $0 == 13 }
            case .variable(_, let fallback, _): fallback?.utf8.contains { $0 == 10 || $0 == 13 } ?? false
            case .open, .close, .comment, .snippet, .wording, .wordingEnd: false
            }
        }
        wordings = pieces.reduce(into: [:]) { counts, piece in
            if case .wording(let choice, let index) = piece { counts[choice] = index + 1 }
        }
        HTMLValues.register()
        do {
            mustache = try MustacheTemplate(string: Self.rewritten(pieces, of: bytes, format: format))
        } catch {
            throw TemplateError(line: 1, message: "cannot be read as Mustache: \(error)")
        }
    }

    /// Names of all fields that tags and sections mention.
    package var fields: Set<String> {
        var names: Set<String> = []
        for piece in pieces {
            switch piece {
            case .variable(let name, _, _), .open(let name, _): names.insert(name)
            case .text, .close, .comment, .snippet, .wording, .wordingEnd: break
            }
        }
        return names
    }

    /// Fields without value and without fallback that some wording shows, each once, in order of appearance.
    package func missing(_ values: [String: String]) -> [String] {
        var missing: [String] = []
        for choice in 0..<max(1, widest) {
            if case .missing(let names) = render(values, choosing: { _, count in min(choice, count - 1) }) {
                missing += names.filter { !missing.contains($0) }
            }
        }
        return missing
    }

    /// Whether it cannot be rendered without that field, for somebody who has all others or none.
    func needs(_ field: String) -> Bool {
        guard fields.contains(field) else { return false }
        let others = Dictionary(uniqueKeysWithValues: fields.subtracting([field]).map { ($0, "x") })
        return missing(others).contains(field) || missing([:]).contains(field)
    }

    /// Fields whose values some wording shows, each once.
    func shown(_ values: [String: String]) -> Set<String> {
        (0..<max(1, widest)).reduce(into: []) { names, choice in
            names.formUnion(shown(values, choosing: { _, count in min(choice, count - 1) }))
        }
    }

    /// The most wordings that anything has.
    private var widest: Int { wordings.values.max() ?? 0 }

    /// What a rendering is made of.
    private struct Filling {
        var context: [String: Any] = [:]
        var missing: [String] = []
        /// Fields whose values are shown, each once.
        var shown: [String] = []
    }

    /// Renders with the given values; an empty value counts as none.
    ///
    /// - Parameter choosing: which wording is taken, by the number of the choice and the count of its wordings.
    package func render(_ values: [String: String], choosing: (Int, Int) -> Int = { _, _ in 0 }) -> Rendering {
        let filling = filling(values, choosing: choosing)
        return filling.missing.isEmpty ? .text(mustache.render(filling.context)) : .missing(filling.missing)
    }

    /// Fields whose values such a rendering shows, each once, in order of appearance.
    func shown(_ values: [String: String], choosing: (Int, Int) -> Int) -> [String] { filling(values, choosing: choosing).shown }

    private func filling(_ values: [String: String], choosing: (Int, Int) -> Int) -> Filling {
        let chosen = wordings.reduce(into: [Int: Int]()) { chosen, choice in chosen[choice.key] = choosing(choice.key, choice.value) }
        let present = values.filter { !$0.value.isEmpty }
        var filling = Filling()
        var shown: [Bool] = []
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .open(let name, let inverted):
                let has = present[name] != nil
                filling.context[Self.tag(index)] = has
                shown.append((shown.last ?? true) && has != inverted)
            case .wording(let choice, let number):
                let isTaken = chosen[choice] == number
                filling.context[Self.tag(index)] = isTaken
                shown.append((shown.last ?? true) && isTaken)
            case .close, .wordingEnd:
                shown.removeLast()
            case .variable(let name, let fallback, _):
                let isShown = shown.last ?? true
                if let value = present[name] {
                    filling.context[Self.tag(index)] = value
                    if isShown, !filling.shown.contains(name) { filling.shown.append(name) }
                } else if let fallback {
                    filling.context[Self.tag(index)] = fallback
                } else if isShown, !filling.missing.contains(name) {
                    filling.missing.append(name)
                }
            case .text, .comment, .snippet: break
            }
        }
        return filling
    }

    /// The same source with every tag under a name of its own, so that fallbacks and sections are plain look-ups.
    private static func rewritten(_ pieces: [TemplateScanner.Piece], of source: [UInt8], format: Format) -> String {
        var output: [UInt8] = Array("{{% CONTENT_TYPE:\(format == .html ? HTMLValues.name : "TEXT")}}".utf8)
        var open: [String] = []
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .text(let range): output += source[range]
            case .variable(_, _, let raw): output += (raw ? "{{{\(tag(index))}}}" : "{{\(tag(index))}}").utf8
            case .open(_, let inverted):
                open.append(tag(index))
                output += "{{\(inverted ? "^" : "#")\(tag(index))}}".utf8
            case .wording:
                open.append(tag(index))
                output += "{{#\(tag(index))}}".utf8
            case .close, .wordingEnd: output += "{{/\(open.removeLast())}}".utf8
            case .comment, .snippet: break
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The source with snippets in the place of their tags, without the line end that closes each.
    private static func expanded(_ source: [UInt8], pieces: [TemplateScanner.Piece], snippets: [String: String], depth: Int)
        throws(TemplateError) -> [UInt8]
    {
        var out: [UInt8] = []
        var at = 0
        for case .snippet(let name, let place) in pieces {
            let line = 1 + source[..<place.lowerBound].count { $0 == 10 }
            guard let text = snippets[name] else {
                let known = snippets.isEmpty ? "there is none" : "there are \(snippets.keys.sorted().joined(separator: ", "))"
                throw TemplateError(line: line, message: "there is no snippet '\(name)'; \(known) in [snippets]")
            }
            guard depth < 4 else { throw TemplateError(line: line, message: "snippets stand in snippets more than four deep") }
            var bytes = Array(text.utf8)
            if bytes.last == 10 { bytes.removeLast() }
            do throws(TemplateError) {
                bytes = try expanded(bytes, pieces: try TemplateScanner.scan(bytes), snippets: snippets, depth: depth + 1)
            } catch {
                throw TemplateError(line: line, message: "in the snippet '\(name)': \(error.message)")
            }
            out += source[at..<place.lowerBound] + bytes
            at = place.upperBound
            guard out.count <= TemplateScanner.largest else {
                throw TemplateError(line: line, message: "snippets make it longer than \(TemplateScanner.largest) bytes")
            }
        }
        return out + source[at...]
    }

    private static func tag(_ index: Int) -> String { "t\(index)" }
}

/// The content type that puts values into HTML.
enum HTMLValues: MustacheContentType {
    case bytes

    static let name = "POSTRIDER-HTML"

    static func register() { MustacheContentTypes.register(HTMLValues.bytes, named: name) }

    func escapeText(_ text: String) -> String { HTMLEscape.escape(text) }
}
