import InternetMessage

/// A day that a text names.
struct DateMention: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// A day of a month, by name or numbers.
        case calendar
        /// "Monday", "tomorrow", "in two weeks".
        case relative
        /// A month, quarter or year only; the date is its first day, of "mid May" the 15th, of "end of May" the last.
        case period
    }

    var date: CivilDate
    var kind: Kind
    /// Places of its first and last token.
    var first: Int
    var last: Int
    /// The last day of a month, named as its end.
    var isLastDay = false
    /// How long something lasts that begins today: "for 3 days".
    var isDuration = false
}

/// Reads the days that a text names, as its writer meant them on the day it was written.
///
/// Numbers such as 08/07 are read by what the rest of the text proves (a number above 12, the message's own day), then by the zone the
/// message was written in (the Americas write the month first in English), and otherwise day first.
struct DateReader {
    let words: DateWords
    let tokens: [DateToken]
    let today: CivilDate
    private(set) var mentions: [DateMention] = []
    private let monthFirst: Bool
    let isEnglish: Bool

    /// `today` is the day of the message's Date where it was written.
    init(_ text: String, today: CivilDate, offsetMinutes: Int, isEnglish: Bool, words: DateWords) {
        self.words = words
        self.today = today
        tokens = DateToken.tokens(of: text, words: words)
        self.isEnglish = isEnglish
        monthFirst = Self.monthFirst(tokens, today, american: isEnglish && (-600 ... -240).contains(offsetMinutes))
        read()
    }

    // MARK: Order of numbers

    static func numeric(_ tokens: [DateToken], at i: Int) -> (first: Int, second: Int, year: Int?, count: Int, mark: UInt8)? {
        guard case .number(let a, let digitsA) = tokens[i].kind, digitsA <= 2, i + 2 < tokens.count,
            case .mark(let mark) = tokens[i + 1].kind, tokens[i + 1].isGlued, [0x2E, 0x2F, 0x2D].contains(mark),
            case .number(let b, let digitsB) = tokens[i + 2].kind, digitsB <= 2
        else { return nil }
        if i > 0, case .mark(let before) = tokens[i - 1].kind, tokens[i].isGlued, before != 0x2C, before != 0x2D { return nil }
        if i + 4 < tokens.count, tokens[i + 3].kind == .mark(mark), tokens[i + 3].isGlued,
            case .number(let year, let digits) = tokens[i + 4].kind,
            digits == 4 || (digits == 2 && tokens[i + 4].isGlued && tokens[i + 2].isGlued)
        {
            return (a, b, digits == 4 ? year : 2000 + year, 5, mark)
        }
        guard tokens[i + 2].isGlued || mark == 0x2E else { return nil }
        // Without a year only shapes that are hardly anything else: "17.08." and "17/08".
        if mark == 0x2E {
            let dotted = i + 3 < tokens.count && tokens[i + 3].kind == .mark(0x2E) && tokens[i + 3].isGlued
            guard dotted || (digitsA == 2 && digitsB == 2 && b <= 12 && tokens[i + 2].isGlued) else { return nil }
            return (a, b, nil, dotted ? 4 : 3, mark)
        }
        guard mark == 0x2F else { return nil }
        return (a, b, nil, 3, mark)
    }

    private static func monthFirst(_ tokens: [DateToken], _ today: CivilDate, american: Bool) -> Bool {
        var votes = 0
        // Days in reach of the message, read in each order; without a year they prove something only together.
        var fits = (monthFirst: 0, dayFirst: 0)
        var bare: [(Int, Int)] = []
        func isNear(_ year: Int, _ month: Int, _ day: Int, _ reach: ClosedRange<Int>) -> Bool {
            CivilDate(year: year, month: month, day: day).map { reach.contains($0.daysSinceEpoch - today.daysSinceEpoch) } ?? false
        }
        for i in tokens.indices {
            guard let (a, b, year, _, mark) = numeric(tokens, at: i), mark != 0x2E else { continue }
            if let year {
                if isNear(year, a, b, -45...330) { fits.monthFirst += 1 }
                if isNear(year, b, a, -45...330) { fits.dayFirst += 1 }
            } else {
                bare.append((a, b))
            }
            if a > 12, b <= 12 { votes -= 2 }
            if b > 12, a <= 12 { votes += 2 }
            // The message often says when ours was sent.
            if year == today.year, a != b {
                if a == today.month, b == today.day { votes += 1 }
                if b == today.month, a == today.day { votes -= 1 }
            }
        }
        for (a, b) in bare where bare.count > 1 {
            let years = [today.year, today.year + 1]
            if years.contains(where: { isNear($0, a, b, -20...120) }) { fits.monthFirst += 1 }
            if years.contains(where: { isNear($0, b, a, -20...120) }) { fits.dayFirst += 1 }
        }
        if votes == 0, fits.monthFirst != fits.dayFirst { return fits.monthFirst > fits.dayFirst }
        return votes == 0 ? american : votes > 0
    }

