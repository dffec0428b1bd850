import Foundation

/// The measured half of `scripts/bench messages`: each subcommand does one kind of work and prints one line of JSON.
///
/// Times are those of the processor, so that other work on the machine changes them least.
@main
struct MessageBench {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        switch (words.first, Array(words.dropFirst())) {
        case ("replies", let rest) where rest.count == 2:
            try Replies.write(count: Int(rest[0]) ?? 1000, to: rest[1])
        case ("big", let rest) where rest.count == 3:
            try BigMessage.write(kind: rest[0], megabytes: Int(rest[1]) ?? 50, to: rest[2])
        case ("parse", let rest) where rest.count == 2:
            print(try Parsing.measure(folder: rest[0], seconds: Double(rest[1]) ?? 1))
        case ("memory", let rest) where rest.count == 1:
            print(try Memory.measure(file: rest[0]))
        case ("sign", let rest) where rest.count == 1:
            print(try Signing.measure(seconds: Double(rest[0]) ?? 1))
        case ("key", let rest) where rest.count == 1:
            try Signing.writeKeyAndMessage(to: rest[0])
        default:
            FileHandle.standardError.write(Data("usage: MessageBench replies|big|parse|memory|sign|key ...\n".utf8))
            exit(64)
        }
    }
}

/// What a piece of work cost the processor.
enum Stopwatch {
    static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Does `round` once unmeasured, then until `seconds` are over; how often, and the seconds it took.
    static func repeating(atLeast seconds: Double, _ round: () throws -> Void) rethrows -> (rounds: Int, seconds: Double) {
        try round()
        let start = processorSeconds()
        var rounds = 0
        var spent = 0.0
        repeat {
            try round()
            rounds += 1
            spent = processorSeconds() - start
        } while spent < seconds
        return (rounds, spent)
    }
}
