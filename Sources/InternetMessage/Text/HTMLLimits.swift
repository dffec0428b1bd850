/// How much of the structure of HTML is kept; beyond a limit the text is still read.
enum HTMLLimits {
    /// Open elements that are remembered.
    static let openElements = 1000
    /// Open elements that a closing tag looks back through for its own.
    static let lookBack = 100
    /// Quote marks shown before a line.
    static let quoteDepth = 20
    /// Lists inside lists that are shown indented.
    static let listDepth = 10
    /// Octets of a link that is shown.
    static let link = 2000
    /// Empty lines kept in a row within preformatted text.
    static let emptyLines = 50
    /// Lines of a header block that are looked at.
    static let headerLines = 12
}
