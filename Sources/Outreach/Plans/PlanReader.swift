import Toml

/// Reads a plan from a file's values, with every fault where it stands.
struct PlanReader {
    let dialect: PlanDialect
    let file: String
    let root: PlanValue
    /// The line of what a path leads to, or of the nearest thing around it.
    let line: ([TomlStep]) -> Int
    private(set) var faults: [SequenceFile.Fault] = []
    private(set) var warnings: [SequenceFile.Fault] = []

    static let mostSteps = 100

    init(dialect: PlanDialect, file: String, root: PlanValue, line: @escaping ([TomlStep]) -> Int) {
        self.dialect = dialect
        self.file = file
        self.root = root
        self.line = line
    }

    mutating func plan() -> SequencePlan? {
        guard case .table = root else {
            fault([], "a plan is a table, not \(root.kind)")
            return nil
        }
        let extra = others(in: root, known: dialect.planKeys, path: [])
        if dialect.isJSON, let version = string("version", in: root, path: [], required: true), !Self.same(version, "1.0") {
            fault(["version"], "version '\(version)' is not known; write \"1.0\"")
        }
        // A plan in JSON need not have a name: its file has one.
        let name = string("name", in: root, path: [], required: !dialect.isJSON) ?? (dialect.isJSON ? Self.stem(of: file) : nil)
        if let name, !Self.isName(name) { fault(["name"], "a name has letters, digits, '-' and '_', at most 64 of them") }
        let description = string("description", in: root, path: [], required: false) ?? ""
        let steps = steps()
        let start = string(dialect.start, in: root, path: [], required: false)
        let timezone = string("timezone", in: root, path: [], required: false)
        if let timezone, LocalZone(timezone) == nil {
            fault(["timezone"], "'\(timezone)' is no time zone; write for instance \"Europe/Berlin\"")
        }
        let quietHours = quietHours()
        let snippets = texts("snippets", in: root, path: [])
        for name in snippets.keys where !Self.isName(name) {
            fault(["snippets", .key(name)], "a name has letters, digits, '-' and '_', at most 64 of them")
        }
        let stopOn = stopRules()
        guard let name, faults.isEmpty else { return nil }
        let isFirst = start.map { wanted in steps.first.map { Self.same($0.name, wanted) } ?? false } ?? true
        let plan = SequencePlan(
            name: name, description: description, steps: Self.withPlainWays(steps), stopOn: stopOn, start: isFirst ? nil : start,
            timezone: timezone, quietHours: quietHours, snippets: snippets, extra: extra)
        for finding in PlanCheck(plan).findings {
            if finding.isWarning {
                warn(dialect.path(of: finding), finding.message)
            } else {
                fault(dialect.path(of: finding), finding.message)
            }
        }
        return faults.isEmpty ? plan : nil
    }

    /// The way to the step after it goes without saying.
    private static func withPlainWays(_ steps: [SequencePlan.Step]) -> [SequencePlan.Step] {
        steps.enumerated().map { index, step in
            guard let ways = step.ways else { return step }
            let next = index + 1 < steps.count ? [SequencePlan.Way(on: .done, to: steps[index + 1].name)] : []
            guard ways == next else { return step }
            return .init(name: step.name, work: step.work, delay: step.delay, businessDays: step.businessDays, extra: step.extra)
        }
    }

    // MARK: Steps

    private mutating func steps() -> [SequencePlan.Step] {
        guard case .array(let tables)? = root[dialect.steps], !tables.isEmpty else {
            fault([.key(dialect.steps)], "no steps; add at least one, \(dialect.oneStep), with delay, subject and text")
            return []
        }
        guard tables.count <= Self.mostSteps else {
            fault([.key(dialect.steps)], "\(tables.count) steps are more than \(Self.mostSteps)")
            return []
        }
        var steps: [SequencePlan.Step] = []
        for (index, value) in tables.enumerated() {
            let path: [TomlStep] = [.key(dialect.steps), .index(index)]
            guard case .table = value else {
                fault(path, "a step is a table: write \(dialect.oneStep)")
                continue
            }
            if let step = step(value, index: index, path: path) { steps.append(step) }
        }
        return steps
    }

