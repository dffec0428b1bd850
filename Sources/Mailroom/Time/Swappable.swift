import Synchronization

/// A value that a re-read of the conf replaces while services run; each round of a service takes one snapshot.
package final class Swappable<Value: Sendable>: Sendable {
    private let state: Mutex<(value: Value, generation: Int)>

    package init(_ value: Value) { state = Mutex((value, 0)) }

    package var current: Value { state.withLock { $0.value } }

    /// How often it was replaced: another number than before says that what was decided meanwhile may be decided otherwise now.
    package var generation: Int { state.withLock { $0.generation } }

    package func swap(_ new: Value) { state.withLock { $0 = (new, $0.generation + 1) } }
}
