internal import CUnbound
internal import Foundation
internal import Synchronization

/// The resolver of a real installation: libunbound, which caches and validates DNSSEC.
///
/// Overview: one thread of its own owns the libunbound context; callers queue lookups and are resumed from there, so no
/// event loop and no task thread ever waits for DNS. The thread ends with the resolver; lookups under way then fail.
///
/// Validation: with a trust anchor, the root is asked first. When the servers asked do not hand DNSSEC data through (many
/// routers and container hosts do not), every signed domain would fail for ever; so a root that fails validation turns
/// validation off, and ``validation`` says so. Then no answer is secure. From time to time the root is tried anew beside all that, and
/// validation is on again once it holds.
///
/// libunbound answers `test.` and private reverse zones itself unless told not to; here they are asked for like all others.
package final class UnboundResolver: Resolver {
    package struct Configuration: Sendable {
        /// `address` or `address@port` each; empty: those of /etc/resolv.conf, and without that file the root servers.
        package var servers: [String]
        /// The root trust anchor (DS or DNSKEY records), nil or missing: no validation.
        package var trustAnchorFile: String?
        /// The most that one lookup takes.
        package var deadline: Duration
        /// How long validation stays off until the root is tried anew.
        package var trialInterval: Duration

        package init(
            servers: [String] = [], trustAnchorFile: String? = "/usr/share/dns/root.key", deadline: Duration = .seconds(20),
            trialInterval: Duration = .seconds(60)
        ) {
            self.trialInterval = trialInterval
            self.servers = servers
            self.trustAnchorFile = trustAnchorFile
            self.deadline = deadline
        }
    }

    private let queue: LookupQueue

    /// Never fails: a context that cannot be made shows as the failure of every lookup.
    package init(_ configuration: Configuration = Configuration()) {
        let queue = LookupQueue()
        self.queue = queue
        let thread = Thread { UnboundWorker(configuration, queue).run() }
        thread.name = "dns"
        thread.start()
    }

    deinit { queue.stop() }

    /// Whether answers are validated, for `doctor` and the log.
    package var validation: DNSValidation { queue.validation }

    package func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
        let name = DomainText.normal(name)
        guard DomainText.isQueryable(name) else { return DNSAnswer(type, .failure(.invalidName)) }
        return await withCheckedContinuation { continuation in
            let lookup = Lookup(name: name, type: type, started: .now) { continuation.resume(returning: $0) }
            if !queue.add(lookup) { lookup.fail(.unavailable("the resolver has stopped")) }
        }
    }
}

/// One question with whoever waits for its answer.
struct Lookup: Sendable {
    var name: String
    var type: RecordType
    var started: ContinuousClock.Instant
    /// Called exactly once.
    var finish: @Sendable (DNSAnswer) -> Void

    func fail(_ failure: DNSFailure) { finish(DNSAnswer(type, .failure(failure))) }
}

/// What passes between callers and the thread: lookups one way, the state of validation the other.
///
/// All mutable state is behind the one mutex; a byte in the pipe wakes the thread.
final class LookupQueue: Sendable {
    private struct State {
        var waiting: [Lookup] = []
        var isStopped = false
        var validation = DNSValidation.undecided
    }

    private let state = Mutex(State())
    /// The reading end, -1 when the system gave no pipe.
    let wakeup: Int32
    private let wakeupWriter: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends where end >= 0 {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (wakeup, wakeupWriter) = (ends[0], ends[1])
    }

    deinit {
        if wakeup >= 0 { close(wakeup) }
        if wakeupWriter >= 0 { close(wakeupWriter) }
    }

    /// False when the resolver has stopped and nobody will answer.
    func add(_ lookup: Lookup) -> Bool {
        let isTaken = state.withLock { state in
            if !state.isStopped { state.waiting.append(lookup) }
            return !state.isStopped
        }
        if isTaken { wake() }
        return isTaken
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    /// What has come in since the last call, and whether it is time to end.
    func take() -> (lookups: [Lookup], isStopped: Bool) {
        var drain: [UInt8] = Array(repeating: 0, count: 64)
        while read(wakeup, &drain, drain.count) > 0 {}
        return state.withLock { state in
            defer { state.waiting = [] }
            return (state.waiting, state.isStopped)
        }
    }

    var validation: DNSValidation {
        get { state.withLock { $0.validation } }
        set { state.withLock { $0.validation = newValue } }
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(wakeupWriter, &byte, 1)
    }
}
