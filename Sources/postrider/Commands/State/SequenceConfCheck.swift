import InternetMessage
import Mailroom
import Outreach
import Settings

/// Holds sequence files against a conf: whether it lets their messages out, and what they ask for that it does not give.
struct SequenceConfCheck {
    private let settings: Settings
    private let workspace: String?

    /// - Parameter workspace: whose sequences they are; nil: they may be anybody's.
    init(_ settings: Settings, workspace: String?) {
        self.settings = settings
        self.workspace = workspace
    }

    /// Who may send them.
    private func identities() throws(Failure) -> [String: SenderIdentity] {
        let all = try Desks.identities(settings, in: nil)
        guard let workspace else { return all }
        return all.filter { $0.value.workspaceName.utf8.elementsEqual(workspace.utf8) }
    }

    /// Says what may not be what was meant, on standard error.
    ///
    /// - Throws: every fault of all files.
    func check(_ files: [(path: String, file: SequenceFile)]) throws(Failure) {
        let identities = try identities()
        let windows = windows(of: identities)
        // As messages note whose servers they were tried at.
        let providers = try Desks.providers(settings).profiles.map(\.name) + [RecipientProvider.other]
        let laws = ComplianceGaps.lawsOnTexts(identities.values)
        let isForbidden = !laws.isEmpty && identities.values.allSatisfy { $0.lawOnTexts != nil }
        var faults: [String] = []
        for (path, file) in files {
            for gap in Desks.tracking(settings).gaps(in: file.plan) {
                Console.error("\(TerminalText.line("\(path):\(file.touchLines[gap.event] ?? 1): \(gap.words)")) (a warning)")
            }
            if let gap = ComplianceGaps.link(settings) {
                faults += file.linesThatNeedLink.map {
                    "\(path):\($0): {{unsubscribe_url}} has no value, so that this message would wait for ever: \(gap), or take it out"
                }
            }
            for mention in file.mentions {
                guard let known = known(mention.kind, providers: providers, identities: identities.keys.sorted()),
                    !mention.isOne(of: known)
                else { continue }
                faults.append(
                    "\(path):\(mention.line): step '\(mention.step)': there is no \(mention.kind.rawValue) '\(mention.text)'; "
                        + "there are \(known.joined(separator: ", "))")
            }
            var warnings: [String] = []
            if file.plan.steps.contains(where: { $0.letter != nil }), let gap = ComplianceGaps.wayOut(settings) {
                warnings.append("its messages offer no way to unsubscribe: \(gap)")
            }
            for (law, names) in laws where !file.linesWithoutWayOut.isEmpty {
                let ask = Self.wish(of: law, names)
                if isForbidden {
                    faults += file.linesWithoutWayOut.map {
                        "\(path):\($0): \(ask), and this one does not; \(ComplianceGaps.remedy(settings))"
                    }
                } else {
                    warnings.append("\(ask), which these do not, so that it may not send them; \(ComplianceGaps.remedy(settings))")
                }
            }
            for warning in warnings { Console.error("\(TerminalText.line("\(path):1: \(warning)")) (a warning)") }
            for names in closed(file.plan, windows) {
                faults.append(
                    "\(path):\(file.quietHoursLine ?? 1): its quiet hours leave nothing of the hours in which identity \(names) may send; "
                        + "make one of them wider")
            }
        }
        guard faults.isEmpty else { throw Failure(.badInput, faults.map(TerminalText.line).joined(separator: "\n")) }
    }

    /// Every name of that kind that there is; nil: a conf does not say.
    private func known(_ kind: PlanMention.Kind, providers: [String], identities: [String]) -> [String]? {
        switch kind {
        case .identity: identities
        case .provider: providers
        case .field, .tag, .list: nil
        }
    }

    /// - Throws: when the law of one of those who would write wants of the messages what they do not show.
    func checkLaws(of version: SequenceVersion, as senders: SenderRotation) throws(Failure) {
        let templates: StepTemplates
        do throws(StepTemplates.Fault) { templates = try StepTemplates(version.plan) } catch { throw Failure(.badInput, "\(error)") }
        guard let bare = templates.writings.first(where: { !$0.showsWayOut }) else { return }
        let identities = try identities()
        for member in senders.members {
            guard let law = identities[member.identity]?.lawOnTexts else { continue }
            throw Failure(
                .badInput,
                TerminalText.line(
                    "sequence '\(version.plan.name)', step \(version.plan.steps[bare.step].name): \(Self.wish(of: law, [member.identity])), "
                        + "and this one does not; \(ComplianceGaps.remedy(settings))"))
        }
    }

    private static func wish(of law: String, _ identities: [String]) -> String {
        "the law '\(law)' of identity \(identities.joined(separator: ", ")) wants each message to show how to get no more"
    }

    /// The hours of the week of each identity, with the names of those that have them.
    private func windows(of identities: [String: SenderIdentity]) -> [(window: SendingWindow, names: String)] {
        var names: [SendingWindow: [String]] = [:]
        for (name, identity) in identities {
            let window = identity.pacing.window
            // A holiday in the next days is no reason to refuse a file.
            names[SendingWindow(week: window.week, zone: window.zone, quietHours: window.quietHours), default: []].append("'\(name)'")
        }
        return names.map { ($0.key, $0.value.sorted().joined(separator: ", ")) }.sorted { $0.names < $1.names }
    }

    /// Whose hours the quiet hours of a plan leave nothing of.
    private func closed(_ plan: SequencePlan, _ windows: [(window: SendingWindow, names: String)]) -> [String] {
        guard let quiet = plan.quietHours else { return [] }
        let now = SystemClock().now()
        return windows.compactMap { window, names in
            let zone = plan.zone ?? window.zone
            // Two weeks, minute by minute: mostly the first hours tell.
            let isOpen = (0..<20_160).contains { minute in
                let moment = now + .seconds(Int64(minute) * 60)
                return window.isOpen(at: moment) && quiet.end(at: moment, in: zone) == nil
            }
            return isOpen ? nil : names
        }
    }
}
