/// Writes a plan as the file that it could have been read from.
package struct PlanWriter: Sendable {
    private let plan: SequencePlan

    package init(_ plan: SequencePlan) { self.plan = plan }

    // MARK: JSON

    /// The JSON plan "1.0", without a line end; what its file said beside is in it as it was.
    package var json: String {
        var members: [PlanValue.Member] = [.init(key: "version", value: .string("1.0")), .init(key: "name", value: .string(plan.name))]
        func add(_ key: String, _ value: PlanValue?) { if let value { members.append(.init(key: key, value: value)) } }
        add("description", plan.description.utf8.isEmpty ? nil : .string(plan.description))
        add("timezone", plan.timezone.map { .string($0) })
        if let quiet = plan.quietHours {
            let ends = [("start", Self.clock(quiet.start)), ("end", Self.clock(quiet.end))].map { PlanValue.Member(key: $0, value: $1) }
            add("quietHours", .table(ends + Self.others(quiet.extra)))
        }
        add("stopOn", stopOn.map { .array($0.map { .string($0) }) })
        if let rule = plan.companyRule {
            add("stopCompanyOn", .array(rule.classes.map { .string($0.rawValue) }))
            add("stopCompanyIn", rule.scope == .sequence ? nil : .string(rule.scope.rawValue))
        }
        add("dailyStarts", plan.dailyStarts.map { .integer($0) })
        add("trackOpens", plan.tracking.opens.map { .bool($0) })
        add("trackClicks", plan.tracking.clicks.map { .bool($0) })
        add("snippets", plan.snippets.isEmpty ? nil : Self.texts(plan.snippets))
        add("startNodeId", (plan.start ?? plan.steps.first?.name).map { .string($0) })
        add("nodes", .array(plan.steps.indices.map(node)))
        return PlanValue.table(members + Self.others(plan.extra)).json()
    }

    private func node(_ index: Int) -> PlanValue {
        let step = plan.steps[index]
        var members: [PlanValue.Member] = []
        func add(_ key: String, _ value: PlanValue?) { if let value { members.append(.init(key: key, value: value)) } }
        add("id", .string(step.name))
        add("type", .string(step.work.word))
        if step.work == .wait {
            add("duration", .string(step.delay.description))
        } else if step.delay != .none {
            add("delay", .string(step.delay.description))
        }
        add("businessDays", step.businessDays.map { .bool($0) })
        switch step.work {
        case .send(let letter):
            add("channel", .string("email"))
            add("subject", letter.subject.map { .string($0) })
            add("text", letter.writtenText.map { .string($0) })
            add("html", letter.html.map { .string($0) })
            if !letter.variants.isEmpty { add("variants", .array(letter.variants.map(Self.variant))) }
        case .action(let actions):
            let act = Acts(actions)
            add("set", act.fields.isEmpty ? nil : Self.texts(act.fields))
            for (key, names) in act.names { add(key, names.count == 1 ? .string(names[0]) : .array(names.map { .string($0) })) }
            add("suppress", act.suppresses ? .bool(true) : nil)
            add("enroll", act.sequence.map { .string($0) })
        case .webhook(let call):
            add("webhook", call.webhook.map { .string($0) })
            add("url", call.url.map { .string($0) })
            add("fields", call.fields.isEmpty ? nil : .array(call.fields.map { .string($0) }))
            add("data", call.data.isEmpty ? nil : Self.texts(call.data))
        case .stop(let reason): add("reason", reason.map { .string($0) })
        case .wait, .condition, .split: break
        }
        let ways = plan.ways(of: index)
        if !ways.isEmpty { add("transitions", .array(ways.map(Self.way))) }
        return .table(members + Self.others(step.extra))
    }

    private static func variant(_ variant: SequencePlan.Letter.Variant) -> PlanValue {
        let texts = [("subject", variant.subject), ("text", variant.text), ("html", variant.html)]
        return table(
            [("name", .string(variant.name)), ("weight", .integer(variant.weight))]
                + texts.compactMap { key, text in text.map { (key, .string($0)) } })
    }

    private static func way(_ way: SequencePlan.Way) -> PlanValue {
        var members: [(String, PlanValue)] = []
        if way.on != .done || way.after != nil { members.append(("on", .string(way.on.rawValue))) }
        if !way.classes.isEmpty {
            members.append(("class", way.classes.count == 1 ? .string(way.classes[0]) : .array(way.classes.map { .string($0) })))
        }
        let texts = [
            ("intent", way.intent), ("after", way.after?.description), ("within", way.within?.description), ("if", way.condition?.source),
        ]
        members += texts.compactMap { key, text in text.map { (key, .string($0)) } }
        if let weight = way.weight { members.append(("weight", .integer(weight))) }
        members.append(("to", .string(way.to)))
        guard case .table(let known) = table(members) else { return .null }
        return .table(known + others(way.extra))
    }

    private static func table(_ members: [(String, PlanValue)]) -> PlanValue {
        .table(members.map { PlanValue.Member(key: $0, value: $1) })
    }

    private static func texts(_ texts: [String: String]) -> PlanValue {
        table(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }

    /// The members of a JSON object that was kept.
    private static func others(_ extra: String?) -> [PlanValue.Member] {
        guard let extra, case .table(let members)? = (try? PlanJSON(parsing: Array(extra.utf8)))?.root else { return [] }
        return members
    }

    private static func clock(_ minutes: Int) -> PlanValue { .string(clockText(minutes)) }

    private static func clockText(_ minutes: Int) -> String {
        let (hour, minute) = (minutes / 60, minutes % 60)
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }

    /// nil where everything stops.
    private var stopOn: [String]? {
        plan.stopOn.count == SequencePlan.StopRule.allCases.count ? nil : plan.stopOn.map(\.rawValue).sorted()
    }

    /// What an action does, as files have it.
    private struct Acts {
        var fields: [String: String] = [:]
        /// Names of tags, lists and owners by the key that gives or takes them.
        var names: [(key: String, names: [String])] = []
        var suppresses = false
        var sequence: String?

        init(_ actions: [SequencePlan.Action]) {
            for action in actions {
                switch action {
                case .set(let field, let value): fields[field] = value
                case .join(let group): add(group.text, to: group.kind.rawValue)
                case .leave(let group): add(group.text, to: "un" + group.kind.rawValue)
                case .assign(let owners): owners.forEach { add($0, to: SequencePlan.Action.ownerField) }
                case .suppress: suppresses = true
                case .enroll(let name): sequence = name
                }
            }
        }

        private mutating func add(_ name: String, to key: String) {
            if let place = names.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
                names[place].names.append(name)
            } else {
                names.append((key, [name]))
            }
        }
    }

    // MARK: TOML

    /// The sequence file in TOML, without a line end.
    package var toml: String {
        var out = TomlText()
        out.set("name", plan.name)
        if !plan.description.utf8.isEmpty { out.set("description", plan.description) }
        if let stopOn { out.set("stop_on", list: stopOn) }
        if let rule = plan.companyRule {
            out.set("stop_company_on", list: rule.classes.map(\.rawValue))
            if rule.scope != .sequence { out.set("stop_company_in", rule.scope.rawValue) }
        }
        if let starts = plan.dailyStarts { out.line("daily_starts = \(starts)") }
        if let opens = plan.tracking.opens { out.line("track_opens = \(opens)") }
        if let clicks = plan.tracking.clicks { out.line("track_clicks = \(clicks)") }
        out.set("start", plan.start)
        out.set("timezone", plan.timezone)
        if let quiet = plan.quietHours {
            let (start, end) = (Self.clockText(quiet.start), Self.clockText(quiet.end))
            if let extra = quiet.extra {
                out.set("quiet_hours", table: ["start": start, "end": end, "extra": extra])
            } else {
                out.set("quiet_hours", "\(start)-\(end)")
            }
        }
        out.set("extra", plan.extra)
        if !plan.snippets.isEmpty {
            out.header("[snippets]")
            for (name, text) in plan.snippets.sorted(by: { $0.key < $1.key }) { out.set(PlanValue.quoted(name), text) }
        }
        for index in plan.steps.indices { write(plan.steps[index], to: &out) }
        return String(decoding: out.text.utf8.dropLast(), as: UTF8.self)
    }

    private func write(_ step: SequencePlan.Step, to out: inout TomlText) {
        out.header("[[step]]")
        if step.letter == nil { out.set("type", step.work.word) }
        out.set("name", step.name)
        if step.letter != nil || step.work == .wait || step.delay != .none { out.set("delay", step.delay.description) }
        if let businessDays = step.businessDays { out.line("business_days = \(businessDays)") }
        switch step.work {
        case .send(let letter):
            out.set("subject", letter.subject)
            out.set("text", letter.writtenText)
            out.set("html", letter.html)
        case .action(let actions):
            let act = Acts(actions)
            out.set("set", table: act.fields)
            for (key, names) in act.names {
                if names.count == 1 { out.set(key, names[0]) } else { out.set(key, list: names) }
            }
            if act.suppresses { out.line("suppress = true") }
            out.set("enroll", act.sequence)
        case .webhook(let call):
            out.set("webhook", call.webhook)
            out.set("url", call.url)
            if !call.fields.isEmpty { out.set("fields", list: call.fields) }
            out.set("data", table: call.data)
        case .stop(let reason): out.set("reason", reason)
        case .wait, .condition, .split: break
        }
        out.set("extra", step.extra)
        if let ways = step.ways, ways.isEmpty { out.line("transition = []") }
        for way in step.ways ?? [] {
            out.header("[[step.transition]]")
            if way.on != .done || way.after != nil { out.set("on", way.on.rawValue) }
            if way.classes.count == 1 { out.set("class", way.classes[0]) }
            if way.classes.count > 1 { out.set("class", list: way.classes) }
            out.set("intent", way.intent)
            out.set("after", way.after?.description)
            out.set("within", way.within?.description)
            out.set("if", way.condition?.source)
            if let weight = way.weight { out.line("weight = \(weight)") }
            out.set("to", way.to)
            out.set("extra", way.extra)
        }
        for variant in step.letter?.variants ?? [] {
            out.header("[[step.variant]]")
            out.set("name", variant.name)
            out.line("weight = \(variant.weight)")
            out.set("subject", variant.subject)
            out.set("text", variant.text)
            out.set("html", variant.html)
        }
    }
}

