internal import CUnbound
internal import Foundation

/// The thread's side of ``UnboundResolver``: owns the context and everything under way. Used on its own thread only.
final class UnboundWorker {
    /// A question that libunbound has; it holds one reference for itself until it calls back or is told to forget.
    private final class Ticket {
        let lookup: Lookup
        unowned let worker: UnboundWorker
        var id: Int32 = 0

        init(_ lookup: Lookup, _ worker: UnboundWorker) {
            self.lookup = lookup
            self.worker = worker
        }
    }

    private let configuration: UnboundResolver.Configuration
    private let queue: LookupQueue
    private var context: OpaquePointer?
    private var trouble = ""
    private var underWay: [Int32: Ticket] = [:]
    private var held: [Lookup] = []
    private var probeStarted: ContinuousClock.Instant?
    private var isProbing = false
    private var rootIsBogus: String?
    /// The root asked in a context of its own, while validation is off because of it.
    private var trial: RootTrial?
    /// When the next trial begins; nil while validation is not off, or there is no anchor.
    private var trialDue: ContinuousClock.Instant?

    /// The root is asked again after this, as long as it gave no answer either way.
    private static let probeInterval = Duration.seconds(30)
    /// How long lookups wait for the root's answer before they go ahead.
    private static let probePatience = Duration.seconds(5)

    init(_ configuration: UnboundResolver.Configuration, _ queue: LookupQueue) {
        self.configuration = configuration
        self.queue = queue
    }

    func run() {
        let anchor = configuration.trustAnchorFile.flatMap { FileManager.default.isReadableFile(atPath: $0) ? $0 : nil }
        open(anchor: anchor)
        if anchor == nil { queue.validation = .off("there is no trust anchor") }
        while true {
            let (arrived, isStopped) = queue.take()
            guard !isStopped else { return close(arrived) }
            held += arrived
            probeWhenDue()
            if !isWaitingForProbe { submitHeld() }
            waitForWork()
            if let context { ub_process(context) }
            if let why = rootIsBogus { reopenWithoutValidation(why) }
            tryRootAnew()
            expire()
        }
    }

    // MARK: The context

    private func open(anchor: String?) {
        guard let context = ub_ctx_create() else { return trouble = "libunbound has no memory" }
        self.context = context
        configure(context, anchor: anchor)
    }

    private func configure(_ context: OpaquePointer, anchor: String?) {
        _ = ub_ctx_debugout(context, nil)
        for (option, value) in Self.options { check(ub_ctx_set_option(context, option, value), "\(option) \(value)") }
        for server in configuration.servers { check(ub_ctx_set_fwd(context, server), "server \(server)") }
        // Without that file libunbound asks the root servers itself, which is right too.
        if configuration.servers.isEmpty { _ = ub_ctx_resolvconf(context, nil) }
        if let anchor { check(ub_ctx_add_ta_file(context, anchor), "trust anchor \(anchor)") }
        check(ub_ctx_async(context, 1), "thread")
    }

    static let options = [
        ("do-not-query-localhost:", "no"),
        // Private reverse zones are asked for, and need no signature.
        ("unblock-lan-zones:", "yes"),
        ("insecure-lan-zones:", "yes"),
        ("local-zone:", "test. transparent"),
        ("domain-insecure:", "test."),
        // A name that does not exist is asked for again at the first retry.
        ("cache-max-negative-ttl:", "60"),
    ]

    private func check(_ code: Int32, _ what: String) {
        guard code != 0, trouble.isEmpty else { return }
        trouble = "libunbound: \(what): " + (ub_strerror(code).map { String(cString: $0) } ?? "error \(code)")
    }

    private func reopenWithoutValidation(_ why: String) {
        rootIsBogus = nil
        queue.validation = .off("the servers asked do not pass DNSSEC on: \(why)")
        let again = underWay.values.map(\.lookup).filter { !isProbe($0) }
        forgetAll()
        if let context { ub_ctx_delete(context) }
        context = nil
        open(anchor: nil)
        held = again + held
        trialDue = .now + configuration.trialInterval
        submitHeld()
    }

    /// Asks the root in a context of its own when it is time, and works with that context from then on when its answer is secure.
    private func tryRootAnew() {
        if let trial {
            trial.process()
            guard trial.isSecure else {
                if trial.isOver || ContinuousClock.now - trial.started >= configuration.deadline {
                    self.trial = nil
                    trialDue = .now + configuration.trialInterval
                }
                return
            }
            self.trial = nil
            trialDue = nil
            let again = underWay.values.map(\.lookup)
            forgetAll()
            if let context { ub_ctx_delete(context) }
            context = trial.giveAway()
            queue.validation = .on
            held = again + held
            submitHeld()
        } else if let due = trialDue, due <= .now, let file = configuration.trustAnchorFile {
            trialDue = nil
            guard FileManager.default.isReadableFile(atPath: file), let context = ub_ctx_create() else {
                trialDue = .now + configuration.trialInterval
                return
            }
            configure(context, anchor: file)
            trial = RootTrial(context)
        }
    }

    private func close(_ arrived: [Lookup]) {
        let rest = underWay.values.map(\.lookup) + held + arrived
        forgetAll()
        trial = nil
        if let context { ub_ctx_delete(context) }
        for lookup in rest { lookup.fail(.unavailable("the resolver has stopped")) }
    }

    // MARK: Whether validation can work

    private var isWaitingForProbe: Bool {
        guard isProbing, queue.validation == .undecided, let probeStarted else { return false }
        return ContinuousClock.now - probeStarted < Self.probePatience
    }

