import Mustache

/// A Mustache template of ours: strict about values, with `{{field|fallback}}` for what may be missing.
///
/// Sections render when their field has a value (`{{#company}}`) or has none (`{{^company}}`). Partials, lambdas, blocks and changed
/// delimiters are refused when the template is read.
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

    private let pieces: [TemplateScanner.Piece]
    private let mustache: MustacheTemplate

    /// - Throws: `TemplateError` with the line of the first fault.
    package init(_ source: String, format: Format) throws(TemplateError) {
        let bytes = Array(source.utf8)
        pieces = try TemplateScanner.scan(bytes)
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
            case .text, .close, .comment: break
            }
        }
        return names
    }

    /// Renders with the given values; an empty value counts as none.
    package func render(_ values: [String: String]) -> Rendering {
        let present = values.filter { !$0.value.isEmpty }
        var context: [String: Any] = [:]
        var missing: [String] = []
        var shown: [Bool] = []
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .open(let name, let inverted):
                let has = present[name] != nil
                context[Self.tag(index)] = has
                shown.append((shown.last ?? true) && has != inverted)
            case .close:
                shown.removeLast()
            case .variable(let name, let fallback, _):
                if let value = present[name] ?? fallback {
                    context[Self.tag(index)] = value
                } else if shown.last ?? true, !missing.contains(name) {
                    missing.append(name)
                }
            case .text, .comment: break
            }
        }
        return missing.isEmpty ? .text(mustache.render(context)) : .missing(missing)
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
            case .close: output += "{{/\(open.removeLast())}}".utf8
            case .comment: break
            }
        }
        return String(decoding: output, as: UTF8.self)
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
