import InternetMessage

/// Days of a month named by their number alone: "Monday 16", "the 24th", "until the 12th".
extension DateReader {
    /// What stands behind a weekday.
    enum Numbered {
        case none
        case day(DateMention)
        /// A day of the month that is another weekday in all months near: somebody was mistaken, and no day is known.
        case contradiction
    }

    /// The day on which the weekday at place `i` and the number beside it agree: "Monday 16", "Montag, dem 16.", "segunda-feira, dia 16",
    /// and with the number of a week "måndag v. 47".
    func numbered(_ weekday: Int, at i: Int) -> Numbered {
        var j = i + 1
        var hasComma = false
        var isAnnounced = false
        while j < i + 6, isGap(j) || word(j) == .day || isMark(j, 0x2D) {
            if isMark(j, 0x2C) { hasComma = true }
            if case .word? = tokens.indices.contains(j) ? tokens[j].kind : nil { isAnnounced = true }
            j += 1
        }
        if let date = weekDay(weekday, at: j) { return .day(date) }
        guard let (day, digits) = number(j), digits <= 2, (1...31).contains(day), let end = bareDayEnd(j) else { return .none }
        if Self.numeric(tokens, at: j) != nil { return .none }
        let isFollowed = if case .word(nil)? = tokens.indices.contains(end + 1) ? tokens[end + 1].kind : nil { true } else { false }
        let isMarked = end > j || isAnnounced
        // "Monday, 3 people": a number of something.
        if hasComma, isFollowed, !isMarked { return .none }
        let near = candidates(day).filter { $0.weekday == weekday }
        let found = near.first { $0 >= today.adding(days: -1) } ?? near.last
        if let found { return .day(DateMention(date: found, kind: .calendar, first: i, last: end)) }
        return isFollowed && !isMarked ? .none : .contradiction
    }

    /// The day of this number in the months around the message, in order.
    private func candidates(_ day: Int) -> [CivilDate] {
        (-1...2).compactMap { months in
            guard let first = CivilDate(year: today.year, month: today.month, day: 1)?.adding(months: months),
                let date = CivilDate(year: first.year, month: first.month, day: day)
            else { return nil }
            return (-20...70).contains(date.daysSinceEpoch - today.daysSinceEpoch) ? date : nil
        }
    }

    /// The last token of a bare day of a month at place `i`: with its "st", "." or "-го"; nil when it is an hour, a number of something or part
    /// of something longer.
    private func bareDayEnd(_ i: Int) -> Int? {
        var end = i
        let next = i + 1
        if next < tokens.count, tokens[next].isGlued {
            switch tokens[next].kind {
            case .word(.ordinal): end = next
            case .mark(0x2E):
                // "9.30"
                if number(next + 1) != nil, tokens[next + 1].isGlued { return nil }
                end = next
            case .mark(0x2D):
                guard next + 1 < tokens.count, case .word = tokens[next + 1].kind, tokens[next + 1].isGlued else { return nil }
                end = next + 1
            case .mark(0x2C), .sentenceEnd, .lineEnd: break
            case .mark, .number: return nil
            case .word: return nil
            }
        }
        switch word(overLineEnd(end + 1)) {
        // "9 Uhr"; "the 2nd of three", "the 2nd week", "16 days"
        case .clock?, .week?, .monthUnit?, .quarter?, .year?, .month?: return nil
        case .day? where end == i || !isMark(end, 0x2E): return nil
        default: return end
        }
    }

    /// "måndag v. 47", "Montag KW 47": the weekday of a week of ISO 8601.
    private func weekDay(_ weekday: Int, at i: Int) -> DateMention? {
        var j = i + 1
        guard word(i) == .week || word(i) == .inWord && isMark(i + 1, 0x2E) else { return nil }
        if isMark(j, 0x2E) { j += 1 }
        guard let (week, digits) = number(j), digits <= 2, (1...53).contains(week), bareDayEnd(j) != nil else { return nil }
        for year in (today.year - 1)...(today.year + 1) {
            // The fourth of January is in the first week.
            guard let fourth = CivilDate(year: year, month: 1, day: 4) else { continue }
            let date = fourth.adding(days: (week - 1) * 7 + weekday - fourth.weekday)
            if (-20...330).contains(date.daysSinceEpoch - today.daysSinceEpoch) {
                return DateMention(date: date, kind: .calendar, first: i, last: j)
            }
        }
        return nil
    }

