import ArgumentParser
import Foundation
import InternetMessage
import Mailroom
import Outreach
import Settings

/// What every rehearsal can be told.
struct StageOptions: ParsableArguments {
    @Option(
        help:
            "When it begins: 2027-03-01 or 2027-03-01T08:30 by the clock of [main], or with a Z for UTC; who is enrolled and queued already waits until then, too. Unset: now."
    ) var from: String?
    @Flag(help: "Ask no DNS: each domain counts as a site of its own.") var withoutDns = false
    @Option(help: "Keep the copy in this folder. A rehearsal that was broken off goes on when its folder is named again.") var keep: String?
    @Flag(help: "One JSON object per line.") var json = false

    func validate(days: Int) throws {
        guard (1...3660).contains(days) else { throw ValidationError("--days must be 1 to 3660") }
    }

    /// Plays it and shows what it found.
    ///
    /// - Parameters:
    ///   - workspace: the one that a person named; nil: none.
    ///   - prepare: brings what the state does not have yet into the copy; the name of the sequence whose waiting contacts are shown.
    func play(
        _ settings: Settings, workspace: String?, days: Int, detail: CampaignReport.Detail, prepare: (OpenState) async throws -> String
    ) async throws {
        let start = try start(settings)
        if settings.safety.dryRun {
            Console.error("note: [safety] dry_run is set: nothing would really leave; this shows what would without it")
        }
        let stage = CampaignStage(
            settings: settings, workspace: workspace, start: start, length: .seconds(days * 86_400), asksDNS: !withoutDns, keptFolder: keep)
        let progress = StageProgress(isShown: !json && isatty(STDERR_FILENO) != 0)
        try await stage.run { state in
            if let reason = try await state.store.stopReason() {
                Console.error("note: the global STOP is set (\(TerminalText.line(reason))); this shows what would leave without it")
                try await state.store.setStop(reason: nil, at: start)
            }
            return try await prepare(state)
        } told: {
            progress.show($0, messages: $1)
        } conclude: { state, sequence, result in
            progress.end()
            let report = CampaignReport(settings: settings, detail: detail, json: json)
            try await report.write(CampaignCalendar(state: state, mark: result.mark), sequence: sequence, result)
            if result.isInterrupted { throw ExitStatus.tryAgain.code }
        }
    }

    private func start(_ settings: Settings) throws(Failure) -> Timestamp {
        let now = OpenState.clock.now()
        guard let from else { return now }
        guard let start = WrittenMoment.read(from, in: LocalZone(settings.main.timezone.identifier)) else {
            throw Failure(.usage, "--from '\(TerminalText.line(from))' is no moment; write for instance 2027-03-01T08:30")
        }
        guard start > now - .seconds(86_400), start < now + .seconds(3660 * 86_400) else {
            throw Failure(.usage, "--from \(start.iso8601) is past, or more than ten years ahead")
        }
        return start
    }
}

/// How far a rehearsal is, on a terminal.
final class StageProgress: Sendable {
    private let isShown: Bool

    init(isShown: Bool) { self.isShown = isShown }

    func show(_ moment: Timestamp, messages: Int) {
        if isShown { write("\r\(moment.iso8601)  \(messages) messages\u{1b}[K") }
    }

    func end() { if isShown { write("\r\u{1b}[K") } }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
