import Dispatch

extension SASLClient {
    /// `start` for callers that must not stand still: a mechanism that may wait for the network does so on a thread of its own.
    package func begin(offered: [String]) async throws(SASLError) -> Start {
        guard mayWait else { return try start(offered: offered) }
        return try await aside { () throws(SASLError) in try self.start(offered: offered) }.get()
    }

    /// `step`, in the same way.
    package func answer(_ challenge: [UInt8]) async throws(SASLError) -> [UInt8] {
        guard mayWait else { return try step(challenge) }
        return try await aside { () throws(SASLError) in try self.step(challenge) }.get()
    }

    /// Neither an event loop nor a thread of Swift's small pool runs `body`.
    private func aside<Value: Sendable>(_ body: @escaping @Sendable () throws(SASLError) -> Value) async -> Result<Value, SASLError> {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                do throws(SASLError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }
}
