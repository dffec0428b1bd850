import NIOCore

/// A timer that is set far more often than it runs out: as long as it is only put off, setting it costs nothing on the event loop.
///
/// Lives on its event loop alone. It must be ended, or it keeps its owner alive until it would have run out.
final class LazyTimer {
    private let eventLoop: any EventLoop
    private let onEnd: () -> Void
    private var due: NIODeadline?
    /// What the event loop was asked to do, at the time that is due or before it.
    private var alarm: (at: NIODeadline, scheduled: Scheduled<Void>)?

    init(on eventLoop: any EventLoop, onEnd: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.onEnd = onEnd
    }

    /// Runs out that long from now; what was set before counts no more.
    func set(_ time: Duration) {
        let moment = eventLoop.now + TimeAmount(time)
        due = moment
        if let alarm {
            if alarm.at <= moment { return }
            alarm.scheduled.cancel()
        }
        schedule(at: moment)
    }

    /// Does not run out.
    func clear() { due = nil }

    /// Does not run out, and lets its owner go.
    func end() {
        due = nil
        alarm?.scheduled.cancel()
        alarm = nil
    }

    private func schedule(at moment: NIODeadline) {
        alarm = (moment, eventLoop.assumeIsolated().scheduleTask(deadline: moment) { self.alarmRang() })
    }

    private func alarmRang() {
        alarm = nil
        guard let due else { return }
        if due > eventLoop.now { return schedule(at: due) }
        self.due = nil
        onEnd()
    }
}
