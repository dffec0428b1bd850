import Toml

/// Reads a plan from a file's values, with every fault where it stands.
struct PlanReader {
    let dialect: PlanDialect
    let file: String
    let root: PlanValue
    /// The line of what a path leads to, or of the nearest thing around it.
    let line: ([TomlStep]) -> Int
    var faults: [SequenceFile.Fault] = []
    var warnings: [SequenceFile.Fault] = []

    /// What a step may call; nil: it is not known here.
    let webhooks: WebhookBook?
    /// What could not be read, of which no more is said.
    private var doubts = PlanCheck.Doubts()

    static let mostSteps = 100

    init(dialect: PlanDialect, file: String, root: PlanValue, webhooks: WebhookBook? = nil, line: @escaping ([TomlStep]) -> Int) {
        self.dialect = dialect
        self.file = file
        self.root = root
        self.webhooks = webhooks
        self.line = line
    }

    /// The plan, whole when there are no faults: what could not be read has the place of something that could. nil: it is no plan at all.
    mutating func plan() -> SequencePlan? {
        guard case .table = root else {
            fault([], "a plan is a table, not \(root.kind)")
            return nil
        }
        let extra = others(in: root, known: dialect.planKeys, path: [])
        // A key that is misspelt may have been meant to be it.
        doubts.start = !faults.isEmpty
        if dialect.isJSON, let version = string("version", in: root, path: [], required: true), !Self.same(version, "1.0") {
            fault(["version"], "version '\(version)' is not known; write \"1.0\"")
        }
        // A plan in JSON need not have a name: its file has one.
        let name = string("name", in: root, path: [], required: !dialect.isJSON) ?? (dialect.isJSON ? Self.stem(of: file) : nil)
        if let name, !Self.isName(name) { fault(["name"], "a name has letters, digits, '-' and '_', at most 64 of them") }
        let description = string("description", in: root, path: [], required: false) ?? ""
        let steps = steps()
        let start = string(dialect.start, in: root, path: [], required: false)
        if start == nil, root[dialect.start] != nil { doubts.start = true }
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
        let companyRule = companyRule()
        let dailyStarts = count(dialect.dailyStarts, 1...100_000)
        let tracking = SequencePlan.Tracking(opens: flag(dialect.trackOpens), clicks: flag(dialect.trackClicks))
        let isFirst = start.map { wanted in steps.first.map { Self.same($0.name, wanted) } ?? false } ?? true
        let plan = SequencePlan(
            name: name ?? "", description: description, steps: Self.withPlainWays(steps), stopOn: stopOn, start: isFirst ? nil : start,
            timezone: timezone, quietHours: quietHours, companyRule: companyRule, dailyStarts: dailyStarts, tracking: tracking,
            snippets: snippets, extra: extra)
        for finding in steps.isEmpty ? [] : PlanCheck(plan, doubts: doubts).findings {
            if finding.isWarning {
                warn(place(of: finding), finding.message)
            } else {
                fault(place(of: finding), finding.message)
            }
        }
        return plan
    }

    /// Where a finding stands in the file; the way behind all that are written as such is `next`.
    private func place(of finding: PlanCheck.Finding) -> [TomlStep] {
        if let step = finding.step, let way = finding.way, case .array(let steps)? = root[dialect.steps], steps[step]["next"] != nil {
            var written = 0
            if case .array(let ways)? = steps[step][dialect.ways] { written = ways.count }
            if way >= written { return [.key(dialect.steps), .index(step), "next"] }
        }
        return dialect.path(of: finding)
    }