    private mutating func step(_ table: PlanValue, index: Int, path: [TomlStep]) -> SequencePlan.Step? {
        let type = string("type", in: table, path: path, required: dialect.isJSON) ?? "send"
        guard ["send", "wait", "condition", "split", "action", "stop"].contains(type) else {
            fault(
                path + ["type"],
                Self.same(type, "webhook")
                    ? "'webhook' cannot be done yet: there is no queue for calls to other systems; take the step out"
                    : "there is no type '\(type)'; there are send, wait, condition, split, action and stop")
            return nil
        }
        let extra = others(in: table, known: dialect.stepKeys(type), path: path)
        let name = string(dialect.stepName, in: table, path: path, required: dialect.isJSON) ?? "step\(index + 1)"
        let isMessage = Self.same(type, "send")
        let isWait = Self.same(type, "wait")
        var delay: ISODuration? = ISODuration.none
        let key = isWait ? dialect.length : "delay"
        // In a file that is gone through in its order, every message after the first says how long it waits.
        if let written = duration(key, in: table, path: path, required: isWait || (isMessage && index > 0 && !dialect.isJSON && isLine)) {
            delay = written
        } else if table[key] != nil {
            delay = nil
        }
        let businessDays = businessDays(table, delay: delay, path: path)
        let ways = ways(of: table, path: path)
        let work = work(type, table, path: path)
        guard let work, let delay else { return nil }
        return SequencePlan.Step(name: name, work: work, delay: delay, businessDays: businessDays, ways: ways, extra: extra)
    }

    /// Whether no step names a way.
    private var isLine: Bool {
        guard case .array(let tables)? = root[dialect.steps] else { return true }
        return tables.allSatisfy { $0[dialect.ways] == nil && $0["next"] == nil && $0["type"] == nil }
    }

    private mutating func work(_ type: String, _ table: PlanValue, path: [TomlStep]) -> SequencePlan.Work? {
        switch type {
        case "wait": return .wait
        case "condition": return .condition
        case "split": return .split
        case "stop": return .stop(reason: string("reason", in: table, path: path, required: false))
        case "action": return action(table, path: path)
        default: return letter(table, path: path).map { .send($0) }
        }
    }

