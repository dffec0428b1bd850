/// The elements of HTML that mail uses; whatever else there is counts as `other`, an inline element without meaning.
enum HTMLElement: String, CaseIterable {
    case a, b, blockquote, body, br, center, dir, div, font, head, hr, html, i, img, li, listing, menu, ol, p, pre, span, strong, table,
        tbody, td,
        textarea, tfoot, th, thead, tr, u, ul, xmp
    case address, article, aside, caption, dd, dl, dt, em, fieldset, figure, footer, form, h1, h2, h3, h4, h5, h6, header, legend, main,
        nav,
        option, section
    case area, base, col, embed, input, link, meta, param, source, track, wbr
    case script, style, title, noframes, template, select, iframe, noembed, object
    case other

    private static let names: [[UInt8]: HTMLElement] = Dictionary(
        uniqueKeysWithValues: allCases.filter { $0 != .other }.map { (Array($0.rawValue.utf8), $0) })

    /// The element of this name, which is in lower case.
    init(named name: [UInt8]) {
        self = Self.names[name] ?? .other
    }

    /// Whether the element never has content.
    var isVoid: Bool {
        switch self {
        case .br, .hr, .img, .area, .base, .col, .embed, .input, .link, .meta, .param, .source, .track, .wbr: true
        default: false
        }
    }

    /// Whether its content is not for reading.
    var isSkipped: Bool {
        switch self {
        case .script, .style, .title, .noframes, .template, .select, .iframe, .noembed, .object: true
        default: false
        }
    }

    /// Whether it begins and ends a line.
    var isLine: Bool {
        switch self {
        case .div, .tr, .section, .article, .header, .footer, .address, .dt, .dd, .form, .center, .table, .main, .nav, .aside, .figure,
            .fieldset, .legend, .option, .caption:
            true
        default: false
        }
    }

    var isHeading: Bool {
        switch self {
        case .h1, .h2, .h3, .h4, .h5, .h6: true
        default: false
        }
    }

    var isPreformatted: Bool { self == .pre || self == .textarea || self == .xmp || self == .listing }

    var isList: Bool { self == .ul || self == .ol || self == .menu || self == .dir }

    /// Whether it may stand inside a paragraph.
    var isInline: Bool {
        switch self {
        case .a, .b, .em, .font, .i, .span, .strong, .u, .other: true
        default: false
        }
    }

    /// Whether closing tags of elements outside do not reach through it.
    var isScope: Bool { self == .td || self == .th || self == .table || self == .caption }
}
