import ArgumentParser
import Outreach

/// Whom a command changes: contacts by their addresses, or those of a segment.
struct ContactChoice: ParsableArguments {
    @Argument(help: "Email addresses of contacts.") var contacts: [String] = []
    @OptionGroup var segment: SegmentOption

    func validate() throws {
        if contacts.isEmpty != segment.isGiven { throw ValidationError("name the contacts, or give --where or --segment") }
    }

    /// Hands them over, some at a time.
    ///
    /// - Throws: `badInput` when one of the addresses is no contact; the others are handed over all the same.
    func each(of state: OpenState, _ work: ([Contact]) async throws -> Void) async throws {
        if contacts.isEmpty { return try await state.eachPage(in: try await segment.query(state)) { try await work($0) } }
        var faults = 0
        for text in contacts {
            do {
                try await work([try await state.contact(text)])
            } catch let failure as Failure where failure.status == .badInput {
                Console.error(failure.message)
                faults += 1
            }
        }
        if faults > 0 { throw ExitStatus.badInput.code }
    }
}
