/// Reads the dates that mail programs write: a total scan for day, month, year, time and zone in any usual order.
struct DateParser {
    private let bytes: ArraySlice<UInt8>
    private var i: Int
    private var day: Int?
    private var month: Int?
    private var year: Int?
    private var secondOfDay: Int?
    private var afternoon: Bool?
    private var offsetMinutes: Int?

    init(_ bytes: ArraySlice<UInt8>) {
        // No honest date is longer; the rest can only cost time.
        self.bytes = bytes.prefix(200)
        i = bytes.startIndex
    }

    mutating func parse() -> MessageDate? {
        while i < bytes.endIndex {
            let byte = bytes[i]
            switch byte {
            case ASCII.openParen: skipComment()
            case 0x30...0x39: readNumber()
            case ASCII.plus, ASCII.hyphen: readSign()
            case 0x41...0x5A, 0x61...0x7A: readWord()
            default: i += 1
            }
        }
        guard let day, let month, let year, let date = CivilDate(year: year, month: month, day: day) else { return nil }
        var second = secondOfDay ?? 0
        if let afternoon, second < 13 * 3600 {
            second = second % (12 * 3600) + (afternoon ? 12 * 3600 : 0)
        }
        let offset = offsetMinutes ?? 0
        let seconds = Int64(date.daysSinceEpoch) * 86_400 + Int64(second) - Int64(offset) * 60
        return MessageDate(timestamp: Timestamp(seconds: seconds), offsetMinutes: offset)
    }

    private mutating func skipComment() {
        var depth = 0
        while i < bytes.endIndex {
            switch bytes[i] {
            case ASCII.openParen: depth += 1
            case ASCII.closeParen: depth -= 1
            case ASCII.backslash: i += 1
            default: break
            }
            i += 1
            if depth == 0 { return }
        }
        i = bytes.endIndex
    }

    /// The digits at the cursor as a number, at most nine of them.
    private mutating func digits() -> (value: Int, count: Int) {
        var value = 0
        var count = 0
        while i < bytes.endIndex, bytes[i].isDigit {
            if count < 9 { value = value * 10 + Int(bytes[i] - 0x30) }
            count += 1
            i += 1
        }
        return (value, count)
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        i + offset < bytes.endIndex ? bytes[i + offset] : nil
    }

    private mutating func readNumber() {
        let (value, count) = digits()
        if secondOfDay == nil, count <= 2, colonFollows() || (day != nil && month != nil && year != nil && peek() == ASCII.dot) {
            readTime(hour: value)
        } else if year == nil, month == nil, let separator = peek(), [ASCII.hyphen, ASCII.slash, ASCII.dot].contains(separator),
            peek(1)?.isDigit == true, count == 4 || (count <= 2 && day == nil)
        {
            readNumericDate(first: value, isYear: count == 4, separator)
        } else if day == nil, count <= 3, (1...31).contains(value) {
            day = value
            if peek() == ASCII.hyphen, peek(1)?.isLetter == true { i += 1 }
        } else if year == nil {
            setYear(value, digits: count)
        }
    }

    /// Whether a colon follows, behind the spaces and comments that the obsolete syntax allows there; moves to it.
    private mutating func colonFollows() -> Bool {
        let start = i
        skipSpaceAndComments()
        if peek() == ASCII.colon { return true }
        i = start
        return false
    }

    private mutating func skipSpaceAndComments() {
        while let byte = peek(), byte.isWhitespace || byte == ASCII.openParen {
            if byte == ASCII.openParen { skipComment() } else { i += 1 }
        }
    }

    private mutating func setYear(_ value: Int, digits: Int) {
        switch digits {
        case 2: year = value < 50 ? 2000 + value : 1900 + value
        case 3: year = 1900 + value
        case 4: year = value
        default: break
        }
    }

    /// The rest of a date in numbers: ISO 8601, or day, month and year as some programs write them against the rules. With slashes the
    /// month comes first unless it can only be the day.
    private mutating func readNumericDate(first: Int, isYear: Bool, _ separator: UInt8) {
        i += 1
        let second = digits().value
        guard peek() == separator, peek(1)?.isDigit == true else { return }
        i += 1
        let third = digits()
        if isYear {
            (year, month, day) = (first, second, third.value)
            if peek().map({ $0 | 0x20 }) == 0x74 { i += 1 }
        } else {
            setYear(third.value, digits: third.count)
            let isMonthFirst = second > 12 || (separator == ASCII.slash && first <= 12)
            (month, day) = isMonthFirst ? (first, second) : (second, first)
        }
    }

