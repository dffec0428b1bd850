extension Response {
    /// Reads a frame. Total: what cannot be read is `unrecognized`.
    init(_ frame: Frame, quirks: Quirks = Quirks()) {
        self = Self.parse(frame, quirks) ?? .unrecognized(frame)
    }

    private static func parse(_ frame: Frame, _ quirks: Quirks) -> Response? {
        var cursor = FrameCursor(frame, quirks: quirks)
        if frame.isOverlong, !Frame.endsInFreeText(frame.text[...]) { return nil }
        if cursor.take(UInt8(ascii: "+")) {
            // Quirk(Exchange 2003): `+` alone; QuirksTests "missing text".
            guard cursor.take(ASCII.space) || (quirks.missingText && cursor.rest.isEmpty) else { return nil }
            return .continuation(Array(cursor.rest))
        }
        guard let first = cursor.word(), cursor.space() else { return nil }
        guard first == [UInt8(ascii: "*")] else {
            guard let word = cursor.word(), let condition = Condition(word: word), condition.isAnswer,
                let status = status(condition, &cursor, quirks)
            else { return nil }
            return .tagged(Array(first), status)
        }
        guard let word = cursor.word() else { return nil }
        if let number = ASCII.uint32(word) { return numbered(number, &cursor, quirks) }
        if let condition = Condition(word: word) { return status(condition, &cursor, quirks).map { .status($0) } }
        return named(ASCII.upper(word), &cursor, quirks)
    }

    /// Reads the optional code and the text behind a condition.
    private static func status(_ condition: Condition, _ cursor: inout FrameCursor, _ quirks: Quirks) -> StatusResponse? {
        // Quirk(Exchange 2003): no text behind the condition; QuirksTests "missing text".
        guard cursor.space() || (quirks.missingText && cursor.rest.isEmpty) else { return nil }
        guard quirks.missingText || !cursor.rest.isEmpty else { return nil }
        var code: ResponseCode?
        var inside = cursor
        if inside.take(UInt8(ascii: "[")), let parsed = ResponseCode.parse(&inside) {
            code = parsed
            cursor = inside
            cursor.skipSpaces()
        }
        let text = cursor.rest
        if code == nil, quirks.codeAtEnd { code = codeAtEnd(of: text) }
        return StatusResponse(condition: condition, code: code, text: Array(text))
    }

    /// Quirk(Gmail): `A7 OK Success [THROTTLED]`; QuirksTests "code at the end".
    private static func codeAtEnd(of text: ArraySlice<UInt8>) -> ResponseCode? {
        func ends(in word: StaticString) -> Bool { ASCII.equalFolded(text.suffix(word.utf8CodeUnitCount), ASCII.bytes(word)[...]) }
        return ends(in: "[THROTTLED]") ? .throttled : ends(in: "[OVERQUOTA]") ? .overQuota : nil
    }

    private static func numbered(_ number: UInt32, _ cursor: inout FrameCursor, _ quirks: Quirks) -> Response? {
        guard cursor.space(), let word = cursor.word() else { return nil }
        switch ASCII.upper(word) {
        case "EXISTS": return cursor.isAtEnd ? .exists(number) : nil
        case "RECENT": return cursor.isAtEnd ? .recent(number) : nil
        case "EXPUNGE": return cursor.isAtEnd ? .expunge(number) : nil
        case "FETCH":
            guard cursor.space() else { return nil }
            return FetchResponse.parse(&cursor, quirks: quirks).map { .fetch($0) }
        default: return nil
        }
    }

    private static func named(_ name: [UInt8], _ cursor: inout FrameCursor, _ quirks: Quirks) -> Response? {
        switch name {
        case "SEARCH":
            return search(&cursor, quirks)
        case "CAPABILITY", "ENABLED":
            let words = cursor.words()
            guard cursor.isAtEnd else { return nil }
            return name == ASCII.bytes("ENABLED") ? .enabled(Capabilities(words)) : .capability(Capabilities(words))
        case "FLAGS":
            guard cursor.space(), let flags = cursor.wordList(), cursor.isAtEnd else { return nil }
            return .flags(flags)
        case "LIST", "XLIST":
            return list(&cursor)
        case "STATUS":
            return mailboxStatus(&cursor)
        case "NAMESPACE":
            return .namespace
        case "ID":
            return .id
        default:
            return nil
        }
    }

    private static func search(_ cursor: inout FrameCursor, _ quirks: Quirks) -> Response? {
        var uids: [UID] = []
        while true {
            if quirks.extraSpaces { cursor.skipSpaces() }
            if cursor.isAtEnd { return .search(uids) }
            if !quirks.extraSpaces, !cursor.space() { return nil }
            // `(MODSEQ n)` may stand at the end (RFC 7162 §3.1.5).
            if cursor.peek == UInt8(ascii: "(") { return cursor.skipValue() && cursor.isAtEnd ? .search(uids) : nil }
            guard let word = cursor.word() else { return nil }
            // Quirk(various): a number that is no UID is left out; QuirksTests "invalid numbers".
            if let uid = ASCII.uint32(word).flatMap(UID.init) { uids.append(uid) } else if !quirks.invalidNumbers { return nil }
        }
    }

    private static func list(_ cursor: inout FrameCursor) -> Response? {
        guard cursor.space(), let attributes = cursor.wordList(), cursor.space(), let delimiter = cursor.nstring(), cursor.space(),
            let bytes = cursor.astring(), let name = MailboxName(wire: bytes)
        else { return nil }
        var mark: UInt8?
        if case .bytes(let text) = delimiter { mark = text.first }
        return .list(ListedMailbox(attributes: attributes.map { ASCII.upper($0) }, delimiter: mark, name: name))
    }

    private static func mailboxStatus(_ cursor: inout FrameCursor) -> Response? {
        guard cursor.space(), let bytes = cursor.astring(), let name = MailboxName(wire: bytes), cursor.space(),
            let items = cursor.wordList(), cursor.isAtEnd, items.count % 2 == 0
        else { return nil }
        var status = MailboxStatus(name: name)
        for index in stride(from: 0, to: items.count, by: 2) {
            let value = ASCII.uint32(items[index + 1][...])
            switch ASCII.upper(items[index]) {
            case "HIGHESTMODSEQ": status.highestModSeq = ASCII.uint64(items[index + 1][...])
            case "MESSAGES": status.messages = value
            case "UIDNEXT": status.uidNext = value.flatMap(UID.init)
            case "UIDVALIDITY": status.uidValidity = value.flatMap(UIDValidity.init)
            default: break
            }
        }
        return .mailboxStatus(status)
    }
}
