/// The open elements of a document and what they mean for the text inside them.
///
/// Missing closing tags close with what stands around them; closing tags without an opening one are passed over.
struct HTMLElementStack {
    /// What holds for text at one place.
    struct State {
        var quoteDepth = 0
        var listDepth = 0
        var part = HTMLBlock.Part.own
        var isHidden = false
        var isTiny = false
        var isPreformatted = false
        var isHeading = false
        var isBold = false
        var isListEntry = false
        /// Whether paragraphs are single lines.
        var paragraphsAreLines = false

        var isUnseen: Bool { isHidden || isTiny }
    }

    private struct Entry {
        var element: HTMLElement
        var state: State
        /// For a quote container: the first line inside it, as long as no quote has begun there.
        var awaitsQuoteSince: Int?
        /// For a list: entries so far.
        var count = 0
        var isOrdered = false
    }

    private var entries: [Entry] = []
    private var openCounts: [HTMLElement: Int] = [:]
    private var overflow = 0

    var state: State { entries.last?.state ?? State() }

    /// Opens an element; `line` is the number of the next line that would begin.
    mutating func open(_ element: HTMLElement, _ marks: HTMLMarks, line: Int) {
        guard entries.count < HTMLLimits.openElements else {
            overflow += 1
            return
        }
        var state = state
        var entry = Entry(element: element, state: state)
        if marks.isHidden { state.isHidden = true }
        if let isTiny = marks.isTiny { state.isTiny = isTiny }
        switch element {
        case .blockquote:
            endWaiting()
            state.quoteDepth += 1
            state.part = .earlier
        case .b, .strong: state.isBold = true
        case .li: state.isListEntry = true
        case .ul, .ol, .menu, .dir:
            state.listDepth += 1
            entry.isOrdered = element == .ol
        default:
            if element.isPreformatted { state.isPreformatted = true }
            if element.isHeading { state.isHeading = true }
        }
        if state.part == .own {
            switch marks.mark {
            case .attribution: state.part = .attribution
            case .earlier: state.part = .earlier
            case .signature: state.part = .signature
            case .quoteContainer:
                state.part = .attribution
                entry.awaitsQuoteSince = line
            case .quote:
                endWaiting()
                state.quoteDepth += 1
                state.part = .earlier
            case .bar where line > 0:
                state.quoteDepth += 1
                state.part = .earlier
            case .bar, .restIsEarlier, .maybeHeader, nil: break
            }
        }
        entry.state = state
        entries.append(entry)
        openCounts[element, default: 0] += 1
    }

    /// Closes the innermost element of this kind and what was left open inside it. Returns the first line of a quote container that closes
    /// without ever having held a quote.
    mutating func close(_ element: HTMLElement) -> Int? {
        if overflow > 0 {
            overflow -= 1
            return nil
        }
        guard openCounts[element, default: 0] > 0 else { return nil }
        var i = entries.count - 1
        let lowest = element == .blockquote ? 0 : max(0, entries.count - HTMLLimits.lookBack)
        while i >= lowest {
            if entries[i].element == element { return cut(to: i) }
            if entries[i].element.isScope, !element.isScope, element != .tr, element != .tbody, element != .blockquote { return nil }
            i -= 1
        }
        return nil
    }

    /// Closes what the beginning of `element` closes without a tag: an open paragraph, the entry or cell before.
    mutating func closeImplied(before element: HTMLElement) -> Int? {
        switch element {
        case .li, .tr, .tbody, .thead, .tfoot, .td, .th, .dt, .dd: break
        default:
            guard !element.isInline, !element.isVoid || element == .hr else { return nil }
            return closeParagraph()
        }
        var i = entries.count - 1
        var found: Int?
        let lowest = max(0, entries.count - HTMLLimits.lookBack)
        while i >= lowest, !Self.bounds(element, entries[i].element) {
            if Self.ends(element, entries[i].element) { found = i }
            i -= 1
        }
        return found.flatMap { cut(to: $0) }
    }

    /// Whether the beginning of `element` closes `open`.
    private static func ends(_ element: HTMLElement, _ open: HTMLElement) -> Bool {
        switch element {
        case .li: open == .li
        case .td, .th: open == .td || open == .th
        case .dt, .dd: open == .dt || open == .dd
        default: open == .tr
        }
    }

    /// Whether the search for what `element` closes ends at `open`.
    private static func bounds(_ element: HTMLElement, _ open: HTMLElement) -> Bool {
        switch element {
        case .li: open.isList || open.isScope || open == .blockquote
        case .td, .th: open == .tr || open == .table
        case .dt, .dd: open == .dl || open.isScope
        default: open == .table
        }
    }

    private mutating func closeParagraph() -> Int? {
        guard openCounts[.p, default: 0] > 0 else { return nil }
        var i = entries.count - 1
        let lowest = max(0, entries.count - HTMLLimits.lookBack)
        while i >= lowest {
            if entries[i].element == .p { return cut(to: i) }
            guard entries[i].element.isInline else { return nil }
            i -= 1
        }
        return nil
    }

    /// The marker number of the next entry of the innermost list, nil when that is not ordered.
    mutating func nextNumber(value: Int?) -> Int? {
        var i = entries.count - 1
        let lowest = max(0, entries.count - HTMLLimits.lookBack)
        while i >= lowest {
            if entries[i].element.isList {
                guard entries[i].isOrdered else { return nil }
                entries[i].count = value ?? entries[i].count + 1
                return entries[i].count
            }
            i -= 1
        }
        return nil
    }

    /// Says with which number the list that was just opened begins.
    mutating func beginList(at number: Int) {
        guard let last = entries.indices.last, entries[last].isOrdered else { return }
        entries[last].count = number - 1
    }

    mutating func setParagraphsAreLines(_ areLines: Bool) {
        guard let last = entries.indices.last else { return }
        entries[last].state.paragraphsAreLines = areLines
    }

    private mutating func cut(to index: Int) -> Int? {
        var container: Int?
        for entry in entries[index...] {
            openCounts[entry.element, default: 1] -= 1
            container = container ?? entry.awaitsQuoteSince
        }
        entries.removeSubrange(index...)
        return container
    }

    /// A quote begins: what stood before it in its container was its introduction, what comes behind it is the writer's own again.
    private mutating func endWaiting() {
        var i = entries.count - 1
        let lowest = max(0, entries.count - HTMLLimits.lookBack)
        while i >= lowest, entries[i].awaitsQuoteSince == nil { i -= 1 }
        guard i >= lowest else { return }
        entries[i].awaitsQuoteSince = nil
        for j in i..<entries.count where entries[j].state.part == .attribution { entries[j].state.part = .own }
    }
}