    // MARK: Mentions

    private mutating func read() {
        var i = 0
        while i < tokens.count {
            if let mention = mention(at: i) {
                mentions.append(mention)
                i = mention.last + 1
                // "3-17 August" reads as the 17th; "August 3-17" ends on the 17th too.
                if mention.kind == .calendar, let end = rangeEnd(after: mention) {
                    mentions.append(end)
                    i = end.last + 1
                }
            } else {
                i += 1
            }
        }
    }

    func word(_ i: Int) -> DateWords.Word? {
        guard i >= 0, i < tokens.count, case .word(let word) = tokens[i].kind else { return nil }
        guard case .shortWeekday(let day)? = word else { return word }
        guard i + 1 < tokens.count, case .word(let next) = tokens[i + 1].kind else { return .weekday(day) }
        switch next {
        case .month?, .the?: return .weekday(day)
        default: return nil
        }
    }

    /// The word before place `i`, over the end of a line: mail is broken anywhere.
    func wordBefore(_ i: Int) -> DateWords.Word? { word(i > 0 && tokens[i - 1].kind == .lineEnd ? i - 2 : i - 1) }

    /// The place itself, or the one behind the end of a line there.
    func overLineEnd(_ i: Int) -> Int { i < tokens.count && tokens[i].kind == .lineEnd ? i + 1 : i }

    func number(_ i: Int) -> (value: Int, digits: Int)? {
        if i >= 0, i < tokens.count, case .number(let value, let digits) = tokens[i].kind { return (value, digits) }
        return nil
    }

    func isMark(_ i: Int, _ byte: UInt8) -> Bool { i >= 0 && i < tokens.count && tokens[i].kind == .mark(byte) }

    private func mention(at i: Int) -> DateMention? {
        if let mention = iso(at: i) ?? numbers(at: i) ?? dayMonth(at: i) ?? monthDay(at: i) ?? quarter(at: i) ?? dayAlone(at: i) {
            return mention
        }
        return relative(at: i)
    }

    private func iso(at i: Int) -> DateMention? {
        guard let (year, digits) = number(i) else { return nil }
        // 20260817
        if digits == 8, year / 10_000 == today.year || year / 10_000 == today.year + 1,
            let date = CivilDate(year: year / 10_000, month: year / 100 % 100, day: year % 100)
        {
            return DateMention(date: date, kind: .calendar, first: i, last: i)
        }
        if digits == 4, (1990...2100).contains(year) {
            for mark: UInt8 in [0x2D, 0x2E, 0x2F] where isMark(i + 1, mark) && isMark(i + 3, mark) {
                if let month = number(i + 2), let day = number(i + 4), let date = CivilDate(year: year, month: month.value, day: day.value)
                {
                    return DateMention(date: date, kind: .calendar, first: i, last: i + 4)
                }
            }
            // 2026年8月17日
            if word(i + 1) == .year, tokens[i + 1].isGlued, let month = number(i + 2), word(i + 3) == .monthUnit, let day = number(i + 4),
                let date = CivilDate(year: year, month: month.value, day: day.value)
            {
                return DateMention(date: date, kind: .calendar, first: i, last: i + 5)
            }
        }
        // 8月17日, 8월 17일
        if word(i + 1) == .monthUnit, tokens[i + 1].isGlued, let day = number(i + 2), word(i + 3) == .day, tokens[i + 3].isGlued,
            let date = resolve(year, day.value, nil, i, i + 3)
        {
            return DateMention(date: date, kind: .calendar, first: i, last: i + 3)
        }
        return nil
    }

    private func numbers(at i: Int) -> DateMention? {
        guard let (a, b, year, count, mark) = Self.numeric(tokens, at: i), a >= 1, b >= 1 else { return nil }
        var last = i + count - 1
        // "17.08. 2026"
        var fullYear = year
        if year == nil, mark == 0x2E, let next = number(last + 1), next.digits == 4, (2000...2100).contains(next.value) {
            fullYear = next.value
            last += 1
        }
        let isMonthFirst = mark == 0x2F || mark == 0x2D ? (a > 12 ? false : b > 12 ? true : monthFirst) : false
        let (month, day) = isMonthFirst ? (a, b) : (b, a)
        guard let date = resolve(month, day, fullYear, i, last) else { return nil }
        return DateMention(date: date, kind: .calendar, first: i, last: last)
    }

