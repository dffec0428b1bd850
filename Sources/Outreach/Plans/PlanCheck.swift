/// Finds what is wrong with a plan as a whole: where its ways lead, and which of them can never be taken.
package struct PlanCheck {
    /// Something in a plan, by where it stands.
    struct Finding: Equatable {
        var step: Int?
        var way: Int?
        /// A key of the step, the way or the plan; nil: the thing itself.
        var key: Key?
        let message: String
        /// The plan can be used as it is.
        var isWarning = false

        enum Key {
            case start, name, variants, intent, to, on, classes, within, after, condition, weight, subject, ways, trackOpens, trackClicks,
                enroll
        }
    }

    /// What of a plan could not be read, so that nothing is said of it that is wrong once it can be.
    struct Doubts {
        /// What a step is called: whether there is one of another name is not known.
        var names = false
        /// With which step it begins.
        var start = false
        /// Steps of which it is not known what they do.
        var kinds: Set<Int> = []
        /// Steps that may have other ways than are known.
        var exits: Set<Int> = []
        /// Ways by step; what they are taken on, or where they lead.
        var ways: [Int: Set<Int>] = [:]
        /// Messages that may have a subject all the same.
        var letters: Set<Int> = []

        fileprivate func isSure(of way: Int, in step: Int) -> Bool { ways[step].map { !$0.contains(way) } ?? true }

        /// Whether every way that there is leads where it is known to lead.
        fileprivate var areNone: Bool { !names && !start && kinds.isEmpty && exits.isEmpty && ways.isEmpty }
    }

    /// Every intent that replies are said to have.
    package static let intents = ["interested", "ready_to_meet", "need_more_info", "not_interested"]

    private let plan: SequencePlan
    private let doubts: Doubts
    private(set) var findings: [Finding] = []

    /// Every class of failures that bounces and refusals are put into.
    package static let failureClasses = [
        "auth_failed", "bad_domain", "dns_failure", "expired", "greylisted", "inactive_mailbox", "invalid_recipient", "mailbox_full",
        "message_format", "message_too_big", "network", "policy", "protocol_error", "rate_limited", "relay_denied", "reputation_block",
        "route_auth", "spam_content", "system_failure", "tls_failed", "unclassified",
    ]

    /// - Parameter doubts: what of the plan has the place of something that could not be read.
    init(_ plan: SequencePlan, doubts: Doubts = Doubts()) {
        self.plan = plan
        self.doubts = doubts
        checkStart()
        for index in plan.steps.indices {
            if !doubts.names { checkTargets(of: index) }
            checkEnrolling(index)
            guard !doubts.kinds.contains(index) else { continue }
            checkKinds(of: index)
            checkApart(index)
        }
        checkVariants()
        checkTracking()
        // A circle stays one whatever else is not known; what no way leads to may be where a faulty one was to lead.
        if !doubts.names, doubts.kinds.isEmpty, doubts.exits.isEmpty, !leads(astrayBy: [.name]) { checkLoops() }
        guard doubts.areNone, !leads(astrayBy: [.name, .start, .to, .ways]) else { return }
        checkReach()
        checkSubjects()
    }

    /// Whether there is a fault of one of these keys.
    private func leads(astrayBy keys: [Finding.Key]) -> Bool {
        findings.contains { finding in !finding.isWarning && (finding.key.map { keys.contains($0) } ?? false) }
    }

    private mutating func fault(_ step: Int?, _ way: Int? = nil, _ key: Finding.Key? = nil, _ message: String) {
        findings.append(Finding(step: step, way: way, key: key, message: message))
    }

    private mutating func warn(_ step: Int?, _ way: Int? = nil, _ key: Finding.Key? = nil, _ message: String) {
        findings.append(Finding(step: step, way: way, key: key, message: message, isWarning: true))
    }

    // MARK: Steps and ways

    private mutating func checkStart() {
        for (index, step) in plan.steps.enumerated() where !doubts.names && plan.index(of: step.name) != index {
            fault(index, nil, .name, "two steps have the same name; names tell them apart in reports")
        }
        guard !doubts.start, !doubts.names else { return }
        if let start = plan.start, plan.index(of: start) == nil {
            fault(nil, nil, .start, "there is no step '\(start)' to begin with; \(known)")
        } else if plan.steps.indices.contains(plan.startIndex), case .stop = plan.steps[plan.startIndex].work {
            fault(nil, nil, .start, "it begins with a stop; begin with a step that does something")
        }
    }

    private mutating func checkVariants() {
        var seen: [[UInt8]: Int] = [:]
        for (index, step) in plan.steps.enumerated() {
            for variant in step.letter?.variants ?? [] {
                let key = Array(variant.name.utf8)
                if let first = seen[key], first != index {
                    warn(
                        index, nil, .variants,
                        "the variant '\(variant.name)' is called as one of the step '\(plan.steps[first].name)'; reports count the two together"
                    )
                }
                seen[key] = index
            }
        }
    }

    private var known: String { "known are \(plan.steps.map(\.name).joined(separator: ", "))" }

    private mutating func checkTargets(of index: Int) {
        for (number, way) in (plan.steps[index].ways ?? []).enumerated() where plan.index(of: way.to) == nil {
            // One that names no step has been told of.
            if way.to.utf8.isEmpty, !doubts.isSure(of: number, in: index) { continue }
            fault(index, number, .to, "there is no step '\(way.to)'; \(known)")
        }
    }

    private mutating func checkEnrolling(_ index: Int) {
        for name in plan.steps[index].begins where name.utf8.elementsEqual(plan.name.utf8) {
            fault(
                index, nil, .enroll,
                "it begins its own sequence, which would never end; name another sequence, or write the messages that follow into this one")
        }
    }

    private mutating func checkKinds(of index: Int) {
        let step = plan.steps[index]
        let ways = step.ways ?? []
        switch step.work {
        case _ where doubts.exits.contains(index): break
        case .stop: if !ways.isEmpty { fault(index, nil, .ways, "nothing follows a stop; leave its transitions out") }
        case .action: if ways.count > 1 { fault(index, nil, .ways, "an action has one way on; put a condition behind it to choose") }
        case .webhook: if ways.count > 1 { fault(index, nil, .ways, "a webhook has one way on; its answer is not waited for") }
        case .split: if ways.count < 2 { fault(index, nil, .ways, "a split has at least two transitions, each with its weight") }
        case .condition:
            // One whose 'if' cannot be read is like the way that goes without saying.
            if ways.isEmpty, doubts.ways[index] == nil { fault(index, nil, .ways, "a condition has at least one transition with 'if'") }
        case .send, .wait: break
        }
        for (number, way) in ways.enumerated() where doubts.isSure(of: number, in: index) { checkKind(of: way, number, in: step, index) }
    }

    private mutating func checkKind(of way: SequencePlan.Way, _ number: Int, in step: SequencePlan.Step, _ index: Int) {
        let isChoice = step.work == .condition || step.work == .split
        let isAtOnce: Bool =
            switch step.work {
            case .action, .webhook: true
            default: false
            }
        if isChoice || isAtOnce, way.on != .done || way.after != nil || way.within != nil {
            fault(index, number, .on, "a step of type \(step.work.word) is decided at once; its transitions wait for nothing")
        }
        if step.work != .condition, way.condition != nil {
            fault(index, number, .condition, "'if' stands in transitions of a condition; lead to a step of type condition")
        }
        if step.work == .split, way.weight == nil { fault(index, number, .weight, "'weight' is missing; write for instance 50") }
        if step.work != .split, way.weight != nil { fault(index, number, .weight, "'weight' stands in transitions of a split only") }
        for test in way.condition?.root.tests ?? [] { check(test, number, index) }
        if way.on.isEvent, way.on != .deferred, way.after != nil {
            fault(index, number, .after, "'after' is for time that passes; say with 'within' how long to wait for '\(way.on.rawValue)'")
        }
        if !way.on.isEvent || way.on == .deferred, way.on != .delivered, way.within != nil {
            fault(index, number, .within, "'within' is for what may happen; '\(way.on.rawValue)' takes 'after'")
        }
        if [.noReply, .noOpen, .noClick, .deferred].contains(way.on), way.after == nil {
            fault(index, number, .on, "'\(way.on.rawValue)' needs 'after', for instance \"P3D\"")
        }
        if [.accepted, .delivered, .deferred].contains(way.on), step.letter == nil {
            fault(index, number, .on, "'\(way.on.rawValue)' is said of a message, and this step sends none")
        }
        checkClasses(of: way, number, index)
        checkFuture(of: way, number, index)
    }

    /// What a condition asks for that there is not, so that it always or never holds.
    private mutating func check(_ test: PlanCondition.Test, _ number: Int, _ index: Int) {
        if case .compare(let name, let comparison, let texts) = test, comparison.isOfNumbers {
            for text in texts where PlanCondition.number(ExpressionScanner.folded(text)) == nil {
                fault(
                    index, number, .condition,
                    "'\(comparison.rawValue)' compares numbers, and '\(text)' is none, so that it never holds of '\(name.words)'")
            }
        }
        if test.name.kind == .intent {
            for text in test.wholeTexts where !Self.isOne(text, of: Self.intents) {
                fault(
                    index, number, .condition, "'\(text)' is no intent of replies; there are \(Self.intents.joined(separator: ", "))")
            }
        }
        guard test.name.kind.isOfStep, let step = test.name.detail, !doubts.names else { return }
        guard let place = plan.index(of: step) else { return fault(index, number, .condition, "there is no step '\(step)'; \(known)") }
        guard !doubts.kinds.contains(place) else { return }
        guard let letter = plan.steps[place].letter else {
            return fault(index, number, .condition, "'\(test.name.words)' is said of a message, and the step '\(step)' sends none")
        }
        guard !doubts.letters.contains(place) else { return }
        switch test.name.kind {
        case .opened, .clicked:
            if !letter.hasHTML {
                warn(
                    index, number, .condition,
                    "only messages with HTML are counted, and the step '\(step)' has none: '\(test.name.words)' never holds")
            }
        case .variant:
            if letter.variants.isEmpty {
                return fault(index, number, .condition, "the step '\(step)' has no variants, so that '\(test.name.words)' is empty")
            }
            let names = letter.variants.map(\.name)
            for text in test.wholeTexts where !Self.isOne(text, of: names) {
                fault(
                    index, number, .condition,
                    "the step '\(step)' has no variant '\(text)'; there are \(names.joined(separator: ", "))")
            }
        default: break
        }
    }

    /// As conditions compare texts.
    static func isOne(_ text: String, of names: [String]) -> Bool {
        let wanted = ExpressionScanner.folded(text)
        return names.contains { ExpressionScanner.folded($0) == wanted }
    }

    private mutating func checkClasses(of way: SequencePlan.Way, _ number: Int, _ index: Int) {
        if way.on != .replied, way.intent != nil { fault(index, number, .on, "'intent' is said of replies") }
        if way.on == .replied, let intent = way.intent, !Self.intents.contains(intent) {
            fault(index, number, .intent, "'\(intent)' is no intent of replies; there are \(Self.intents.joined(separator: ", "))")
        }
        switch way.on {
        case .replied:
            for name in way.classes where ReplyClass(rawValue: name).map({ !$0.isHuman && $0 != .leftCompany }) ?? true {
                fault(index, number, .classes, "'\(name)' is no class of replies; there are \(ReplyClass.humanWords), left_company")
            }
        case .bounced:
            for name in way.classes where !Self.failureClasses.contains(name) {
                fault(
                    index, number, .classes, "'\(name)' is no class of failures; there are \(Self.failureClasses.joined(separator: ", "))")
            }
            if way.classes.isEmpty || way.classes.contains("invalid_recipient"), reachesSend(way) {
                warn(
                    index, number, .to,
                    "an address that does not exist is suppressed with its bounce, which ends its sequences; this way is taken for other failures"
                )
            }
        default:
            if !way.classes.isEmpty { fault(index, number, .classes, "'class' is said of replies and bounces") }
        }
    }

    private mutating func checkFuture(of way: SequencePlan.Way, _ number: Int, _ index: Int) {
        switch way.on {
        case .unsubscribed, .complained:
            warn(index, number, .on, "'\(way.on.rawValue)' always ends the sequence; this way is never taken")
        case .opened, .clicked, .noOpen, .noClick:
            guard let letter = plan.steps[index].letter, !letter.hasHTML else { break }
            let why = "only messages with HTML are counted, and this step has none: '\(way.on.rawValue)'"
            warn(index, number, .on, way.on.isEvent ? "\(why) never comes" : "\(why) comes whenever its time has passed")
        default: break
        }
    }

    /// What a plan turns off it cannot wait for.
    private mutating func checkTracking() {
        if plan.tracking.opens == false, plan.asksFor(.opened) {
            fault(nil, nil, .trackOpens, "opens are turned off, and the plan asks for them; take this out, or 'opened' and 'no_open'")
        }
        if plan.tracking.clicks == false, plan.asksFor(.clicked) {
            fault(nil, nil, .trackClicks, "clicks are turned off, and the plan asks for them; take this out, or 'clicked' and 'no_click'")
        }
    }

    private func reachesSend(_ way: SequencePlan.Way) -> Bool {
        plan.index(of: way.to).map { plan.steps[$0].letter != nil } ?? false
    }

    // MARK: Ways that hide each other

    private mutating func checkApart(_ index: Int) {
        let step = plan.steps[index]
        guard let ways = step.ways, step.work != .split else { return }
        for (number, way) in ways.enumerated() where doubts.isSure(of: number, in: index) {
            let sure = ways[..<number].enumerated().filter { doubts.isSure(of: $0.offset, in: index) }.map(\.element)
            let hidden = sure.first { first in
                if step.work == .condition { return first.condition == nil || first.condition == way.condition }
                return Self.hides(first, way) || (!way.on.isEvent && Self.hides(way, first))
            }
            if let hidden {
                fault(index, number, .on, "cannot be told from '\(Self.words(hidden))' before it, so one of the two is never taken")
            }
            guard let absent = way.on.absent, let after = way.after ?? way.within else { continue }
            for (other, event) in ways.enumerated() where event.on == absent && doubts.isSure(of: other, in: index) {
                guard let within = event.within, within.seconds > after.seconds else { continue }
                fault(
                    index, other, .within,
                    "waits for \(within), but '\(way.words)' is taken before that; make 'within' \(after) or shorter, or 'after' longer")
            }
        }
    }

    /// Whether the second is never taken beside the first.
    private static func hides(_ first: SequencePlan.Way, _ second: SequencePlan.Way) -> Bool {
        guard first.on == second.on else { return false }
        guard first.on.isEvent else { return (first.after?.seconds ?? 0) <= (second.after?.seconds ?? 0) }
        let allClasses = first.classes.isEmpty || (!second.classes.isEmpty && second.classes.allSatisfy(first.classes.contains))
        let allIntents = first.intent == nil || first.intent == second.intent
        let longest = SequencePlan.Way.longestWait.components.seconds
        return allClasses && allIntents && (first.within?.seconds ?? longest) >= (second.within?.seconds ?? longest)
            && (first.after?.seconds ?? 0) <= (second.after?.seconds ?? 0)
    }

    private static func words(_ way: SequencePlan.Way) -> String { way.condition?.source ?? way.words }

    // MARK: Where it leads

    private mutating func checkLoops() {
        var finished: Set<Int> = []
        for start in plan.steps.indices where !finished.contains(start) { follow(start, [], &finished) }
    }

    /// Depth first, at most as deep as there are steps.
    private mutating func follow(_ index: Int, _ trail: [Int], _ finished: inout Set<Int>) {
        let trail = trail + [index]
        // Nothing follows a stop, and ways that it has are told of.
        if case .stop = plan.steps[index].work {
            finished.insert(index)
            return
        }
        for (number, way) in plan.ways(of: index).enumerated() {
            guard let target = plan.index(of: way.to) else { continue }
            if let begin = trail.firstIndex(of: target) {
                let names = (trail[begin...] + [target]).map { plan.steps[$0].name }.joined(separator: " → ")
                fault(index, plan.steps[index].ways == nil ? nil : number, .to, "an endless loop: \(names); a contact comes to a step once")
            } else if !finished.contains(target) {
                follow(target, trail, &finished)
            }
        }
        finished.insert(index)
    }

    private mutating func checkReach() {
        let reached = reach(from: [plan.startIndex]) { _ in true }
        for index in plan.steps.indices where !reached.contains(index) {
            fault(index, nil, nil, "no way leads to the step '\(plan.steps[index].name)'; name it in a transition or take it out")
        }
    }

    /// A message without a subject goes on in a thread: one must have been begun on every way that leads to it.
    private mutating func checkSubjects() {
        func hasSubject(_ index: Int) -> Bool {
            guard let letter = plan.steps[index].letter else { return false }
            if doubts.letters.contains(index) { return true }
            return letter.subject != nil || (!letter.variants.isEmpty && letter.variants.allSatisfy { $0.subject != nil })
        }
        for index in reach(from: [plan.startIndex], while: { !hasSubject($0) }).sorted()
        where plan.steps[index].letter != nil && !hasSubject(index) {
            let isFirst = index == plan.startIndex
            fault(
                index, nil, nil,
                isFirst
                    ? "'subject' is missing"
                    : "'subject' is missing: on a way to this step no message with a subject comes before, so there is no thread to go on in"
            )
        }
    }

    /// Every step that can be come to, going on from those that `goesOn` says.
    private func reach(from start: [Int], while goesOn: (Int) -> Bool) -> Set<Int> {
        var reached: Set<Int> = []
        var rest = start.filter(plan.steps.indices.contains)
        while let index = rest.popLast() {
            guard reached.insert(index).inserted, goesOn(index) else { continue }
            rest += plan.ways(of: index).compactMap { plan.index(of: $0.to) }
        }
        return reached
    }
}
