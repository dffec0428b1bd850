import Foundation

/// What did not happen in time.
package struct TimedOut: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until `condition` gives a value, asking again and again, and throws `TimedOut` when `limit` has passed.
///
/// `what` names the awaited thing in the error. The wait ends with the condition, so a generous limit costs a passing test nothing.
package func eventually<Value: Sendable>(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(90), isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
        if let value = try await condition() { return value }
        guard clock.now < deadline else { throw TimedOut(description: "not within \(limit): \(what())") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Waits until `condition` is true, as above.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(90), isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what(), within: limit) { try await condition() ? true : nil }
}

/// Runs blocking work on a thread of its own, so that no thread of Swift's small pool stands still.
package func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
