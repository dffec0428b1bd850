import Logging
import Outreach
import Synchronization
import Testing

@testable import Mailroom

@Suite("loops of services over a store that fails")
struct ServiceLoopTests {
    /// What a loop did: how long it paused, and what it said.
    private final class Notes: Sendable {
        private let state = Mutex((pauses: [Duration](), lines: [String](), calls: 0))

        var pauses: [Duration] { state.withLock { $0.pauses } }
        var lines: [String] { state.withLock { $0.lines } }

        func pause(_ duration: Duration) { state.withLock { $0.pauses.append(duration) } }
        func say(_ line: String) { state.withLock { $0.lines.append(line) } }

        /// The next of a row of outcomes; the last one stays.
        func next(_ outcomes: [StoreError.Code?]) throws(StoreError) -> Int {
            let (call, code) = state.withLock { state in
                state.calls += 1
                return (state.calls, outcomes[min(state.calls, outcomes.count) - 1])
            }
            if let code { throw StoreError(code: code, message: "\(code)") }
            return call
        }
    }

    private struct NoteLog: LogHandler {
        let notes: Notes
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { notes.say("\(event.level)") }
    }

    private func loop(_ notes: Notes) -> ServiceLoop {
        ServiceLoop("tests", logger: Logger(label: "tests") { _ in NoteLog(notes: notes) }, pause: { notes.pause($0) })
    }

    @Test("a busy store and a full disk are tried again, later each time, and told of once for each spell")
    func busy() async throws {
        let notes = Notes()
        let loop = loop(notes)
        #expect(try await loop.patiently { try notes.next([.busy, .full, .busy, .full, .busy, nil]) } == 6)
        #expect(notes.pauses == [1, 2, 5, 10, 10].map { Duration.seconds($0) })
        #expect(notes.lines == ["warning", "notice"])
        let again = Notes()
        let other = self.loop(again)
        for _ in 0..<2 { _ = try await other.patiently { try again.next([.busy, nil, .busy, nil]) } }
        #expect(again.lines == ["warning", "notice", "warning", "notice"] && again.pauses == [.seconds(1), .seconds(1)])
    }

    @Test("a failure of the disk or of the file ends the service at once", arguments: [StoreError.Code.io, .unusable])
    func fatal(code: StoreError.Code) async throws {
        let notes = Notes()
        let loop = loop(notes)
        await #expect(throws: StoreError.self) { try await loop.patiently { try notes.next([code]) } }
        await #expect(throws: StoreError.self) { try await loop.round { try notes.next([code]) } }
        #expect(notes.pauses.isEmpty)
    }

    @Test(
        "a round that fails on a row or on a busy store is over, and the next one comes",
        arguments: [StoreError.Code.busy, .full, .constraint])
    func round(code: StoreError.Code) async throws {
        let notes = Notes()
        let loop = loop(notes)
        #expect(try await loop.round { try notes.next([code, code, nil]) } == nil)
        #expect(try await loop.round { try notes.next([code, code, nil]) } == nil)
        #expect(try await loop.round { try notes.next([code, code, nil]) } == 3)
        #expect(notes.pauses == [.seconds(1), .seconds(2)] && notes.lines == ["warning", "notice"])
    }

    @Test("a cancelled wait ends with the cancellation, and a round with nothing")
    func cancelled() async throws {
        let loop = ServiceLoop(
            "tests", logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }, pause: { _ in throw CancellationError() })
        let busy = StoreError(code: .busy, message: "busy")
        await #expect(throws: CancellationError.self) { try await loop.patiently { throw busy } }
        #expect(try await loop.round { try await loop.patiently { throw busy } } == nil)
    }
}
