import Toml

/// Single values of a plan file; what is wrong with one is noted with its place.
extension PlanReader {
    mutating func quietHours() -> SequencePlan.QuietHours? {
        let path: [TomlStep] = [.key(dialect.quietHours)]
        guard let value = root[dialect.quietHours] else { return nil }
        let ends: [String]
        var extra: String?
        switch value {
        case .string(let text): ends = text.utf8.split(separator: UInt8(ascii: "-")).map { String(decoding: Array($0), as: UTF8.self) }
        case .table:
            ends = ["start", "end"].compactMap { string($0, in: value, path: path, required: true) }
            // What a JSON plan says beside, which TOML keeps in 'extra'.
            extra = others(in: value, known: ["start", "end"] + (dialect.isJSON ? [] : ["extra"]), path: path)
        default: ends = []
        }
        let minutes = ends.compactMap(Self.minute)
        guard ends.count == 2, minutes.count == 2, minutes[0] != minutes[1] else {
            fault(
                path,
                "quiet hours are two times of day, for instance \(dialect.isJSON ? "{\"start\":\"21:00\",\"end\":\"07:30\"}" : "\"21:00-07:30\"")"
            )
            return nil
        }
        return .init(start: minutes[0], end: minutes[1], extra: extra)
    }

    /// Minutes since midnight of `HH:MM`.
    private static func minute(_ text: String) -> Int? {
        let bytes = text.utf8.filter { $0 != 32 }
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        let digits = [bytes[0], bytes[1], bytes[3], bytes[4]].map { Int($0) - 48 }
        guard digits.allSatisfy({ $0 >= 0 && $0 <= 9 }) else { return nil }
        let (hour, minute) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        return hour < 24 && minute < 60 ? hour * 60 + minute : nil
    }

    /// nil where the file says nothing of it.
    mutating func businessDays(_ table: PlanValue, delay: ISODuration?, path: [TomlStep]) -> Bool? {
        let key = dialect.businessDays
        guard let value = table[key] else { return nil }
        guard case .bool(let flag) = value else {
            fault(path + [.key(key)], "'\(key)' must be true or false, not \(value.kind)")
            return nil
        }
        if flag, let delay, delay.seconds % 86_400 != 0 || delay.seconds > 366 * 86_400 {
            fault(path + [.key(key)], "business days are whole days, at most 366; write the delay for instance as \"P3D\"")
        }
        return flag
    }

    mutating func stopRules() -> Set<SequencePlan.StopRule> {
        guard root[dialect.stopOn] != nil else { return Set(SequencePlan.StopRule.allCases) }
        var rules: Set<SequencePlan.StopRule> = []
        guard case .array(let items)? = root[dialect.stopOn] else {
            fault([.key(dialect.stopOn)], "must be a list of strings")
            return []
        }
        for (index, item) in items.enumerated() {
            if case .string(let text) = item, let rule = SequencePlan.StopRule(rawValue: text) {
                rules.insert(rule)
            } else {
                let all = SequencePlan.StopRule.allCases.map(\.rawValue).joined(separator: ", ")
                fault([.key(dialect.stopOn), .index(index)], "is none of \(all)")
            }
        }
        return rules
    }

    /// nil where the file says nothing of it.
    mutating func companyRule() -> SequencePlan.CompanyRule? {
        let (on, within) = (dialect.stopCompanyOn, dialect.stopCompanyIn)
        let written = string(within, in: root, path: [], required: false)
        let scope = written.flatMap { SequencePlan.CompanyRule.Scope(rawValue: $0) }
        if let written, scope == nil {
            fault([.key(within)], "there is no '\(written)'; there are \(Self.names(SequencePlan.CompanyRule.Scope.allCases))")
        }
        guard root[on] != nil else {
            if written != nil { fault([.key(within)], "'\(within)' says where, but '\(on)' is missing, which says on what answers") }
            return nil
        }
        var classes: [ReplyClass] = []
        for word in words(on, in: root, path: []) {
            guard let found = ReplyClass(rawValue: word), SequencePlan.CompanyRule.possible.contains(found) else {
                fault([.key(on)], "'\(word)' ends nothing for others; there are \(Self.names(SequencePlan.CompanyRule.possible))")
                continue
            }
            if classes.contains(found) { fault([.key(on)], "'\(word)' stands there twice") }
            classes.append(found)
        }
        return classes.isEmpty ? nil : .init(classes: classes, scope: scope ?? .sequence)
    }

    private static func names<Word: RawRepresentable<String>>(_ words: [Word]) -> String {
        words.map(\.rawValue).joined(separator: ", ")
    }

