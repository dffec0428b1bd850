/// Examples for training, made from files of sentences: each with names and days filled in, alone, greeted, and beside other sentences.
package struct ToneExamples {
    /// A file of one language: `[class]` lines and one sentence a line below them; `[context]` sentences say nothing, and `[greeting]` and
    /// `[closing]` stand before and behind others. `#` begins a comment.
    package struct Source: Sendable {
        package let name: String
        package let text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    package private(set) var examples: [ToneTraining.Example] = []

    private static let names = [
        "Marta", "Jonas Weber", "Priya", "Mr. Okafor", "Ms Lind", "Tomasz", "Claire Dubois", "Kenji", "Ana", "Frau Busch",
    ]
    private static let days = [
        "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "tomorrow", "next Tuesday"],
        "de": ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"], "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi"],
        "es": ["lunes", "martes", "miércoles", "jueves", "viernes"], "it": ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì"],
        "nl": ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag"], "pt": ["segunda", "terça", "quarta-feira", "quinta", "sexta"],
        "pl": ["poniedziałek", "wtorek", "środę", "czwartek", "piątek"], "sv": ["måndag", "tisdag", "onsdag", "torsdag", "fredag"],
        "da": ["mandag", "tirsdag", "onsdag", "torsdag", "fredag"], "no": ["mandag", "tirsdag", "onsdag", "torsdag", "fredag"],
        "fi": ["maanantai", "tiistaina", "keskiviikkona", "torstaina", "perjantaina"],
        "cs": ["pondělí", "úterý", "středu", "čtvrtek", "pátek"], "tr": ["pazartesi", "salı", "çarşamba", "perşembe", "cuma"],
        "ja": ["月曜日", "火曜日", "水曜日", "木曜日", "金曜日"],
    ]
    private static let months = [
        "en": ["January", "March", "April", "June", "September", "October"], "de": ["Januar", "März", "Mai", "September", "Oktober"],
        "fr": ["janvier", "mars", "mai", "septembre", "octobre"], "es": ["enero", "marzo", "mayo", "septiembre"],
        "it": ["gennaio", "marzo", "maggio", "settembre"], "nl": ["januari", "maart", "mei", "september"],
        "pt": ["janeiro", "março", "maio", "setembro"], "pl": ["styczniu", "marcu", "maju", "wrześniu"],
        "sv": ["januari", "mars", "maj", "september"], "da": ["januar", "marts", "maj", "september"],
        "no": ["januar", "mars", "mai", "september"],
        "fi": ["tammikuussa", "maaliskuussa", "syyskuussa"], "cs": ["lednu", "březnu", "září"], "tr": ["ocak", "mart", "eylül"],
        "ja": ["1月", "4月", "9月"],
    ]
    private static let others: [String: [String]] = [
        "time": ["10", "9:30", "14:00", "3", "11", "16:30"], "tool": ["HubSpot", "SAP", "Excel", "Salesforce", "Jira", "our ERP", "Datev"],
        "company": ["Nordwind", "Acme", "Brightwell Ltd", "Kessler & Sohn", "Ikaro"], "weeks": ["2", "4", "6", "three", "8"],
        "dept": ["purchasing", "HR", "IT", "marketing", "finance", "operations", "sales"],
        "country": ["Austria", "Poland", "Spain", "Canada", "Japan"],
        "phone": ["+49 30 5550123", "555-0142", "020 7946 0991", "0664 1234567"],
        "email": ["k.lund@example.com", "purchasing@example.net", "maria@example.org", "info@example.com"],
    ]

    private var random: UInt64 = 4_711

    /// - Parameter passes: how often each sentence is taken, each time with other names and beside other sentences.
    /// - Throws: `RuleError` naming file and line of a section that is none.
    package init(_ sources: [Source], passes: Int = 1) throws(RuleError) {
        for _ in 0..<passes {
            var group = 0
            for source in sources { try add(source, &group) }
        }
    }

    private mutating func pick(_ list: [String]) -> String {
        guard !list.isEmpty else { return "" }
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return list[Int(random >> 33) % list.count]
    }

    private mutating func chance(_ percent: Int) -> Bool {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(random >> 33) % 100 < percent
    }

    /// The text with its slots filled.
    private mutating func filled(_ text: String, _ language: String) -> String {
        guard text.utf8.contains(0x7B) else { return text }
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var i = 0
        while i < bytes.count {
            if bytes[i] == 0x7B, let end = bytes[i...].firstIndex(of: 0x7D) {
                let slot = String(decoding: bytes[(i + 1)..<end], as: UTF8.self)
                let list =
                    switch slot {
                    case "name": Self.names
                    case "day": Self.days[language] ?? []
                    case "month": Self.months[language] ?? []
                    default: Self.others[slot] ?? []
                    }
                result += Array(pick(list).utf8)
                i = end + 1
            } else {
                result.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private mutating func add(_ source: Source, _ group: inout Int) throws(RuleError) {
        var sections: [String: [String]] = [:]
        var section = ""
        for (number, line) in source.text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let bytes = Array(line).trimmed
            guard let first = bytes.first, first != 0x23 else { continue }
            if first == 0x5B, bytes.last == 0x5D {
                section = String(decoding: Array(bytes.dropFirst().dropLast()), as: UTF8.self)
                guard ToneClass(named: section) != nil || ["context", "greeting", "closing"].contains(section) else {
                    throw RuleError(
                        code: .content, file: source.name, line: number + 1, message: "'\(section)' is no class; see the other files")
                }
            } else {
                sections[section, default: []].append(String(decoding: Array(bytes), as: UTF8.self))
            }
        }
        let greetings = sections["greeting"] ?? []
        let closings = sections["closing"] ?? []
        let context = sections["context"] ?? []
        let neutral = sections["neutral"] ?? []
        for tone in ToneClass.allCases {
            let own = sections[tone.name] ?? []
            for sentence in own {
                group += 1
                func note(_ text: String, _ weight: Float, in examples: inout [ToneTraining.Example]) {
                    examples.append(.init(text: text, tone: tone, group: group, weight: weight))
                }
                note(filled(sentence, source.name), 1, in: &examples)
                let copies = sentence.utf8.contains(0x7B) ? 3 : 2
                for _ in 0..<copies {
                    var parts: [String] = []
                    if chance(60), !greetings.isEmpty { parts.append(filled(pick(greetings), source.name)) }
                    if chance(45), !context.isEmpty { parts.append(filled(pick(context), source.name)) }
                    parts.append(filled(sentence, source.name))
                    if chance(35), !context.isEmpty { parts.append(filled(pick(context), source.name)) }
                    if chance(20), tone != .neutral, own.count > 1 { parts.append(filled(pick(own), source.name)) }
                    if chance(35), !closings.isEmpty { parts.append(filled(pick(closings), source.name)) }
                    note(parts.joined(separator: chance(50) ? " " : "\n"), 0.8, in: &examples)
                }
                // Two things said: the stated order decides which of them counts.
                if let other = partner(of: tone, sections), chance(70) {
                    let pair = chance(50) ? [other, sentence] : [sentence, other]
                    note(pair.map { filled($0, source.name) }.joined(separator: " "), 0.8, in: &examples)
                }
                if tone != .neutral, !neutral.isEmpty, chance(40) {
                    note(filled(pick(neutral), source.name) + " " + filled(sentence, source.name), 0.6, in: &examples)
                }
            }
        }
    }

    /// A sentence of a class that this one outweighs.
    private mutating func partner(of tone: ToneClass, _ sections: [String: [String]]) -> String? {
        let weaker: [ToneClass] =
            switch tone {
            case .unsubscribe: [.negative, .referral, .interested, .notNow, .leftCompany, .question]
            case .leftCompany: [.negative, .neutral]
            case .referral: [.negative, .negative, .question]
            case .notNow: [.interested, .interested, .negative]
            case .meet: [.interested, .interested, .question]
            default: []
            }
        guard !weaker.isEmpty else { return nil }
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let list = sections[weaker[Int(random >> 33) % weaker.count].name] ?? []
        return list.isEmpty ? nil : pick(list)
    }
}
