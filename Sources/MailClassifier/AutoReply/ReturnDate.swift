import InternetMessage

extension DateReader {
    /// The day on which somebody who is away is back: the day named beside a word of return, else the last day of the absence.
    ///
    /// Nil when no day stands beside such a word: other days in the text (of a conference, of our own message) are none of ours.
    func returnDate() -> CivilDate? {
        var best: (score: Int, mention: DateMention)?
        let namesDays = mentions.contains { $0.kind == .calendar }
        for (number, mention) in mentions.enumerated() where mention.kind != .period || mention.isLastDay {
            var score = 0
            if mention.isLastDay {
                // "until the end of May" ends an absence; "back at the end of May" is no day.
                guard distanceBefore(mention, .until).map({ $0 <= 3 }) == true else { continue }
                score = 65
            }
            if mention.isDuration, mention.date.daysSinceEpoch - today.daysSinceEpoch <= 60, !namesDays { score = 40 }
            if score == 0, let distance = distanceBefore(mention, .back), distance <= 7 { score = 100 - distance }
            if score == 0, !startsRange(number), let distance = distanceAfter(mention, .back), distance <= 9 { score = 85 - distance }
            if score == 0, followsEnd(mention) { score = 80 }
            if score == 0, let distance = distanceBefore(mention, .until), distance <= 4 { score = 75 - distance }
            if score == 0, mention.kind == .calendar, number > 0 {
                // "3 August - 17 August", "from 3 August to 17 August"
                let before = mentions[number - 1]
                if before.kind == .calendar, mention.first - before.last <= 4, joins(before.last + 1, mention.first),
                    mention.date > before.date
                {
                    score = 60
                }
            }
            if score == 0, distanceAfter(mention, .until).map({ $0 <= 1 }) == true { score = 55 }
            // "5-12 Nov"
            if score == 0, mention.kind == .calendar, endsShortRange(mention) { score = 50 }
            if mention.kind == .relative, score > 85 || score < 75 { score -= score > 0 ? 5 : 0 }
            let age = today.daysSinceEpoch - mention.date.daysSinceEpoch
            if score <= 0 || age > 60 || age < -800 { continue }
            // A day of return cannot lie before the message.
            if age > 1 { score -= 50 }
            if score > 0, score > best?.score ?? 0 { best = (score, mention) }
        }
        return best?.mention.date
    }

    /// Whether the text says "back" beside a day, not only until when.
    var returnIsStated: Bool {
        mentions.contains { mention in
            mention.kind != .period
                && (distanceBefore(mention, .back).map { $0 <= 3 } ?? false || distanceAfter(mention, .back).map { $0 <= 4 } ?? false)
        }
    }

    /// The day from which a person may be asked again: the first one that the text names ahead of today, a full date before a month.
    func comeBackDate() -> CivilDate? {
        let ahead = mentions.filter { $0.date > today }
        // "Busy until April, write in May": until when they are busy counts only where nothing else is named.
        let asked = ahead.filter { !endsBusyTime($0) }
        let named = asked.isEmpty ? ahead : asked
        return (named.first { $0.kind == .calendar } ?? named.first)?.date ?? monthAlone()
    }

    /// "maybe June?": a month without a word in front that says it is one. Names that are common words too must stand at an end.
    private func monthAlone() -> CivilDate? {
        for (i, token) in tokens.enumerated() {
            guard case .word(.month(let month)?) = token.kind else { continue }
            let isAtEnd: Bool =
                if i + 1 < tokens.count, case .word = tokens[i + 1].kind { false } else { true }
            guard isAtEnd || ![1, 3, 5].contains(month) else { continue }
            let day = CivilDate(year: today.year, month: month, day: 1)
            return day.map { $0 > today ? $0 : CivilDate(year: today.year + 1, month: month, day: 1) ?? $0 }
        }
        return nil
    }

    /// Whether it is the day up to which something lasts: "until April", "until the end of Q2".
    private func endsBusyTime(_ mention: DateMention) -> Bool {
        var i = mention.first - 1
        while i >= 0 {
            switch tokens[i].kind {
            case .word(.until?): return true
            case .word(.the?), .word(.inWord?), .word(.part?), .lineEnd: i -= 1
            default: return false
            }
        }
        return false
    }

    /// Whether it is named as a beginning, right after the end of the absence: "away until 12 November ... from 13 November". Whatever it
    /// says about that day, it is the first one back.
    private func followsEnd(_ mention: DateMention) -> Bool {
        guard mention.kind == .calendar,
            distanceBefore(mention, .from).map({ $0 <= 1 }) == true || distanceAfter(mention, .from).map({ $0 == 0 }) == true,
            distanceAfter(mention, .until).map({ $0 <= 3 }) != true
        else { return false }
        return mentions.contains { other in
            (1...4).contains(mention.date.daysSinceEpoch - other.date.daysSinceEpoch) && other.first < mention.first
                && (distanceBefore(other, .until).map { $0 <= 2 } == true || distanceAfter(other, .until).map { $0 == 0 } == true)
        }
    }

    /// Whether the next day named ends what begins with this one.
    private func startsRange(_ number: Int) -> Bool {
        guard number + 1 < mentions.count, mentions[number].kind == .calendar else { return false }
        let (mention, next) = (mentions[number], mentions[number + 1])
        return next.kind == .calendar && next.first - mention.last <= 4 && next.date > mention.date && joins(mention.last + 1, next.first)
    }

    /// Whether a number of a day and a dash stand right before it.
    private func endsShortRange(_ mention: DateMention) -> Bool {
        guard isMark(mention.first - 1, 0x2D), let (day, digits) = number(mention.first - 2), digits <= 2, let end = number(mention.first)
        else { return false }
        return (1..<max(2, end.value)).contains(day)
    }

    private func joins(_ low: Int, _ high: Int) -> Bool {
        guard low < high else { return false }
        return tokens[low..<high].contains { token in
            if token.kind == .mark(0x2D) { return true }
            if case .word(.until?) = token.kind { return true }
            return false
        }
    }

    /// Words between the nearest word of that meaning before the day, in the same sentence, and the day.
    private func distanceBefore(_ mention: DateMention, _ wanted: DateWords.Word) -> Int? {
        var words = 0
        var i = mention.first - 1
        while i >= 0, words <= 12 {
            switch tokens[i].kind {
            case .word(let word):
                if word == wanted { return words }
                words += 1
            case .sentenceEnd: return nil
            default: break
            }
            i -= 1
        }
        return nil
    }

    private func distanceAfter(_ mention: DateMention, _ wanted: DateWords.Word) -> Int? {
        var words = 0
        var i = mention.last + 1
        while i < tokens.count, words <= 12 {
            switch tokens[i].kind {
            case .word(let word):
                if word == wanted { return words }
                words += 1
            case .sentenceEnd: return nil
            default: break
            }
            i += 1
        }
        return nil
    }
}