    /// A whole number of the plan itself; nil where the file says nothing of it.
    mutating func count(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = root[key] else { return nil }
        guard case .integer(let count) = value, range.contains(count) else {
            fault([.key(key)], "'\(key)' is a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return count
    }

    mutating func flag(_ key: String) -> Bool? {
        guard let value = root[key] else { return nil }
        guard case .bool(let flag) = value else {
            fault([.key(key)], "'\(key)' must be true or false, not \(value.kind)")
            return nil
        }
        return flag
    }

    mutating func duration(_ key: String, in table: PlanValue, path: [TomlStep], required: Bool) -> ISODuration? {
        guard let written = string(key, in: table, path: path, required: required) else { return nil }
        if let duration = ISODuration(written) { return duration }
        if Self.isTooLong(written) {
            fault(path + [.key(key)], "'\(written)' is too long; the longest is ten years, \"P\(Self.mostDays)D\"")
            return nil
        }
        fault(
            path + [.key(key)],
            "'\(written)' is not an ISO 8601 duration of weeks, days, hours, minutes or seconds; write for instance \"P3D\"")
        return nil
    }

    private static let mostDays = 3660

    /// Whether it is a duration but for how long it is.
    private static func isTooLong(_ text: String) -> Bool {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isDigit = byte >= 48 && byte <= 57
            if !isDigit { bytes.append(byte) } else if bytes.last != UInt8(ascii: "0") { bytes.append(UInt8(ascii: "0")) }
        }
        return ISODuration(String(decoding: bytes, as: UTF8.self)) != nil
    }

    mutating func weight(in table: PlanValue, path: [TomlStep]) -> Int? {
        guard let value = table["weight"] else { return nil }
        guard case .integer(let weight) = value, (1...1000).contains(weight) else {
            fault(path + ["weight"], "a weight is a whole number from 1 to 1000")
            return nil
        }
        return weight
    }

    /// Tags and lists that an action gives and takes; what it takes first.
    mutating func groupActions(_ table: PlanValue, path: [TomlStep]) -> [SequencePlan.Action] {
        var actions: [SequencePlan.Action] = []
        var seen: Set<ContactGroup.Name> = []
        for (key, kind) in [("untag", ContactGroup.Kind.tag), ("unlist", .list), ("tag", .tag), ("list", .list)] {
            for text in words(key, in: table, path: path) {
                do throws(ContactGroup.Name.Fault) {
                    let name = try ContactGroup.Name(kind, text)
                    if !seen.insert(name).inserted { fault(path + [.key(key)], "the \(name) is named twice in this step") }
                    actions.append(Self.same(key, kind.rawValue) ? .join(group: name) : .leave(group: name))
                } catch {
                    fault(path + [.key(key)], error.message)
                }
            }
        }
        return actions
    }

    /// Who may become the owner of a contact; nil: the step leaves it alone.
    mutating func owners(_ table: PlanValue, path: [TomlStep]) -> [String]? {
        let key = SequencePlan.Action.ownerField
        guard table[key] != nil else { return nil }
        let path = path + [.key(key)]
        let owners = words(key, in: table, path: Array(path.dropLast()))
        for owner in owners where owner.utf8.isEmpty || owner.utf8.count > 100 || owner.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            fault(path, "an owner is a name of 1 to 100 bytes in one line")
        }
        if owners.count > SequencePlan.Action.mostOwners { fault(path, "there are at most \(SequencePlan.Action.mostOwners) owners") }
        if Set(owners.map(ExpressionScanner.folded)).count < owners.count { fault(path, "an owner is named twice") }
        if table["set"]?[key] != nil { fault(path, "the owner is the field 'owner', which 'set' gives a value too; write one of them") }
        return owners
    }

    /// Most fields and texts that one call hands over.
    private static let mostHandedOver = 100

