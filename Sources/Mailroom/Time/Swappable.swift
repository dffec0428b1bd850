import Synchronization

/// A value that a re-read of the conf replaces while services run; each round of a service takes one snapshot.
package final class Swappable<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    package init(_ value: Value) { self.value = Mutex(value) }

    package var current: Value { value.withLock { $0 } }

    package func swap(_ new: Value) { value.withLock { $0 = new } }
}
