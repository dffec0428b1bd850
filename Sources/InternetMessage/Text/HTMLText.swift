/// HTML to text by a bounded tokenizer: no tree, no recursion, one pass.
package enum HTMLText {
    /// The text a person would read: paragraphs, line breaks, lists, quotes as "> " lines, links as `text <url>` where they differ;
    /// scripts, styles and comments dropped, entities decoded. LF line ends.
    package static func plainText(_ html: String) -> String {
        var writer = HTMLTextWriter()
        return writer.convert(Array(html.utf8))
    }
}
