import Foundation
import InternetMessage
import Mailroom
import Outreach
import SQLiteStore

/// Brings from the database that a restore replaces what must not be forgotten: who must not be written to, and how far each enrollment came.
struct CarryOver {
    enum Summary {
        case carried(suppressions: Int, enrollments: Int, stop: Bool)
        /// Why nothing could be carried over.
        case unreadable(String)

        /// For the person who restores.
        var words: String {
            switch self {
            case .carried(let suppressions, let enrollments, let stop):
                "carried over from the database that was there: \(suppressions) suppressions, \(enrollments) enrollments that went on since the backup"
                    + (stop ? ", the global STOP" : "")
            case .unreadable(let why):
                "nothing was carried over from the database that was there, it cannot be read: \(TerminalText.line(why)); whoever unsubscribed since the backup must be "
                    + "suppressed again before 'postrider resume-all'"
            }
        }
    }

    private let old: SQLiteStore
    private let new: SQLiteStore
    private let now: Timestamp

    /// Carries from the database at `path` to the one that takes its place; nil when there is none.
    ///
    /// - Throws: what the new one refuses. Faults of the old one are in the summary.
    static func run(from path: String, to new: SQLiteStore) async throws(StoreError) -> Summary? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let old: SQLiteStore
        let found: (suppressions: [Suppression], enrollments: [Enrollment], stop: String?)
        do throws(StoreError) {
            old = try DatabaseFile.open(path)
        } catch {
            return .unreadable(error.message)
        }
        defer { try? old.close() }
        let carrier = CarryOver(old: old, new: new, now: OpenState.clock.now())
        do throws(StoreError) {
            found = try await (carrier.suppressions(), carrier.enrollments(), old.stopReason())
        } catch {
            return .unreadable(error.message)
        }
        // First how far each came, then the suppressions, which stop what still runs.
        var moved = 0
        for enrollment in found.enrollments where try await carrier.move(enrollment) { moved += 1 }
        let known = Set(try await carrier.suppressions(in: new).map(\.key))
        let missing = found.suppressions.filter { !known.contains($0.key) && !$0.isOver(at: carrier.now) }
        for start in stride(from: 0, to: missing.count, by: 500) {
            try await new.suppress(Array(missing[start..<min(start + 500, missing.count)]))
        }
        if let stop = found.stop { try await new.setStop(reason: stop, at: carrier.now) }
        return .carried(suppressions: missing.count, enrollments: moved, stop: found.stop != nil)
    }

    private func suppressions() async throws(StoreError) -> [Suppression] { try await suppressions(in: old) }

    private func suppressions(in store: SQLiteStore) async throws(StoreError) -> [Suppression] {
        var all: [Suppression] = []
        while true {
            let page = try await store.suppressions(workspace: .default, after: all.last?.id, limit: 500)
            if page.isEmpty { return all }
            all += page
        }
    }

    /// Every enrollment that the old database knows.
    private func enrollments() async throws(StoreError) -> [Enrollment] {
        var all: [Enrollment] = []
        for sequence in try await old.sequences(workspace: .default) {
            var after: Enrollment.ID?
            while true {
                let page = try await old.enrollments(workspace: .default, sequenceName: sequence.plan.name, after: after, limit: 500)
                guard let last = page.last else { break }
                all += page
                after = last.id
            }
        }
        return all
    }

    /// Brings the new database's enrollment to where the old one's was; false when it is there already, or only the old one knows it.
    private func move(_ last: Enrollment) async throws(StoreError) -> Bool {
        guard let first = try await new.enrollment(id: last.id), first.contact == last.contact, first.version < last.version else {
            return false
        }
        // Halted first, so that what the backup still has in its queue is taken back and does not leave a second time.
        try await apply(first, .paused, .person, "restored from a backup", at: last, due: nil)
        guard let halted = try await new.enrollment(id: last.id) else { return false }
        switch last.state {
        case .sending:
            let reason = "its step may have left before the database was restored from a backup; look, then resume or stop it"
            try await apply(halted, .paused, .person, reason, at: last, due: nil)
        case .paused:
            try await apply(halted, .paused, last.cause, last.reason, at: last, due: nil)
        case .active, .held, .needsData, .finished, .stopped:
            try await apply(halted, last.state, last.cause, last.reason, at: last, due: last.dueAt)
        }
        return true
    }

    private func apply(
        _ enrollment: Enrollment, _ state: Enrollment.State, _ cause: Enrollment.Cause?, _ reason: String, at last: Enrollment,
        due: Timestamp?
    ) async throws(StoreError) {
        let transition = Transition(
            enrollment: enrollment.id, expectedVersion: enrollment.version, at: now, state: state, cause: cause, reason: reason,
            nextStep: last.nextStep, dueAt: due, doneAt: last.doneAt)
        let ids = RecordIDs(now: { OpenState.clock.now() }, random: { UInt8.random(in: .min ... .max) })
        _ = try await new.apply(OutboxConsequence.carried(transition, of: enrollment, ids: ids))
    }
}

extension Suppression {
    /// What two suppressions of one subject, reason and end have in common.
    fileprivate var key: [String] {
        [workspace.rawValue.description, subject.kind, subject.text, reason.rawValue, "\(expiresAt?.milliseconds ?? 0)"]
    }
}