    /// The way to the step after it goes without saying.
    private static func withPlainWays(_ steps: [SequencePlan.Step]) -> [SequencePlan.Step] {
        steps.enumerated().map { index, step in
            guard let ways = step.ways else { return step }
            let isEnd = index + 1 == steps.count || step.work.word == "stop"
            let next = isEnd ? [] : [SequencePlan.Way(on: .done, to: steps[index + 1].name)]
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
                doubts.names = true
                doubts.kinds.insert(index)
                steps.append(SequencePlan.Step(name: "", work: .wait))
                continue
            }
            steps.append(step(value, index: index, path: path))
        }
        return steps
    }

    private mutating func step(_ table: PlanValue, index: Int, path: [TomlStep]) -> SequencePlan.Step {
        var before = faults.count
        let type = string("type", in: table, path: path, required: dialect.isJSON) ?? "send"
        if !["send", "wait", "condition", "split", "action", "webhook", "stop"].contains(type) {
            fault(path + ["type"], "there is no type '\(type)'; there are send, wait, condition, split, action, webhook and stop")
        }
        let hasKind = faults.count == before
        before = faults.count
        let name = string(dialect.stepName, in: table, path: path, required: dialect.isJSON) ?? "step\(index + 1)"
        if Self.isBlank(name) || name.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            fault(path + [.key(dialect.stepName)], "the name of a step has letters or digits, in one line")
        }
        if faults.count > before { doubts.names = true }
        guard hasKind else {
            doubts.kinds.insert(index)
            return SequencePlan.Step(name: name, work: .wait, ways: ways(of: table, step: index, path: path))
        }
        before = faults.count
        let extra = others(in: table, known: dialect.stepKeys(type), path: path)
        if faults.count > before {
            // A key that is misspelt may have been meant to be any other.
            doubts.exits.insert(index)
            doubts.letters.insert(index)
            if table[dialect.stepName] == nil { doubts.names = true }
        }
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
        let ways = ways(of: table, step: index, path: path)
        before = faults.count
        let work = work(type, table, path: path)
        if faults.count > before { doubts.letters.insert(index) }
        return SequencePlan.Step(name: name, work: work, delay: delay ?? .none, businessDays: businessDays, ways: ways, extra: extra)
    }

    /// Whether no step names a way.
    private var isLine: Bool {
        guard case .array(let tables)? = root[dialect.steps] else { return true }
        return tables.allSatisfy { $0[dialect.ways] == nil && $0["next"] == nil && $0["type"] == nil }
    }

    private mutating func work(_ type: String, _ table: PlanValue, path: [TomlStep]) -> SequencePlan.Work {
        switch type {
        case "wait": return .wait
        case "condition": return .condition
        case "split": return .split
        case "stop": return .stop(reason: string("reason", in: table, path: path, required: false))
        case "action": return action(table, path: path)
        case "webhook": return call(table, path: path)
        default: return .send(letter(table, path: path))
        }
    }

    private mutating func letter(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Letter {
        let before = faults.count
        if let channel = string("channel", in: table, path: path, required: false), !Self.same(channel, "email") {
            fault(path + ["channel"], "there is no channel '\(channel)' yet; there is \"email\"")
        }
        let textKey = dialect.isJSON && table["text"] == nil && table["body"] != nil ? "body" : "text"
        let text = string(textKey, in: table, path: path, required: false)
        let variants = variants(table, text: text, path: path)
        let subject = string("subject", in: table, path: path, required: false)
        let html = string("html", in: table, path: path, required: false)
        let letter = SequencePlan.Letter(
            subject: subject, text: text.map { Self.isBlank($0) ? "" : $0 } ?? "", html: html, variants: variants)
        if variants.isEmpty { lint(subject, letter.text, html, path: path, textKey: textKey) }
        // What could not be read may have been a text.
        guard faults.count == before else { return letter }
        for (index, text, html) in letter.wordings where html == nil && Self.isBlank(text) {
            if let index, let own = variants[index].text, Self.isBlank(own) {
                fault(path + [.key(dialect.variants), .index(index), "text"], Self.emptyText)
            } else if table[textKey] != nil {
                fault(path + [.key(textKey)], Self.emptyText)
                break
            } else {
                fault(path, "'text' is missing; a message has a text, or html that one is made of")
                break
            }
        }
        return letter
    }

    private static let emptyText = "'text' is empty; a message has a text, or html that one is made of"

    static func isBlank(_ text: String) -> Bool { text.utf8.allSatisfy { $0 <= 32 } }

    /// - Parameter text: the step's own; nil: it has none.
    private mutating func variants(_ table: PlanValue, text ofStep: String?, path: [TomlStep]) -> [SequencePlan.Letter.Variant] {
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
            lint(subject, text ?? (ofStep.map(Self.isBlank) ?? true ? "" : nil), html, path: path, textKey: "text")
            variants.append(.init(name: name ?? "", weight: weight, subject: subject, text: text, html: html))
        }
        if variants.count == 1 {
            fault(path + [.key(dialect.variants)], "one variant alone is none; add another, or put its text into the step")
        }
        return variants
    }

    private mutating func action(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Work {
        for key in ["assign_owner", "assignOwner"] where table[key] != nil {
            fault(path + [.key(key)], "there is no '\(key)'; write owner = \"...\"")
        }
        var actions = texts("set", in: table, path: path).sorted { $0.key < $1.key }.map {
            SequencePlan.Action.set(field: $0.key, value: $0.value)
        }
        for (name, key) in [("tags", "tag"), ("lists", "list")] where table["set"]?[name] != nil {
            fault(path + ["set"], "'\(name)' is no field of a contact; write \(key) = \"...\" instead")
        }
        actions += groupActions(table, path: path)
        if let owners = owners(table, path: path) { actions.append(.assign(owners: owners)) }
        if let value = table["suppress"] {
            if case .bool(let flag) = value {
                if flag { actions.append(.suppress) }
            } else {
                fault(path + ["suppress"], "'suppress' must be true or false, not \(value.kind)")
            }
        }
        if let name = string("enroll", in: table, path: path, required: false) {
            if !Self.isName(name) { fault(path + ["enroll"], "'\(name)' is no name of a sequence; write the 'name' of its file") }
            actions.append(.enroll(sequence: name))
        }
        if actions.isEmpty, table["enroll"] == nil { fault(path, "an action does nothing; write set, tag, untag, list, unlist, owner, suppress or enroll") }
        return .action(actions)
    }

    // MARK: Ways

    /// Each where it stands in the file; one that cannot be read leads nowhere.
    private mutating func ways(of table: PlanValue, step: Int, path: [TomlStep]) -> [SequencePlan.Way]? {
        let before = faults.count
        let next = dialect.isJSON ? nil : string("next", in: table, path: path, required: false)
        var values: [PlanValue] = []
        if let named = table[dialect.ways] {
            if case .array(let list) = named { values = list } else {
                fault(path + [.key(dialect.ways)], "'\(dialect.ways)' must be a list of tables, not \(named.kind)")
            }
        }
        if faults.count > before { doubts.exits.insert(step) }
        // In JSON a node without transitions is an end.
        if table[dialect.ways] == nil, next == nil { return dialect.isJSON ? [] : nil }
        var ways: [SequencePlan.Way] = []
        for (number, value) in values.enumerated() {
            let before = faults.count
            let path = path + [.key(dialect.ways), .index(number)]
            if case .table = value {
                ways.append(way(value, path: path))
            } else {
                fault(path, "a table is expected, not \(value.kind)")
                ways.append(SequencePlan.Way(on: .done, to: ""))
            }
            if faults.count > before { doubts.ways[step, default: []].insert(number) }
        }
        if let next { ways.append(SequencePlan.Way(on: .done, to: next)) }
        return ways
    }

    private mutating func way(_ table: PlanValue, path: [TomlStep]) -> SequencePlan.Way {
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
            do throws(ExpressionFault) {
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
        let to = string("to", in: table, path: path, required: true) ?? ""
        return SequencePlan.Way(
            on: on, classes: classes, intent: intent, after: after, within: within, condition: condition, weight: weight, to: to,
            extra: extra)
    }
}