    private mutating func letter(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Letter? {
        if let channel = string("channel", in: table, path: path, required: false), !Self.same(channel, "email") {
            fault(path + ["channel"], "there is no channel '\(channel)' yet; there is \"email\"")
        }
        let isBody = dialect.isJSON && table["text"] == nil && table["body"] != nil
        let variants = variants(table, path: path)
        let isWhole = !variants.isEmpty && variants.allSatisfy { $0.text != nil }
        let text = string(isBody ? "body" : "text", in: table, path: path, required: !isWhole)
        let subject = string("subject", in: table, path: path, required: false)
        let html = string("html", in: table, path: path, required: false)
        guard let text = text ?? (isWhole ? "" : nil) else { return nil }
        return SequencePlan.Letter(subject: subject, text: text, html: html, variants: variants)
    }

    private mutating func variants(_ table: PlanValue, path: [TomlStep]) -> [SequencePlan.Letter.Variant] {
        var variants: [SequencePlan.Letter.Variant] = []
        for (value, path) in tables(dialect.variants, in: table, path: path) {
            if others(in: value, known: PlanDialect.variantKeys, path: path) != nil {
                fault(path, "a variant has \(PlanDialect.variantKeys.joined(separator: ", ")) and nothing else")
            }
            let name = string("name", in: value, path: path, required: true)
            if let name, !Self.isName(name) { fault(path + ["name"], "a name has letters, digits, '-' and '_', at most 64 of them") }
            let weight = weight(in: value, path: path) ?? 1
            let subject = string("subject", in: value, path: path, required: false)
            let text = string("text", in: value, path: path, required: false)
            let html = string("html", in: value, path: path, required: false)
            if let name, variants.contains(where: { Self.same($0.name, name) }) {
                fault(path + ["name"], "two variants are called '\(name)'")
            }
            if subject == nil, text == nil, html == nil, variants.contains(where: { $0.subject == nil && $0.text == nil && $0.html == nil })
            {
                fault(path, "it says the same as another variant; give it a subject or a text of its own")
            }
            variants.append(.init(name: name ?? "", weight: weight, subject: subject, text: text, html: html))
        }
        if variants.count == 1 {
            fault(path + [.key(dialect.variants)], "one variant alone is none; add another, or put its text into the step")
        }
        return variants
    }

    private mutating func action(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Work? {
        for key in ["tag", "untag", "list", "owner", "assign_owner", "assignOwner"] where table[key] != nil {
            fault(path + [.key(key)], "'\(key)' cannot be done yet; keep it in a field of the contact: set = { \(key) = \"...\" }")
        }
        var actions = texts("set", in: table, path: path).sorted { $0.key < $1.key }.map {
            SequencePlan.Action.set(field: $0.key, value: $0.value)
        }
        if let value = table["suppress"] {
            if case .bool(let flag) = value {
                if flag { actions.append(.suppress) }
            } else {
                fault(path + ["suppress"], "'suppress' must be true or false, not \(value.kind)")
            }
        }
        if let name = string("enroll", in: table, path: path, required: false) { actions.append(.enroll(sequence: name)) }
        if actions.isEmpty { fault(path, "an action does nothing; write set, suppress or enroll") }
        return .action(actions)
    }

    // MARK: Ways

    private mutating func ways(of table: PlanValue, path: [TomlStep]) -> [SequencePlan.Way]? {
        let next = dialect.isJSON ? nil : string("next", in: table, path: path, required: false)
        let named = table[dialect.ways] != nil
        // In JSON a node without transitions is an end.
        if !named, next == nil { return dialect.isJSON ? [] : nil }
        var ways = tables(dialect.ways, in: table, path: path).compactMap { value, path in way(value, path: path) }
        if let next { ways.append(SequencePlan.Way(on: .done, to: next)) }
        return ways
    }

    private mutating func way(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Way? {
        let extra = others(in: table, known: dialect.wayKeys, path: path)
        var on = SequencePlan.Trigger.done
        if let word = string("on", in: table, path: path, required: false) {
            if let trigger = SequencePlan.Trigger(rawValue: word) {
                on = trigger
            } else {
                let all = SequencePlan.Trigger.allCases.map(\.rawValue).joined(separator: ", ")
                fault(path + ["on"], "there is no event '\(word)'; there are \(all)")
            }
        }
        var condition: PlanCondition?
        if let source = string("if", in: table, path: path, required: false) {
            do throws(PlanCondition.Fault) {
                condition = try PlanCondition(source)
            } catch {
                fault(path + ["if"], "column \(error.column) of the condition: \(error.message)")
            }
        }
        let weight = table["weight"] == nil ? nil : weight(in: table, path: path)
        let classes = words("class", in: table, path: path)
        let intent = string("intent", in: table, path: path, required: false)
        let after = duration("after", in: table, path: path, required: false)
        let within = duration("within", in: table, path: path, required: false)
        guard let to = string("to", in: table, path: path, required: true) else { return nil }
        return SequencePlan.Way(
            on: on, classes: classes, intent: intent, after: after, within: within, condition: condition, weight: weight, to: to,
            extra: extra)
    }
}

// MARK: Values

extension PlanReader {
    private mutating func quietHours() -> SequencePlan.QuietHours? {
        let path: [TomlStep] = [.key(dialect.quietHours)]
        guard let value = root[dialect.quietHours] else { return nil }
        let ends: [String]
        switch value {
        case .string(let text): ends = text.utf8.split(separator: UInt8(ascii: "-")).map { String(decoding: Array($0), as: UTF8.self) }
        case .table:
            ends = ["start", "end"].compactMap { string($0, in: value, path: path, required: true) }
            if others(in: value, known: ["start", "end"], path: path) != nil { fault(path, "quiet hours have a start and an end") }
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
        return .init(start: minutes[0], end: minutes[1])
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
    private mutating func businessDays(_ table: PlanValue, delay: ISODuration?, path: [TomlStep]) -> Bool? {
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

    private mutating func stopRules() -> Set<SequencePlan.StopRule> {
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

    private mutating func duration(_ key: String, in table: PlanValue, path: [TomlStep], required: Bool) -> ISODuration? {
        guard let written = string(key, in: table, path: path, required: required) else { return nil }
        if let duration = ISODuration(written) { return duration }
        fault(
            path + [.key(key)],
            "'\(written)' is not an ISO 8601 duration of weeks, days, hours, minutes or seconds; write for instance \"P3D\"")
        return nil
    }

    private mutating func weight(in table: PlanValue, path: [TomlStep]) -> Int? {
        guard let value = table["weight"] else { return nil }
        guard case .integer(let weight) = value, (1...1000).contains(weight) else {
            fault(path + ["weight"], "a weight is a whole number from 1 to 1000")
            return nil
        }
        return weight
    }

    /// A string or a list of them.
    private mutating func words(_ key: String, in table: PlanValue, path: [TomlStep]) -> [String] {
        guard let value = table[key] else { return [] }
        var values = [value]
        if case .array(let list) = value { values = list }
        let words = values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        if words.count != values.count || words.isEmpty { fault(path + [.key(key)], "'\(key)' must be a string or a list of strings") }
        return words
    }

    /// A table of strings.
    private mutating func texts(_ key: String, in table: PlanValue, path: [TomlStep]) -> [String: String] {
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

    private mutating func tables(_ key: String, in table: PlanValue, path: [TomlStep]) -> [(value: PlanValue, path: [TomlStep])] {
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

    private mutating func string(_ key: String, in table: PlanValue, path: [TomlStep], required: Bool) -> String? {
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
    private mutating func others(in table: PlanValue, known: [String], path: [TomlStep]) -> String? {
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

    mutating func fault(_ path: [TomlStep], _ message: String) {
        faults.append(.init(file: file, line: line(path), message: message))
    }

    mutating func warn(_ path: [TomlStep], _ message: String) {
        warnings.append(.init(file: file, line: line(path), message: message))
    }

    static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    /// A file's name without folder and ending.
    private static func stem(of file: String) -> String {
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
