package import InternetMessage

/// Takes enrollments from one version of a sequence to another, where a person wants that: an enrollment in, a verdict out.
///
/// Steps are the same where their names are. What was written stays what it was: each message must be, in the new version, of the step at
/// the same place, because that is how messages, replies and conditions know of which step they are. An enrollment goes on at the step at
/// which it stands, wherever that is now.
package struct VersionMove: Sendable {
    package enum Verdict: Sendable, Equatable {
        case moves(Transition)
        /// It stays on its version, for the stated reason.
        case stays(because: String)
        /// It is over, or on the new version already.
        case isDone
    }

    private let old: SequenceVersion
    private let new: SequenceVersion

    package init(from old: SequenceVersion, to new: SequenceVersion) {
        self.old = old
        self.new = new
    }

    /// - Parameters:
    ///   - messages: all of the enrollment.
    ///   - person: who wants it, for the record.
    package func verdict(on enrollment: Enrollment, messages: [OutboxMessage], by person: String, at now: Timestamp) -> Verdict {
        guard enrollment.state != .finished, enrollment.state != .stopped, old.id != new.id else { return .isDone }
        for message in messages where message.state != .cancelled {
            let name = stepName(message.step, of: old)
            guard new.plan.steps.indices.contains(message.step), Self.isSame(stepName(message.step, of: new), name) else {
                let place = new.plan.stepName(message.step).map { "'\($0)'" } ?? "nothing"
                return .stays(because: "'\(name)' was written to it as step \(message.step + 1), where the new version has \(place)")
            }
        }
        let name = stepName(enrollment.nextStep, of: old)
        guard old.plan.steps.indices.contains(enrollment.nextStep), let place = new.plan.index(of: name) else {
            return .stays(because: "it stands at '\(name)', which the new version does not have")
        }
        let (was, becomes) = (old.plan.steps[enrollment.nextStep].work.word, new.plan.steps[place].work.word)
        guard Self.isSame(was, becomes) else {
            return .stays(because: "it stands at '\(name)', which is of type \(was) and becomes \(becomes)")
        }
        let words = "version \(new.hash.prefix(12)) instead of \(old.hash.prefix(12)), by \(person)"
        func move(_ state: Enrollment.State, _ cause: Enrollment.Cause?, _ reason: String, due: Timestamp?) -> Verdict {
            .moves(
                Transition(
                    enrollment: enrollment.id, expectedVersion: enrollment.version, at: now, state: state, cause: cause, reason: reason,
                    nextStep: place, dueAt: due, doneAt: enrollment.doneAt, movesTo: new.id))
        }
        switch enrollment.state {
        // Behind a step that is done the new version may wait for something else, or for longer: it is looked at now.
        case .active: return move(.active, nil, "\(words): at \(name)", due: enrollment.doneAt == nil ? enrollment.dueAt : now)
        // What was missing may not be any more.
        case .needsData: return move(.active, nil, "\(words): at \(name), which waited for a value", due: now)
        case .held, .sending, .paused, .finished, .stopped:
            return move(enrollment.state, enrollment.cause, "\(enrollment.reason); \(words)", due: enrollment.dueAt)
        }
    }

    private func stepName(_ index: Int, of version: SequenceVersion) -> String { version.plan.stepName(index) ?? "\(index + 1)" }

    private static func isSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}
