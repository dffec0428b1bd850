package import InternetMessage

/// Those who are due together and wait for what one identity may send altogether: the first few hundred wait for the very moment, and all
/// others come back a while later, so that a hundred thousand who wait are not looked at again at each gap.
///
/// Nothing is remembered beyond one look at all who are due. Those who have the same moment are decided in the order of enrolling, so nobody is
/// passed over; and as more wait for the moment than can leave before the others come back, hardly a turn stays unused when some drop out.
package struct SendingLine: Sendable {
    /// How many wait for the moment itself.
    static let front = 500
    /// The longest after which the others come back.
    static let reach = Duration.seconds(3600)

    private let front: Int
    private var free: Timestamp?
    private var count = 0

    package init() { self.init(front: Self.front) }

    init(front: Int) { self.front = front }

    /// When the next in line is looked at again.
    ///
    /// - Parameter free: when the gate lets the next message of the identity out.
    package mutating func place(free: Timestamp, gate: PacingGate) -> Timestamp {
        if self.free != free { count = 0 }
        self.free = free
        count += 1
        guard count > front, let gap = gate.leastGap else { return free }
        // A gap later, so that they come behind those who wait for a moment at the full hour.
        return gate.hours.nextOpen(from: free + min(Self.reach, gap * (front / 2)) + gap)
    }
}