    private func isProbe(_ lookup: Lookup) -> Bool { lookup.type == .soa && lookup.name == "." }

    private func probeWhenDue() {
        guard queue.validation == .undecided, !isProbing, trouble.isEmpty else { return }
        if let probeStarted, ContinuousClock.now - probeStarted < Self.probeInterval { return }
        let now = ContinuousClock.now
        probeStarted = now
        isProbing = true
        let queue = queue
        submit(Lookup(name: ".", type: .soa, started: now) { answer in if answer.isSecure { queue.validation = .on } })
    }

    // MARK: Lookups

    private func submitHeld() {
        let lookups = held
        held = []
        for lookup in lookups { submit(lookup) }
    }

    private func submit(_ lookup: Lookup) {
        guard let context, trouble.isEmpty else { return lookup.fail(.unavailable(trouble)) }
        let ticket = Ticket(lookup, self)
        let reference = Unmanaged.passRetained(ticket)
        let code = ub_resolve_async(
            context, lookup.name, Int32(lookup.type.rawValue), 1, reference.toOpaque(),
            { data, code, result in
                defer { ub_resolve_free(result) }
                guard let data else { return }
                let ticket = Unmanaged<Ticket>.fromOpaque(data).takeRetainedValue()
                ticket.worker.finish(ticket, UnboundWorker.answer(to: ticket.lookup, code, result))
            }, &ticket.id)
        if code == 0 {
            underWay[ticket.id] = ticket
        } else {
            reference.release()
            lookup.fail(.unavailable(ub_strerror(code).map { String(cString: $0) } ?? "error \(code)"))
        }
    }

    private func finish(_ ticket: Ticket, _ answer: DNSAnswer) {
        underWay[ticket.id] = nil
        if isProbe(ticket.lookup) {
            isProbing = false
            if case .bogus(let why)? = answer.failure { rootIsBogus = why }
        }
        ticket.lookup.finish(answer)
    }

    /// Takes a question back from libunbound, which then never calls back for it.
    private func forget(_ ticket: Ticket) {
        underWay[ticket.id] = nil
        if let context, ub_cancel(context, ticket.id) == 0 { Unmanaged.passUnretained(ticket).release() }
    }

    private func forgetAll() {
        for ticket in Array(underWay.values) { forget(ticket) }
        isProbing = false
    }

    private func expire() {
        let now = ContinuousClock.now
        for ticket in Array(underWay.values) where now - ticket.lookup.started >= configuration.deadline {
            forget(ticket)
            if isProbe(ticket.lookup) { isProbing = false }
            ticket.lookup.fail(.timedOut)
        }
        let late = held.filter { now - $0.started >= configuration.deadline }
        held.removeAll { now - $0.started >= configuration.deadline }
        for lookup in late { lookup.fail(.timedOut) }
    }

    /// Sleeps until libunbound has an answer, somebody asks, or something is due.
    private func waitForWork() {
        let now = ContinuousClock.now
        var due = underWay.values.map { $0.lookup.started + configuration.deadline } + held.map { $0.started + configuration.deadline }
        if isWaitingForProbe, let probeStarted { due.append(probeStarted + Self.probePatience) }
        if let trialDue { due.append(trialDue) }
        if let trial { due.append(trial.started + configuration.deadline) }
        let wait = due.min().map { max(.zero, $0 - now) }
        let milliseconds =
            wait.map { Int32(clamping: $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000 + 1) } ?? -1
        var descriptors = [pollfd(fd: queue.wakeup, events: Int16(POLLIN), revents: 0)]
        if let context { descriptors.append(pollfd(fd: ub_fd(context), events: Int16(POLLIN), revents: 0)) }
        if let trial { descriptors.append(pollfd(fd: trial.descriptor, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
    }

    // MARK: Answers

    private static func answer(to lookup: Lookup, _ code: Int32, _ result: UnsafeMutablePointer<ub_result>?) -> DNSAnswer {
        guard code == 0, let result = result?.pointee else {
            return DNSAnswer(lookup.type, .failure(.unavailable(ub_strerror(code).map { String(cString: $0) } ?? "error \(code)")))
        }
        if result.bogus != 0 {
            return DNSAnswer(lookup.type, .failure(.bogus(result.why_bogus.map { String(cString: $0) } ?? "no reason given")))
        }
        let isSecure = result.secure != 0
        let endOfAliases = result.canonname.map { DomainText.normal(String(cString: $0)) }
        let canonicalName = endOfAliases.flatMap { $0.utf8.elementsEqual(lookup.name.utf8) ? nil : $0 }
        if result.havedata != 0, let data = result.data, let lengths = result.len {
            var records: [[UInt8]] = []
            while let bytes = data[records.count], records.count < 1000 {
                records.append(Array(UnsafeRawBufferPointer(start: bytes, count: max(0, Int(lengths[records.count])))))
            }
            if !records.isEmpty { return DNSAnswer(lookup.type, .records(records), isSecure: isSecure, canonicalName: canonicalName) }
        }
        if result.nxdomain != 0 { return DNSAnswer(lookup.type, .nameNotFound, isSecure: isSecure, canonicalName: canonicalName) }
        if result.rcode != 0 { return DNSAnswer(lookup.type, .failure(.responseCode(Int(result.rcode)))) }
        return DNSAnswer(lookup.type, .noData, isSecure: isSecure, canonicalName: canonicalName)
    }
}