    /// "back on the 24th", "jusqu'au 12 inclus", "bis 12. abwesend": a day alone, where a word of return or the end of an absence stands
    /// before it.
    func dayAlone(at i: Int) -> DateMention? {
        guard let (day, digits) = number(i), digits <= 2, (1...31).contains(day), let end = bareDayEnd(i) else { return nil }
        // Behind a weekday both must agree, and that was asked already.
        var before = i - 1
        while before > i - 6, isGap(before) || word(before) == .day { before -= 1 }
        if isWeekday(before) { return nil }
        let isOrdinal = word(i + 1) == .ordinal && end == i + 1
        let isIntroduced = word(i - 1) == .the || word(i - 1) == .day || isMark(end, 0x2E) && word(i - 1) == .clock
        let hasCue: Bool
        if isOrdinal, word(i - 1) == .the {
            if word(end + 1) == .the || word(end + 1) == .day { return nil }
            hasCue = ((i - 6)..<(i - 1)).contains { word($0) == .back || word($0) == .until }
        } else {
            hasCue =
                isEndOfAbsence(i, end, isOrdinal: isOrdinal) || (isOrdinal || isIntroduced) && closes(end + 1) && isNear(i, end, [.back])
        }
        guard hasCue else { return nil }
        // The first one behind what was named before it.
        let base = endOfAbsence
        for months in 0...2 {
            let first = CivilDate(year: base.year, month: base.month, day: 1)?.adding(months: months)
            if let first, let date = CivilDate(year: first.year, month: first.month, day: day), date > base {
                return DateMention(date: date, kind: .relative, first: i, last: end)
            }
        }
        return nil
    }

    /// The last day named so far, if it is ahead: where days that are named without a month are counted from.
    var endOfAbsence: CivilDate {
        mentions.lazy.filter { $0.kind == .calendar }.map(\.date).max().map { max($0, today) } ?? today
    }

    /// Whether nothing follows that the number could belong to.
    private func closes(_ i: Int) -> Bool {
        guard i < tokens.count else { return true }
        if case .word(let word) = tokens[i].kind { return word == .back }
        if case .number = tokens[i].kind { return false }
        return true
    }

    /// Whether such a word stands up to six places before `first`, or up to four behind `last`, in the same sentence.
    func isNear(_ first: Int, _ last: Int, _ wanted: [DateWords.Word]) -> Bool {
        func has(_ places: [Int]) -> Bool {
            for i in places where tokens.indices.contains(i) {
                if tokens[i].kind == .sentenceEnd { return false }
                if let word = word(i), wanted.contains(word) { return true }
            }
            return false
        }
        return has(((first - 6)..<first).reversed()) || has(Array((last + 1)...(last + 4)))
    }

    /// Whether the number is the day up to which somebody is away, and no hour: "jusqu'au 12 inclus", "hasta el 12", "bis zum 12.", "until the
    /// 12th".
    private func isEndOfAbsence(_ i: Int, _ end: Int, isOrdinal: Bool) -> Bool {
        var before = i - 1
        var articles = 0
        while before > i - 4, word(before) == .the || word(before) == .day || word(before) == .until && word(before - 1) == .until {
            articles += 1
            before -= 1
        }
        guard word(before) == .until else { return false }
        if isOrdinal || word(end + 1) == .inclusive { return true }
        guard !isEnglish else { return false }
        let isFollowed = if case .word? = tokens.indices.contains(end + 1) ? tokens[end + 1].kind : nil { true } else { false }
        return articles > 0 || isMark(end, 0x2E) && isFollowed
    }
}
