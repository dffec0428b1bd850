import InternetMessage

/// Finds whom somebody names as the one to turn to: names by the words around them, with the address where one stands there.
///
/// A name is one to four words with a capital letter, a title and small words of names included. It counts where a word that leads to a
/// person stands before it, or one that says what a person does behind it; who is greeted, who writes, whom we wrote as and who left do not.
struct ContactFinder {
    private struct Token {
        var text: ArraySlice<UInt8>
        var folded: [UInt8]
        var isCapital: Bool
        /// A full stop, comma or the like stands right behind it.
        var ends: Bool
        var hasComma: Bool
        /// A full stop alone, as behind titles and initials.
        var hasStop: Bool
    }

    private struct Candidate {
        var name: String
        var words: [[UInt8]]
        var score: Int
    }

    private static let wordLimit = 120
    private static let nameLimit = 5

    let words: ContactWords
    let dates: DateWords

    /// The contacts of a text, the best first, at most as many as it has addresses, else one.
    ///
    /// - Parameters:
    ///   - known: names that are none: the writer's, ours.
    ///   - needsCue: a name alone is not enough.
    func contacts(in text: String, addresses: [Mailbox], known: [String], needsCue: Bool) -> [Classification.Contact] {
        var found = addresses.map { Classification.Contact(name: $0.displayName.flatMap(withoutCue), address: $0.address) }
        let strangers = Set(known.flatMap { Folding.phrase($0).split(separator: 0x20).map { Array($0) } })
        var best: Candidate?
        for sentence in Self.sentences(Array(text.utf8.prefix(8000))) {
            for candidate in candidates(in: sentence, strangers)
            where candidate.score > best?.score ?? (needsCue ? 2 : 1) {
                best = candidate
            }
        }
        if found.isEmpty, let name = japanese(text) { return [.init(name: name, address: nil)] }
        guard let best else { return found }
        if found.isEmpty { return [.init(name: best.name, address: nil)] }
        // A name somewhere in the text belongs to the one address that has none, where the address sounds like it.
        if found.count == 1, found[0].name == nil, let address = found[0].address {
            let local = Folding.phrase(address.localPart)
            if best.words.contains(where: { $0.count > 2 && local.firstRange(of: $0) != nil }) {
                found[0] = .init(name: best.name, address: address)
            }
        }
        return found
    }

    /// "Contactez Mme Example" right before an address: the first word has its capital letter from the sentence.
    private func withoutCue(_ name: String) -> String? {
        let parts = name.utf8.split(separator: 0x20, maxSplits: 1)
        guard let first = parts.first,
            words.before.contains(Array(Folding.phrase(String(decoding: Array(first), as: UTF8.self)).dropFirst().dropLast()))
        else { return name }
        return parts.count > 1 ? String(decoding: Array(parts[1]), as: UTF8.self) : nil
    }

    // MARK: Names by the words around them