    private mutating func readTime(hour: Int) {
        var second = 0
        i += 1
        skipSpaceAndComments()
        let minute = digits()
        if colonFollows() || (peek() == ASCII.dot && peek(1)?.isDigit == true) {
            i += 1
            skipSpaceAndComments()
            second = digits().value
            if peek() == ASCII.dot || peek() == ASCII.comma, peek(1)?.isDigit == true {
                i += 1
                _ = digits()
            }
        }
        guard hour <= 24, minute.count > 0, minute.value < 60, second <= 60 else { return }
        secondOfDay = hour * 3600 + minute.value * 60 + second
    }

    private mutating func readSign() {
        let negative = bytes[i] == ASCII.hyphen
        i += 1
        guard secondOfDay != nil, peek()?.isDigit == true else { return }
        var (value, count) = digits()
        if count <= 2, peek() == ASCII.colon {
            i += 1
            let minutes = digits()
            (value, count) = (value * 100 + minutes.value % 100, 4)
        } else if count <= 2 {
            value *= 100
        } else if count > 4 {
            return
        }
        let minutes = value / 100 * 60 + value % 100
        guard value % 100 < 60, minutes < 1440, offsetMinutes == nil || offsetMinutes == 0 else { return }
        offsetMinutes = negative ? -minutes : minutes
    }

    private mutating func readWord() {
        let start = i
        while i < bytes.endIndex, bytes[i].isLetter { i += 1 }
        let word = bytes[start..<i].asciiLowercased
        if word.count >= 3, month == nil, let index = Self.months.firstIndex(of: Array(word.prefix(3))), Self.isMonth(word, index) {
            month = index + 1
            if peek() == ASCII.hyphen, peek(1)?.isDigit == true { i += 1 }
        } else if word.matches("am") || word.matches("pm"), secondOfDay != nil {
            afternoon = word.matches("pm")
        } else if secondOfDay != nil, offsetMinutes == nil {
            offsetMinutes = ZoneNames.offsetMinutes(word)
        }
    }

    private static let months = MessageDate.monthNames.map { $0.utf8.asciiLowercased }
    private static let longMonths = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ].map { Array($0.utf8) }

    private static func isMonth(_ word: [UInt8], _ index: Int) -> Bool {
        word.count == 3 || longMonths[index].starts(with: word) || word.matches("sept")
    }
}

/// The zone names of RFC 822 §5.1 and the others that mail programs write, in minutes east of UTC.
enum ZoneNames {
    /// Nil for an unknown name. Single military letters count as 0 because they were published with the wrong sign (RFC 5322 §4.3).
    static func offsetMinutes(_ name: [UInt8]) -> Int? {
        if name.count == 1 { return name[0] | 0x20 == 0x6A ? nil : 0 }
        return table.first { name.matches($0.name) }?.minutes
    }

    private static let table: [(name: String, minutes: Int)] = [
        ("gmt", 0), ("ut", 0), ("utc", 0), ("wet", 0), ("west", 60), ("bst", 60),
        ("cet", 60), ("cest", 120), ("met", 60), ("mest", 120), ("mez", 60), ("mesz", 120), ("mewt", 60), ("swt", 60), ("sst", 120),
        ("eet", 120), ("eest", 180), ("sast", 120), ("msk", 180), ("msd", 240), ("trt", 180), ("ist", 330),
        ("hkt", 480), ("sgt", 480), ("awst", 480), ("jst", 540), ("kst", 540),
        ("acst", 570), ("acdt", 630), ("aest", 600), ("aedt", 660), ("nzst", 720), ("nzdt", 780),
        ("nst", -210), ("ndt", -150), ("ast", -240), ("adt", -180), ("est", -300), ("edt", -240), ("cst", -360), ("cdt", -300),
        ("mst", -420), ("mdt", -360), ("pst", -480), ("pdt", -420), ("akst", -540), ("akdt", -480), ("hst", -600),
        ("brt", -180), ("brst", -120), ("art", -180), ("clt", -240),
    ]
}
