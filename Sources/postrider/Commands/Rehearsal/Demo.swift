import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import Rehearsal

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The main job in a rehearsal world on loopback; nothing leaves the machine.",
        discussion: """
            Twelve contacts go through a sequence of three messages, and each of them behaves in another way: the real services send and \
            take in real mail over real connections, only the recipients and the calendar are made up. Exit status 0 when every contact ended \
            as its script says, else 1. No conf is read; everything is below a temporary folder.
            """)

    @Flag(help: "Leave it running at the end, with its status page, until Ctrl-C; the folder stays.") var keep = false
    @Flag(help: "One JSON object per line: events, a result for each contact, a summary.") var json = false

    /// Real time within which the rehearsal must come to its end.
    private static let deadline = Duration.seconds(55)
    /// What a person at a terminal gets to read a step.
    private static let pace = Duration.milliseconds(150)

    func run() async throws {
        try await reportingFailures {
            let path = try StageFolder.make("postrider-demo-")
            let clock = RehearsalClock(start: Cast.start)
            let log = try LogFile(path: path + "/postrider.log", clock: clock)
            let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
            let report = DemoReport(json: json)
            do {
                let run = DemoRun(
                    path: path, eventLoops: eventLoops, log: log, report: report, keeps: keep,
                    pace: json || isatty(STDOUT_FILENO) == 0 ? .zero : Self.pace, deadline: Self.deadline, clock: clock)
                let outcome = try await run.run()
                try await eventLoops.shutdownGracefully()
                // What differs is to be looked into.
                Self.leave(path, keep: keep || outcome == .different)
                if outcome != .asScripted { throw Failure(.faults, "") }
            } catch let failure as Failure {
                throw failure
            } catch {
                Self.leave(path, keep: true)
                throw Failure(.internalError, "the demo failed: \(error)")
            }
        }
    }

    private static func leave(_ path: String, keep: Bool) {
        if keep {
            Console.error("conf, database and log stay in \(path)")
        } else {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
