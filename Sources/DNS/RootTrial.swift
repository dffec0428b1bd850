internal import CUnbound

/// One question for the root's SOA in a context of its own, to see whether DNSSEC works by now. Used on the resolver's thread only.
final class RootTrial {
    let started = ContinuousClock.now
    /// The answer was validated.
    private(set) var isSecure = false
    /// There is an answer, or there will be none.
    private(set) var isOver = false
    private var context: OpaquePointer?

    /// - Parameter context: set up, with a trust anchor; it is ended with the trial unless it is given away.
    init(_ context: OpaquePointer) {
        self.context = context
        var number: Int32 = 0
        // The trial outlives the question: a context that is deleted calls nobody back.
        let code = ub_resolve_async(
            context, ".", Int32(RecordType.soa.rawValue), 1, Unmanaged.passUnretained(self).toOpaque(),
            { data, code, result in
                defer { ub_resolve_free(result) }
                guard let data else { return }
                let trial = Unmanaged<RootTrial>.fromOpaque(data).takeUnretainedValue()
                trial.isOver = true
                trial.isSecure = code == 0 && (result?.pointee.secure ?? 0) != 0
            }, &number)
        if code != 0 { isOver = true }
    }

    deinit { if let context { ub_ctx_delete(context) } }

    var descriptor: Int32 { context.map { ub_fd($0) } ?? -1 }

    func process() { if let context { ub_process(context) } }

    /// The context, for its answered question's sake; the trial is over.
    func giveAway() -> OpaquePointer? {
        defer { context = nil }
        return context
    }
}