    func isGap(_ i: Int) -> Bool {
        isMark(i, 0x2E) || isMark(i, 0x2C) || word(i) == .the || word(i) == .ordinal
            || (i >= 0 && i < tokens.count && tokens[i].kind == .lineEnd)
    }

    private func year(at start: Int) -> (value: Int, last: Int)? {
        var i = start
        while i < start + 3, isGap(i) { i += 1 }
        guard let next = number(i), next.digits == 4 else { return nil }
        // Thailand counts from 543 years earlier.
        if next.value - 543 == today.year || next.value - 543 == today.year + 1 { return (next.value - 543, i) }
        return (2000...2100).contains(next.value) ? (next.value, i) : nil
    }

    /// 17 August, 17th of August 2026, 17. August, 17 de agosto de 2026
    private func dayMonth(at i: Int) -> DateMention? {
        guard let (day, digits) = number(i), digits <= 2, (1...31).contains(day) else { return nil }
        if let mention = hyphened(at: i) { return mention }
        var j = i + 1
        while j < i + 4, isGap(j) { j += 1 }
        // "16 or 17 August" and "3 to 17 August" are read at their last number.
        guard case .month(let month)? = word(j) else { return nil }
        let year = year(at: j + 1)
        let last = year?.last ?? j
        guard let date = resolve(month, day, year?.value, i, last) else { return nil }
        return DateMention(date: date, kind: .calendar, first: i, last: last)
    }

    /// 17-Aug-26, 17-Aug-2026, 17-Aug
    private func hyphened(at i: Int) -> DateMention? {
        guard let (day, _) = number(i), isMark(i + 1, 0x2D), tokens[i + 1].isGlued, case .month(let month)? = word(i + 2),
            tokens[i + 2].isGlued
        else { return nil }
        if isMark(i + 3, 0x2D), tokens[i + 3].isGlued, let (year, digits) = number(i + 4), tokens[i + 4].isGlued, digits == 2 || digits == 4
        {
            return CivilDate(year: digits == 2 ? 2000 + year : year, month: month, day: day)
                .map { DateMention(date: $0, kind: .calendar, first: i, last: i + 4) }
        }
        return resolve(month, day, year(at: i + 3)?.value, i, i + 2).map {
            DateMention(date: $0, kind: .calendar, first: i, last: year(at: i + 3)?.last ?? i + 2)
        }
    }

    /// August 17, Aug. 17th, 2026
    private func monthDay(at i: Int) -> DateMention? {
        guard case .month(let month)? = word(i) else { return nil }
        var j = i + 1
        if isMark(j, 0x2E) { j += 1 }
        if word(j) == .the { j += 1 }
        guard let (day, digits) = number(j), digits <= 2, (1...31).contains(day), !isTime(j) else { return nil }
        var last = j
        if word(j + 1) == .ordinal, tokens[j + 1].isGlued { last = j + 1 }
        let year = year(at: last + 1)
        last = year?.last ?? last
        guard let date = resolve(month, day, year?.value, i, last) else { return nil }
        return DateMention(date: date, kind: .calendar, first: i, last: last)
    }

    func isTime(_ i: Int) -> Bool {
        isMark(i + 1, 0x3A) && i + 1 < tokens.count && tokens[i + 1].isGlued
    }

    private func rangeEnd(after mention: DateMention) -> DateMention? {
        let i = mention.last + 1
        guard isMark(i, 0x2D) || word(i) == .until, let (day, digits) = number(i + 1), digits <= 2, (1...31).contains(day), !isTime(i + 1)
        else { return nil }
        // A full date behind the dash is read on its own.
        if Self.numeric(tokens, at: i + 1) != nil || dayMonth(at: i + 1) != nil { return nil }
        guard case .month? = word(mention.first), day > mention.date.day,
            let date = CivilDate(year: mention.date.year, month: mention.date.month, day: day)
        else { return nil }
        return DateMention(date: date, kind: .calendar, first: i + 1, last: i + 1)
    }

