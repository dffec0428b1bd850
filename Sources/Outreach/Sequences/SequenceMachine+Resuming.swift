import InternetMessage

/// Going on after a pause, or after a value was missing: no earlier than it would have gone on without.
extension SequenceMachine {
    /// What was to come when it was interrupted.
    private struct Interrupted {
        /// When its step was, or would have been, due; nil: at once.
        var due: Timestamp?
        /// Why it was held, and until when; nil: it was not.
        var absence: (reason: String, until: Timestamp)?
    }

    func resumed(by person: String, _ log: [Transition], _ absences: [Absence], at now: Timestamp) -> Transition {
        var before = interrupted(log)
        // Told of while nothing could be held for it.
        let since = log.reversed().prefix { $0.state == .paused || $0.state == .needsData }.last?.at
        let later = absences.filter { absence in since.map { absence.at >= $0 } ?? false }.map { ($0.words, $0.end(in: zone)) }
        if let last = later.max(by: { $0.1 < $1.1 }), last.1 > before.absence?.until ?? now { before.absence = last }
        if let absence = before.absence, absence.until > now {
            return move(.held, .outOfOffice, absence.reason, due: max(before.due ?? absence.until, absence.until), at: now)
        }
        // Behind a step that is done, what came back meanwhile is looked at first.
        let due = enrollment.doneAt == nil ? max(now, before.due ?? now) : now
        return move(.active, nil, "resumed by \(person)", due: due, at: now)
    }

    private func interrupted(_ log: [Transition]) -> Interrupted {
        let entry = plan.entry(at: enrollment.createdAt, in: zone, holidays: holidays)
        var known = Interrupted(due: entry.dueAt)
        var step = entry.step
        for transition in log {
            switch transition.state {
            case .active, .sending:
                known = Interrupted(due: transition.dueAt)
            case .held:
                let absence = transition.cause == .outOfOffice ? transition.dueAt.map { (transition.reason, $0) } : nil
                known = Interrupted(due: transition.dueAt, absence: absence)
            case .paused, .needsData, .finished, .stopped:
                // Its message was on its way and was taken after all: the next step counts from then.
                if transition.nextStep != step, plan.steps.indices.contains(transition.nextStep) {
                    known.due = plan.steps[transition.nextStep].due(after: transition.at, in: calendar, holidays: holidays)
                }
            }
            step = transition.nextStep
        }
        return known
    }
}