    mutating func call(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Work {
        let name = string("webhook", in: table, path: path, required: false)
        let url = string("url", in: table, path: path, required: false)
        if name == nil, url == nil, table["webhook"] == nil, table["url"] == nil {
            fault(path, "'webhook' is missing: the NAME of a [webhook.NAME] of the conf")
        }
        var fields: [String] = []
        if case .array(let list)? = table["fields"], list.isEmpty {} else { fields = words("fields", in: table, path: path) }
        let data = texts("data", in: table, path: path)
        if fields.count > Self.mostHandedOver { fault(path + ["fields"], "these are more than \(Self.mostHandedOver) fields") }
        if data.count > Self.mostHandedOver { fault(path + ["data"], "these are more than \(Self.mostHandedOver) texts") }
        for (index, field) in fields.enumerated() {
            if field.utf8.isEmpty { fault(path + ["fields"], "a field without a name") }
            if fields[..<index].contains(where: { Self.same($0, field) }) { fault(path + ["fields"], "'\(field)' stands there twice") }
        }
        let call = SequencePlan.Call(webhook: name, url: url, fields: fields, data: data)
        if name != nil || url != nil, let webhooks {
            do throws(WebhookBook.Unknown) {
                _ = try webhooks.name(of: call)
            } catch {
                fault(path + [.key(name == nil || error.isOfURL ? "url" : "webhook")], error.description)
            }
        }
        return .webhook(call)
    }

    /// A string or a list of them.
    mutating func words(_ key: String, in table: PlanValue, path: [TomlStep]) -> [String] {
        guard let value = table[key] else { return [] }
        var values = [value]
        if case .array(let list) = value { values = list }
        let words = values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        if words.count != values.count || words.isEmpty { fault(path + [.key(key)], "'\(key)' must be a string or a list of strings") }
        return words
    }

    /// A table of strings.
    mutating func texts(_ key: String, in table: PlanValue, path: [TomlStep]) -> [String: String] {
        guard let value = table[key] else { return [:] }
        guard case .table(let members) = value else {
            fault(path + [.key(key)], "'\(key)' must be a table, not \(value.kind)")
            return [:]
        }
        var texts: [String: String] = [:]
        for member in members {
            if let text = string(member.key, in: value, path: path + [.key(key)], required: true) { texts[member.key] = text }
        }
        return texts
    }

    mutating func tables(_ key: String, in table: PlanValue, path: [TomlStep]) -> [(value: PlanValue, path: [TomlStep])] {
        guard let value = table[key] else { return [] }
        guard case .array(let values) = value else {
            fault(path + [.key(key)], "'\(key)' must be a list of tables, not \(value.kind)")
            return []
        }
        return values.enumerated().compactMap { index, value in
            let path = path + [.key(key), .index(index)]
            if case .table = value { return (value, path) }
            fault(path, "a table is expected, not \(value.kind)")
            return nil
        }
    }

    mutating func string(_ key: String, in table: PlanValue, path: [TomlStep], required: Bool) -> String? {
        guard let value = table[key], value != .null else {
            if required { fault(path, "'\(key)' is missing") }
            return nil
        }
        guard case .string(let text) = value else {
            fault(path + [.key(key)], "'\(key)' must be a string, not \(value.kind)")
            return nil
        }
        return text
    }

    /// What a table has beside the known keys, as a JSON object; nil when there is nothing. In TOML that is a fault, but for what `extra` holds.
    mutating func others(in table: PlanValue, known: [String], path: [TomlStep]) -> String? {
        guard case .table(let members) = table else { return nil }
        let unknown = members.filter { member in !known.contains { Self.same($0, member.key) } }
        for member in unknown {
            if dialect.isJSON {
                warn(path + [.key(member.key)], "'\(member.key)' means nothing here; it is kept as it is")
            } else {
                fault(path + [.key(member.key)], "unknown key '\(member.key)'; known are \(known.joined(separator: ", "))")
            }
        }
        if dialect.isJSON { return unknown.isEmpty ? nil : PlanValue.table(unknown).jsonLine }
        guard let source = string("extra", in: table, path: path, required: false) else { return nil }
        if let json = try? PlanJSON(parsing: Array(source.utf8)), case .table = json.root { return json.root.jsonLine }
        fault(path + ["extra"], "'extra' must hold a JSON object, as 'sequence show --plan toml' writes it")
        return nil
    }

    /// Warns of what a letter should not have.
    mutating func lint(_ subject: String?, _ text: String?, _ html: String?, path: [TomlStep], textKey: String) {
        for finding in LetterLint(subject: subject, text: text, html: html).findings {
            warn(path + [.key(Self.same(finding.part, "text") ? textKey : finding.part)], finding.message)
        }
    }

    mutating func fault(_ path: [TomlStep], _ message: String) {
        faults.append(.init(file: file, line: line(path), message: message))
    }

    mutating func warn(_ path: [TomlStep], _ message: String) {
        warnings.append(.init(file: file, line: line(path), message: message))
    }

    static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    /// A file's name without folder and ending.
    static func stem(of file: String) -> String {
        let name = file.utf8.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
        let end = name.lastIndex(of: UInt8(ascii: ".")) ?? name.count
        return String(decoding: name[..<end], as: UTF8.self)
    }

    static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return !bytes.isEmpty && bytes.count <= 64
            && bytes.allSatisfy { byte in
                (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}