    /// The day with this month and day: of the year named, else of the year in which the weekday beside it is right, else the nearest.
    func resolve(_ month: Int, _ day: Int, _ year: Int?, _ first: Int, _ last: Int) -> CivilDate? {
        if let year { return CivilDate(year: year, month: month, day: day) }
        let weekday = weekday(beside: first, last)
        var candidates: [CivilDate] = []
        for year in (today.year - 1)...(today.year + 1) {
            guard let date = CivilDate(year: year, month: month, day: day) else { continue }
            let distance = date.daysSinceEpoch - today.daysSinceEpoch
            if (-45...330).contains(distance) { candidates.append(date) }
        }
        if let weekday, let match = candidates.first(where: { $0.weekday == weekday }) { return match }
        return candidates.first
    }

    func isWeekday(_ i: Int) -> Bool {
        if case .weekday? = word(i) { true } else { false }
    }

    private func weekday(beside first: Int, _ last: Int) -> Int? {
        for i in (first - 4)..<first {
            if case .weekday(let day)? = word(i) { return day }
        }
        for i in (last + 1)...(last + 2) {
            if case .weekday(let day)? = word(i) { return day }
        }
        return nil
    }

    // MARK: Relative days and periods

    private func relative(at i: Int) -> DateMention? {
        switch word(i) {
        case .tomorrow?: return DateMention(date: today.adding(days: 1), kind: .relative, first: i, last: i)
        case .weekday(let weekday)?:
            // A weekday that only stands beside a date is no mention of its own.
            for j in (i + 1)..<(i + 5) {
                if mentionsDay(at: j) { return nil }
                guard isGap(j) else { break }
            }
            let beside = numbered(weekday, at: i)
            if case .day(let mention) = beside { return mention }
            if case .contradiction = beside { return nil }
            if let last = mentions.last, last.kind == .calendar, i - last.last <= 2, (last.last + 1..<i).allSatisfy({ isGap($0) }) {
                return nil
            }
            // "until Friday 10 April, back Monday": the Monday behind that.
            let base = isNear(i, i, [.back]) ? endOfAbsence : today
            let ahead = (weekday - base.weekday + 6) % 7 + 1
            // "until Monday week": the one after the next.
            let isWeekLater = word(i + 1) == .week && number(i + 2) == nil
            return DateMention(
                date: base.adding(days: ahead + (isWeekLater ? 7 : 0)), kind: .relative, first: i, last: isWeekLater ? i + 1 : i)
        case .month(let month)?:
            let year = year(at: i + 1)
            // Some names of months are common words: alone they count behind "in", "until", "next" and the like only.
            var day = 1
            switch wordBefore(i) {
            case .part(let part)?: day = part
            case .the?: if case .part(let part)? = wordBefore(i - 1) { day = part }
            case .inWord?, .until?, .from?, .next?, .back?: break
            default: if year == nil { return nil }
            }
            func date(in year: Int) -> CivilDate? {
                CivilDate(year: year, month: month, day: min(day, CivilDate.days(inMonth: month, of: year)))
            }
            var found = date(in: year?.value ?? today.year)
            if year == nil, let day = found, day <= today { found = date(in: today.year + 1) }
            return found.map { DateMention(date: $0, kind: .period, first: i, last: year?.last ?? i, isLastDay: day == 31) }
        case .next?:
            for j in (i + 1)...(i + 2) {
                if let mention = nextPeriod(word(j), first: i, last: j) { return mention }
                if case .weekday(let weekday)? = word(j) {
                    // "next Monday" is the Monday of next week.
                    if mentionsDay(at: j + 1) || (isGap(j + 1) && mentionsDay(at: j + 2)) { return nil }
                    guard case .none = numbered(weekday, at: j) else { return nil }
                    let monday = today.adding(days: 8 - today.weekday)
                    let nearest = (weekday - today.weekday + 6) % 7 + 1
                    let date = today.weekday <= weekday && nearest < 3 ? monday.adding(days: weekday - 1) : today.adding(days: nearest)
                    return DateMention(date: date, kind: .relative, first: i, last: j)
                }
            }
            return nil
        case .week?, .monthUnit?, .year?, .quarter?:
            // "semaine prochaine": the word for next stands behind.
            return word(i + 1) == .next ? nextPeriod(word(i), first: i, last: i + 1) : nil
        case .inWord?: return count(at: i)
        case .part(31)?:
            // "the end of the month"
            var j = i + 1
            while j < i + 4, isGap(j) || word(j) == .from || word(j) == .until { j += 1 }
            guard word(j) == .monthUnit else { return nil }
            let day = CivilDate.days(inMonth: today.month, of: today.year)
            return CivilDate(year: today.year, month: today.month, day: day).map {
                DateMention(date: $0, kind: .period, first: i, last: j, isLastDay: true)
            }
        default: break
        }
        return count(at: i - 1)
    }

