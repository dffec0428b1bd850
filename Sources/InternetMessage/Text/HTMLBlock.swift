/// A stretch of an HTML message as it is read: what it is, whose words it is likely to be, and how deep it is quoted.
///
/// Blocks come in reading order. Lines within a block end with LF; a block never mixes quote depths or parts.
package struct HTMLBlock: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Running text, also a row of a table with its cells joined by spaces.
        case paragraph
        case heading
        /// An entry of a list with its marker and indentation.
        case listEntry
        /// Text whose line ends and spaces are the writer's.
        case preformatted
        /// A drawn line.
        case rule
    }

    /// Whose words a block is, by the structure that mail programs give to a reply; language plays no role.
    package enum Part: Sendable, Hashable {
        /// The writer's own words, as far as structure tells.
        case own
        /// The line or header block that introduces an earlier message.
        case attribution
        /// An earlier message: inside a quote, a container for one, or behind the header block of one.
        case earlier
        /// A signature that the writer's program marked as such.
        case signature
    }

    package var kind: Kind
    package var part: Part
    /// How many block quotes stand around it.
    package var quoteDepth: Int
    /// The text without quote marks; links as `text <url>`.
    package var text: String
}

/// HTML to text by a bounded tokenizer: no tree, no recursion, one pass.
package enum HTMLText {
    /// The text a person would read: paragraphs, line breaks, lists, quotes as "> " lines, links as `text <url>` where they differ;
    /// scripts, styles, comments and hidden text dropped, entities decoded. LF line ends.
    package static func plainText(_ html: String) -> String {
        HTMLLayout(Array(html.utf8)[...]).plainText
    }

    /// The same text as blocks, with the structure that tells own words from quoted ones. Empty lines between blocks are not kept.
    package static func blocks(_ html: String) -> [HTMLBlock] {
        HTMLLayout(Array(html.utf8)[...]).blocks
    }

    /// The charset that a `meta` element at the beginning of a document names, in lower case; nil when there is none. For parts whose
    /// Content-Type names no charset.
    package static func declaredCharset(in bytes: ArraySlice<UInt8>) -> String? {
        let head = bytes.prefix(2048).asciiLowercased[...]
        var i = head.startIndex
        while let meta = head.index(of: Array("<meta".utf8), from: i) {
            let end = head.index(of: ASCII.greater, from: meta) ?? head.endIndex
            if let at = head[..<end].index(of: Array("charset=".utf8), from: meta) {
                let value = head[(at + 8)..<end].drop { $0.isWhitespace || $0 == ASCII.quote || $0 == ASCII.apostrophe }
                    .prefix {
                        $0.isLetter || $0.isDigit || $0 == ASCII.hyphen || $0 == ASCII.underscore || $0 == ASCII.dot || $0 == ASCII.colon
                    }
                if !value.isEmpty { return value.utf8Text }
            }
            i = end
        }
        return nil
    }
}