    /// Lines, questions and exclamations: a full stop behind a title or an initial ends no sentence, so none does here.
    private static func sentences(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D || $0 == 0x21 || $0 == 0x3F })
    }

    private func tokens(_ sentence: ArraySlice<UInt8>) -> [Token] {
        var tokens: [Token] = []
        for word in sentence.split(whereSeparator: { $0 <= 0x20 || $0 == 0x28 || $0 == 0x29 || $0 == 0x22 || $0 == 0x2F }).prefix(
            Self.wordLimit)
        {
            var word = word
            var stop = false
            var comma = false
            while let last = word.last, [0x2E, 0x2C, 0x3A, 0x3B, 0x3E].contains(last) {
                if last == 0x2E { stop = true } else { comma = true }
                word = word.dropLast()
            }
            while word.first == 0x3C || word.first == 0x2A { word = word.dropFirst() }
            let written = String(decoding: word, as: UTF8.self)
            // "c'est", "l'équipe": what stands behind the apostrophe.
            let folded = Folding.phrase(written).split(separator: 0x20).last.map { Array($0) } ?? []
            guard !folded.isEmpty else {
                if !tokens.isEmpty { tokens[tokens.count - 1].ends = true }
                continue
            }
            tokens.append(
                Token(
                    text: word, folded: folded, isCapital: Self.isCapital(written), ends: stop || comma, hasComma: comma,
                    hasStop: stop && !comma))
        }
        return tokens
    }

    /// One capital letter in front and no other but behind a hyphen, an apostrophe, Mc or Mac.
    private static func isCapital(_ word: String) -> Bool {
        let scalars = Array(word.unicodeScalars)
        guard let first = scalars.first, first.properties.isUppercase else { return false }
        if scalars.count == 1 { return true }
        let capitals = scalars.dropFirst().count { $0.properties.isUppercase }
        return capitals == 0 || capitals == 1 && scalars.count > 3 && !scalars.contains { $0.value == 0x40 }
    }

    private func candidates(in sentence: ArraySlice<UInt8>, _ strangers: Set<[UInt8]>) -> [Candidate] {
        let tokens = tokens(sentence)
        var found: [Candidate] = []
        var i = 0
        while i < tokens.count {
            guard let end = nameEnd(tokens, from: i) else {
                i += 1
                continue
            }
            if let candidate = candidate(tokens, i, end, strangers) { found.append(candidate) }
            i = end
        }
        return found
    }

    private func isNamePart(_ token: Token) -> Bool {
        token.isCapital && !words.noName.contains(token.folded) && dates.meaning(of: token.folded) == nil
            && !token.folded.contains { $0.isDigit } && !token.text.contains(0x40)
    }

    /// Where the name that begins at `start` ends, nil when none begins there.
    private func nameEnd(_ tokens: [Token], from start: Int) -> Int? {
        var i = start
        var names = 0
        while i < tokens.count, i - start < 6 {
            let token = tokens[i]
            if words.title.contains(token.folded), names == 0, token.isCapital || token.folded.count > 2 {
                if token.hasComma { break }
                i += 1
                continue
            }
            if names > 0, words.particle.contains(token.folded) {
                // Small words belong to the name only where another part follows.
                var next = i + 1
                while next < tokens.count, words.particle.contains(tokens[next].folded) { next += 1 }
                guard next < tokens.count, isNamePart(tokens[next]), !tokens[i].ends else { break }
                i = next
                continue
            }
            guard isNamePart(token) else { break }
            // "Your message 'Dear Miss Example'": nobody is called Dear.
            if names == 0, words.greeting.contains(token.folded), i + 1 < tokens.count, words.title.contains(tokens[i + 1].folded) { break }
            // The first word of a sentence has a capital letter whatever it is.
            if i == 0, start == 0, names == 0, !(tokens.count > 1 && (isNamePart(tokens[1]) || words.after.contains(tokens[1].folded))) {
                break
            }
            names += 1
            i += 1
            let isInitial = token.hasStop && token.folded.count == 1
            if token.ends, !isInitial { break }
            if names == 4 { break }
        }
        return names > 0 ? i : nil
    }

    private func candidate(_ tokens: [Token], _ start: Int, _ end: Int, _ strangers: Set<[UInt8]>) -> Candidate? {
        var start = start
        var parts = tokens[start..<end].filter { !words.title.contains($0.folded) && !words.particle.contains($0.folded) }
        // "Nobody Ann Example", "Contactez Mme Example" at the beginning of a sentence: a word that is no name.
        if start == 0 || tokens[start - 1].ends, parts.count > 1, words.before.contains(tokens[start].folded),
            parts.count > 2 || words.title.contains(tokens[start + 1].folded)
        {
            start += 1
            parts.removeFirst()
        }
        // "Einkaufsleiterin Ann Example": languages that write every noun with a capital letter put the post right before the name.
        while parts.count > 1, let first = parts.first, words.post.contains(where: { first.folded.suffix($0.count).elementsEqual($0) }) {
            parts.removeFirst()
            start += 1
            while start < end, !tokens[start].folded.elementsEqual(parts[0].folded), !words.title.contains(tokens[start].folded) {
                start += 1
            }
        }
        guard !parts.isEmpty, !parts.allSatisfy({ strangers.contains($0.folded) }) else { return nil }
        let hasTitle = words.title.contains(tokens[start].folded)
        var score = (hasTitle ? 1 : 0) + (parts.count > 1 ? 1 : 0)
        // Greeted, or called by name in front of a sentence.
        let before = tokens[..<start].suffix(5)
        for token in tokens[..<start].suffix(4).reversed() {
            if token.ends { break }
            if words.leaving.contains(token.folded) { return nil }
        }
        if let previous = before.last, words.place.contains(previous.folded), parts.count == 1, !hasTitle { return nil }
        if let previous = before.last, words.greeting.contains(previous.folded), start <= 3 || hasTitle { return nil }
        if tokens[end - 1].hasComma, start <= 2, before.allSatisfy({ words.greeting.contains($0.folded) }) { return nil }
        for (distance, token) in before.reversed().enumerated() {
            if token.ends, !token.hasStop || !words.title.contains(token.folded) {
                if !token.hasComma || distance > 0 || !words.before.contains(token.folded) { break }
            }
            if words.before.contains(token.folded) {
                score += distance < 2 ? 3 : 2
                break
            }
        }
        // "Ann Example in Leeds might be", "Ann Example 555 0142 can".
        var next = end
        while next < tokens.count, tokens[next].folded.allSatisfy(\.isDigit) { next += 1 }
        if next + 1 < tokens.count, words.place.contains(tokens[next].folded), tokens[next + 1].isCapital { next += 2 }
        let behind = tokens[next...].prefix(4)
        if !(tokens[end - 1].hasStop && tokens[end - 1].folded.count > 1) {
            if behind.contains(where: { words.leaving.contains($0.folded) }) { return nil }
            for (distance, token) in behind.enumerated() where distance < 2 && words.after.contains(token.folded) {
                score += 3
                break
            }
        }
        // One word alone may be a town or a company.
        if parts.count == 1, !hasTitle { score -= 1 }
        var name: [UInt8] = []
        for token in tokens[start..<end] {
            if !name.isEmpty { name.append(0x20) }
            name += token.text
            // "Dr. Ann J. Example"
            if token.hasStop, token.folded.count < 4, name.count < 80, token.text.endIndex != tokens[end - 1].text.endIndex {
                name.append(0x2E)
            }
        }
        return Candidate(name: String(decoding: name, as: UTF8.self), words: parts.map(\.folded), score: score)
    }

    // MARK: Japanese

    /// What stands before 「…までご連絡」 and its kin, back to the particle or mark before it.
    private func japanese(_ text: String) -> String? {
        let scalars = Array(text.unicodeScalars.prefix(4000))
        for cue in ["までご連絡", "にご連絡", "へご連絡", "までお問い合わせ", "にお問い合わせ", "が担当", "が後任", "が引き継", "に引き継"] {
            let pattern = Array(cue.unicodeScalars)
            guard scalars.count > pattern.count,
                let at = (0...(scalars.count - pattern.count)).first(where: {
                    scalars[$0] == pattern[0] && scalars[$0..<($0 + pattern.count)].elementsEqual(pattern)
                })
            else { continue }
            var low = at
            let edges: Set<UInt32> = [0x3002, 0x3001, 0x306F, 0x304C, 0x3092, 0x3067, 0x0A, 0x300C, 0x3000, 0x20]
            while low > 0, at - low < 24, !edges.contains(scalars[low - 1].value) { low -= 1 }
            guard at > low, at - low >= 2, scalars[low..<at].contains(where: { $0.value >= 0x4E00 }),
                !scalars[low..<at].contains(where: { $0.value == 0x40 })
            else { continue }
            var name = String.UnicodeScalarView()
            name.append(contentsOf: scalars[low..<at])
            return String(name)
        }
        return nil
    }
}
