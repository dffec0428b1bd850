/// What class, id and style of an element say about a reply, by the habits of mail programs; language plays no role.
struct HTMLMarks {
    enum Mark {
        /// Holds the line that introduces a quote.
        case attribution
        /// Holds a quote with its introduction; own words may stand between the quotes inside.
        case quoteContainer
        /// Holds an earlier message.
        case earlier
        /// Is a quote, as `blockquote` is.
        case quote
        /// Has a bar at its left: a quote, where own words stand before it.
        case bar
        /// From here to the end everything is an earlier message.
        case restIsEarlier
        /// A header block may begin here.
        case maybeHeader
        /// Holds a signature.
        case signature
    }

    private(set) var mark: Mark?
    private(set) var isHidden = false
    /// Whether the element sets a font size, and whether that is too small to be seen; nil when it sets none.
    private(set) var isTiny: Bool?

    init(_ tag: HTMLTokenizer.Tag, _ element: HTMLElement) {
        guard tag.attributes.count > 3 else { return }
        if let id = tag.attribute("id") { mark = Self.mark(named: id, isID: true) }
        if mark == nil, let names = tag.attribute("class") {
            for name in names.split(whereSeparator: \.isHTMLSpace).prefix(20) {
                mark = Self.mark(named: name, isID: false)
                if mark != nil { break }
            }
        }
        if mark == nil, element.isLine, let name = tag.attribute("name") { mark = Self.names[name.trimmed.prefix(60).asciiLowercased] }
        if mark == nil, tag.attribute("data-smartmail")?.trimmed.matches("gmail_signature") == true { mark = .signature }
        // An attribute without a value has none to be asked for.
        if let hidden = tag.attribute("hidden"), !hidden.trimmed.matches("until-found") { isHidden = true }
        if let style = tag.attribute("style") { read(style: style, element) }
        if element == .hr, mark == nil { mark = .maybeHeader }
    }

    /// Quirk(Outlook): classes and ids of a quoted message get "x_" in front, once for each time it was quoted.
    private static func mark(named name: ArraySlice<UInt8>, isID: Bool) -> Mark? {
        var name = name.trimmed
        while name.hasPrefix(ignoringCase: "x_") { name = name.dropFirst(2) }
        let lower = name.prefix(60).asciiLowercased
        if let known = (isID ? ids : classes)[lower] { return known }
        // Yahoo numbers its ids and prefixes its classes: yahoo_quoted_0123456789, ydp0a1b2c3dyahoo-style-wrap.
        if lower.starts(with: Array("yahoo_quoted".utf8)) { return .quote }
        if lower.starts(with: Array("lark-mail-quote".utf8)) { return .quote }
        if lower.starts(with: Array("ydp".utf8)), lower.suffix(9).elementsEqual("signature".utf8) { return .signature }
        return nil
    }

    private static func table(_ rows: [(Mark, [String])]) -> [[UInt8]: Mark] {
        var table: [[UInt8]: Mark] = [:]
        for (mark, names) in rows { for name in names { table[Array(name.utf8)] = mark } }
        return table
    }

    private static let classes = table([
        (
            .attribution,
            ["gmail_attr", "moz-cite-prefix", "moz-forward-container-header", "ymail_attribution", "tutanota_quote_attribution"]
        ),
        (
            .quoteContainer,
            ["gmail_quote", "gmail_quote_container", "protonmail_quote", "freshdesk_quote", "zmail_extra", "gmail_extra_quote"]
        ),
        (
            .earlier,
            ["moz-forward-container", "moz-email-headers-table", "ms-outlook-mobile-reference-message", "wpsquoting"]
        ),
        (.quote, ["history-quote-wrapper", "history_container", "missive_quote", "tutanota_quote"]),
        (.restIsEarlier, ["outlookmessageheader"]),
        (
            .signature,
            [
                "gmail_signature", "moz-signature", "protonmail_signature_block", "ms-outlook-mobile-signature", "yahoo-signature",
                "signature_container", "applemailsignature",
            ]
        ),
    ])

    /// Names of elements: GMX and web.de, Spark.
    private static let names = table([
        (.quote, ["quote", "messagereplysection"]), (.signature, ["messagesignaturesection"]),
    ])