    func mentionsDay(at i: Int) -> Bool {
        guard i < tokens.count else { return false }
        return iso(at: i) != nil || Self.numeric(tokens, at: i) != nil || dayMonth(at: i) != nil || monthDay(at: i) != nil
    }

    private func nextPeriod(_ word: DateWords.Word?, first: Int, last: Int) -> DateMention? {
        let date: CivilDate?
        switch word {
        case .week?: date = today.adding(days: 8 - today.weekday)
        case .monthUnit?:
            date =
                today.month == 12
                ? CivilDate(year: today.year + 1, month: 1, day: 1) : CivilDate(year: today.year, month: today.month + 1, day: 1)
        case .quarter?:
            let start = (today.month - 1) / 3 * 3 + 4
            date = start > 12 ? CivilDate(year: today.year + 1, month: 1, day: 1) : CivilDate(year: today.year, month: start, day: 1)
        case .year?: date = CivilDate(year: today.year + 1, month: 1, day: 1)
        default: date = nil
        }
        return date.map { DateMention(date: $0, kind: .period, first: first, last: last) }
    }

    /// "in 6 weeks", "6 months": a number and a unit.
    private func count(at i: Int) -> DateMention? {
        var j = overLineEnd(i + 1)
        if word(j) == .the { j += 1 }
        // 11月10日 begins with no eleven months.
        if mentionsDay(at: j) { return nil }
        let amount: Int
        if let number = number(j), number.digits <= 3 {
            amount = number.value
        } else if case .number(let value)? = word(j) {
            amount = value
        } else {
            return nil
        }
        guard (1...400).contains(amount) else { return nil }
        j = overLineEnd(j + 1)
        // "We built our own two years back."
        if word(j + 1) == .back, word(i) != .inWord { return nil }
        let date: CivilDate?
        switch word(j) {
        case .day?: date = today.adding(days: amount)
        case .week?: date = today.adding(days: amount * 7)
        case .monthUnit?: date = today.adding(months: amount)
        case .year?: date = amount <= 5 ? today.adding(months: amount * 12) : nil
        default: date = nil
        }
        return date.map {
            DateMention(
                date: $0, kind: .relative, first: max(0, i), last: j, isDuration: isLasting(i) && (word(j) == .day || word(j) == .week))
        }
    }

    /// Whether a number behind place `i` says how long something lasts: "for 3 days", "for the next two weeks".
    private func isLasting(_ i: Int) -> Bool {
        var k = i
        while k >= 0, k > i - 3, word(k) == .the || word(k) == .next { k -= 1 }
        return word(k) == .lasting
    }

    /// "Q2", "Quartal 2", "2nd quarter", with the year behind it or the next one; without a year the next that begins.
    private func quarter(at i: Int) -> DateMention? {
        let found: (number: Int, last: Int)
        if word(i) == .quarter, let next = number(i + 1), next.digits == 1 {
            found = (next.value, i + 1)
        } else if let first = number(i), first.digits == 1, isMark(i + 1, 0x2E) || word(i + 1) == .ordinal, word(i + 2) == .quarter {
            found = (first.value, i + 2)
        } else {
            return nil
        }
        guard (1...4).contains(found.number) else { return nil }
        let month = found.number * 3 - 2
        var last = found.last
        var date: CivilDate?
        if let year = year(at: last + 1) {
            last = year.last
            date = CivilDate(year: year.value, month: month, day: 1)
        } else if let place = (last + 1...last + 3).first(where: { word($0) == .year }),
            (last + 1...place + 1).contains(where: { word($0) == .next })
        {
            last = word(place + 1) == .next ? place + 1 : place
            date = CivilDate(year: today.year + 1, month: month, day: 1)
        } else {
            date = [today.year, today.year + 1].lazy.compactMap { CivilDate(year: $0, month: month, day: 1) }.first { $0 > today }
        }
        return date.map { DateMention(date: $0, kind: .period, first: i, last: last) }
    }
}

extension CivilDate {
    /// The same day of the month `months` later, the last one of that month where it is shorter.
    func adding(months: Int) -> CivilDate? {
        let index = year * 12 + month - 1 + months
        let (newYear, newMonth) = (index / 12, index % 12 + 1)
        return CivilDate(year: newYear, month: newMonth, day: min(day, CivilDate.days(inMonth: newMonth, of: newYear)))
    }
}
