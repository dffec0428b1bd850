import Synchronization

extension OutboxDeliverer {
    /// How many messages are claimed, which of them have a place, and whether new ones may begin.
    ///
    /// A route to one host has more messages claimed than places: the next one stands ready, signed, when a place becomes free.
    final class Flow: Sendable {
        /// One claimed message, until it has ended.
        struct Ticket: Hashable {
            let route: String
            fileprivate let number: Int
        }

        private struct State {
            var active: [String: Int] = [:]
            var total = 0
            /// How many have ended since the latest round began.
            var ended = 0
            var stopping = false
            var last = 0
            /// By route.
            var seated: [String: Set<Int>] = [:]
            /// By route, in the order in which they came.
            var waiting: [String: [Waiter]] = [:]

            var hasRoom: Bool { total == 0 || ended * 4 >= total }
        }

        private struct Waiter {
            let number: Int
            /// How many places its route has by the conf that it came with.
            let limit: Int
            let continuation: CheckedContinuation<Bool, Never>
        }

        private let state = Mutex(State())

        /// Messages by route, for a round that begins.
        func survey() -> [String: Int] {
            state.withLock { state in
                state.ended = 0
                return state.active
            }
        }

        var isStopping: Bool { state.withLock { $0.stopping } }

        /// Whether attempts have ended, and too few of those in flight to be worth a round at once.
        var isFillingUp: Bool { state.withLock { $0.ended > 0 && !$0.hasRoom && !$0.stopping } }

        /// How many messages wait for a place.
        var standingReady: Int { state.withLock { $0.waiting.values.map(\.count).reduce(0, +) } }

        func began(_ route: String) -> Ticket {
            state.withLock { state in
                state.active[route, default: 0] += 1
                state.total += 1
                state.last += 1
                return Ticket(route: route, number: state.last)
            }
        }

        /// Waits for one of so many places on its route, which is free again when the ticket has ended; false: nothing begins any more.
        func seat(_ ticket: Ticket, of limit: Int) async -> Bool {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let answer: Bool? = state.withLock { state in
                        if state.stopping || Task.isCancelled { return false }
                        if state.seated[ticket.route, default: []].count < limit {
                            state.seated[ticket.route, default: []].insert(ticket.number)
                            return true
                        }
                        state.waiting[ticket.route, default: []].append(
                            Waiter(number: ticket.number, limit: limit, continuation: continuation))
                        return nil
                    }
                    if let answer { continuation.resume(returning: answer) }
                }
            } onCancel: {
                let waiter = state.withLock { state -> Waiter? in
                    guard let place = state.waiting[ticket.route]?.firstIndex(where: { $0.number == ticket.number }) else { return nil }
                    return state.waiting[ticket.route]?.remove(at: place)
                }
                waiter?.continuation.resume(returning: false)
            }
        }

        /// Whether that is news for who claims: the first one to end, and the one with which enough have ended.
        func ended(_ ticket: Ticket) -> Bool {
            let (isNews, next) = state.withLock { state -> (Bool, [Waiter]) in
                let hadRoom = state.ended > 0 && state.hasRoom
                state.active[ticket.route, default: 1] -= 1
                state.total -= 1
                state.ended += 1
                let isNews = state.ended == 1 || !hadRoom && state.hasRoom || state.total == 0
                guard state.seated[ticket.route]?.remove(ticket.number) != nil else { return (isNews, []) }
                var next: [Waiter] = []
                while let waiter = state.waiting[ticket.route]?.first, state.seated[ticket.route, default: []].count < waiter.limit {
                    state.seated[ticket.route]?.insert(waiter.number)
                    state.waiting[ticket.route]?.removeFirst()
                    next.append(waiter)
                }
                return (isNews, next)
            }
            for waiter in next { waiter.continuation.resume(returning: true) }
            return isNews
        }

        /// Lets nothing begin any more: who waits for a place gets none.
        func stop() {
            let waiters = state.withLock { state in
                state.stopping = true
                defer { state.waiting = [:] }
                return state.waiting.values.flatMap { $0 }
            }
            for waiter in waiters { waiter.continuation.resume(returning: false) }
        }
    }
}