    private static let ids = table([
        (.restIsEarlier, ["divrplyfwdmsg", "stopspelling", "zwchr", "outlookmessageheader"]),
        (.earlier, ["mail-editor-reference-message-container", "ms-outlook-mobile-reference-message", "isreplycontent"]),
        (.maybeHeader, ["appendonsend"]),
        (
            .signature,
            [
                "signature", "applemailsignature", "linebreakatbeginningofsignature", "ms-outlook-mobile-signature", "ms-outlook-signature",
                "protonmail_signature_block",
            ]
        ),
    ])

    // MARK: Style

    private mutating func read(style: ArraySlice<UInt8>, _ element: HTMLElement) {
        let style = HTMLEntities.decoding(style.prefix(4000), in: .attribute)
        var hasNoHeight = false
        var clips = false
        var hasBar = false
        var isFramed = false
        var isIndented = false
        for declaration in style.split(separator: ASCII.semicolon) {
            guard let colon = declaration.firstIndex(of: ASCII.colon) else { continue }
            let name = declaration[..<colon].trimmed
            let value = declaration[(colon + 1)...].trimmed
            switch name.count {
            case 7 where name.matches("display"): if value.hasPrefix(ignoringCase: "none") { isHidden = true }
            case 7 where name.matches("opacity"): if Self.number(value) == 0 { isHidden = true }
            case 8 where name.matches("mso-hide"): if value.hasPrefix(ignoringCase: "all") { isHidden = true }
            case 8 where name.matches("overflow"): clips = value.hasPrefix(ignoringCase: "hidden")
            case 9 where name.matches("font-size"): isTiny = Self.isTiny(size: value)
            case 10 where name.matches("visibility"): if value.hasPrefix(ignoringCase: "hidden") { isHidden = true }
            case 10 where name.matches("max-height"), 6 where name.matches("height"): if Self.number(value) == 0 { hasNoHeight = true }
            case 10 where name.matches("border-top"):
                // Quirk(Outlook): a thin line above the header block of the earlier message.
                if mark == nil, value.asciiLowercased[...].index(of: Array("solid".utf8), from: 0) != nil { mark = .maybeHeader }
            case 11 where name.matches("border-left"): hasBar = Self.isDrawn(value)
            case 6 where name.matches("border"), 12 where name.matches("border-right"): isFramed = Self.isDrawn(value)
            case 7 where name.matches("padding"), 12 where name.matches("padding-left"), 6 where name.matches("margin"),
                11 where name.matches("margin-left"):
                isIndented = true
            default: break
            }
        }
        if hasNoHeight, clips { isHidden = true }
        // A bar at the left of an indented stretch is how a quote looks where it is no `blockquote`.
        if mark == nil, element == .div, hasBar, isIndented, !isFramed { mark = .bar }
    }

    /// Whether a border of this value is seen.
    private static func isDrawn(_ value: ArraySlice<UInt8>) -> Bool {
        let lower = value.asciiLowercased[...]
        guard lower.index(of: Array("solid".utf8), from: 0) != nil || lower.index(of: Array("dashed".utf8), from: 0) != nil else {
            return false
        }
        return !lower.split(separator: ASCII.space).contains { number($0) == 0 }
    }

    /// Nil when the size is not a plain length.
    private static func isTiny(size: ArraySlice<UInt8>) -> Bool? {
        guard let number = number(size) else { return nil }
        let unit = size.drop { $0.isDigit || $0 == ASCII.dot }.trimmed
        return number == 0 || (number <= 1000 && (unit.hasPrefix(ignoringCase: "px") || unit.hasPrefix(ignoringCase: "pt")))
    }

    /// A length or factor in thousandths; nil when it does not begin with a digit or a dot.
    private static func number(_ value: ArraySlice<UInt8>) -> Int? {
        var whole = 0
        var fraction = 0
        var places = 0
        var i = value.startIndex
        while i < value.endIndex, value[i].isDigit {
            whole = min(1_000_000, whole * 10 + Int(value[i] - 0x30))
            i += 1
        }
        let hasWhole = i > value.startIndex
        if i < value.endIndex, value[i] == ASCII.dot {
            i += 1
            while i < value.endIndex, value[i].isDigit {
                if places < 3 {
                    fraction = fraction * 10 + Int(value[i] - 0x30)
                    places += 1
                }
                i += 1
            }
        }
        guard hasWhole || places > 0 else { return nil }
        while places < 3 {
            fraction *= 10
            places += 1
        }
        return whole * 1000 + fraction
    }
}