/// Lines of a TOML document.
private struct TomlText {
    private(set) var text = ""

    mutating func header(_ header: String) { text += "\n\(header)\n" }

    mutating func line(_ line: String) { text += line + "\n" }

    /// Nothing when there is no text.
    mutating func set(_ key: String, _ value: String?) {
        guard let value else { return }
        line("\(key) = \(value.utf8.contains(10) ? Self.lines(value) : PlanValue.quoted(value))")
    }

    mutating func set(_ key: String, list: [String]) { line("\(key) = [\(list.map(PlanValue.quoted).joined(separator: ", "))]") }

    /// Nothing when there are no texts.
    mutating func set(_ key: String, table: [String: String]) {
        guard !table.isEmpty else { return }
        let pairs = table.sorted { $0.key < $1.key }.map { "\(PlanValue.quoted($0.key)) = \(PlanValue.quoted($0.value))" }
        line("\(key) = { \(pairs.joined(separator: ", ")) }")
    }

    /// A basic string of several lines.
    private static func lines(_ text: String) -> String {
        let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { line -> String in
            let quoted = Array(PlanValue.quoted(String(decoding: Array(line), as: UTF8.self)).utf8)
            return String(decoding: quoted[1..<(quoted.count - 1)], as: UTF8.self)
        }
        return "\"\"\"\n\(lines.joined(separator: "\n"))\"\"\""
    }
}
