/// Reads one selected mailbox: what is new in it, in which portions to ask for it, and what is proven done.
///
/// ## Overview
/// `nextStep` says what to ask the server next; the answers come back through `searched`, `fetched` and `completed`, and the driver's
/// commits through `committed`. It holds no protocol state, only UIDs.
///
/// ## Promises
/// - Messages are delivered in ascending order of UID, each once, so that the UID of each is also the watermark: below it
///   everything has been delivered, passed over visibly, or proven absent by two FETCH commands and a SEARCH.
/// - The watermark is never raised over a UID at or above UIDNEXT that was not delivered: a number a server merely claims must not
///   hide mail that is still to come.
/// - A message is passed over for its own trouble: others could be read while it could not, or it lasted for a day.
/// - Bodies held back for order, and bodies not yet committed, are bounded.
struct MailboxScan: Sendable {
    private enum Stage: Sendable {
        case highest
        case window
        case search
        case reading
        /// Reading, with this one in doubt.
        case confirming(UID)
        /// All that is new is done; this one is asked for anew.
        case refetching(UID)
        /// It was not given.
        case missing(UID)
    }

    private struct Facts: Sendable {
        var size: UInt64?
        var flags: [[UInt8]] = []
        var internalDate: InternalDate?
    }

    private struct Body: Sendable {
        var bytes: [UInt8]
        var truncated: Bool
    }

    private enum Asked: Sendable {
        case nothing
        case facts([UID])
        case whole([UID])
        case beginning(UID, length: Int)
    }

    let mailbox: MailboxName
    let uidValidity: UIDValidity
    private let uidNext: UID?
    private let since: SearchDate?
    private var setbacks: [UID: Setbacks]
    private let limits: Limits
    /// Whether committed messages are to be marked or moved.
    let disposes: Bool

    private var stage: Stage
    /// UIDNEXT is at or below what is done, and whether that can be is not known yet.
    private var isBehind: Bool
    /// Everything up to here is done; 0 when nothing is.
    private var done: UInt32
    /// The watermark the driver holds; 0 when none.
    private var remembered: UInt32
    /// At first sight: up to here, what the window leaves out is left out for good.
    private var highest: UID?
    /// Still to be delivered from `head` on; ascending.
    private var pending: [UID] = []
    private var headIndex = 0
    private var asked = Asked.nothing
    /// Of those asked for, the ones the server said anything about.
    private var answered: Set<UID> = []
    private var facts: [UID: Facts] = [:]
    private var held: [UID: Body] = [:]
    private var heldSize = 0
    /// How often a UID was asked for in vain.
    private var failures: [UID: Int] = [:]
    /// Still there after it was asked for in vain.
    private var confirmed: Set<UID> = []
    /// Turned out too large when asked for as a whole.
    private var beginningOnly: Set<UID> = []
    /// Too large even so.
    private var hopeless: Set<UID> = []
    /// The head cannot be had in this session; whether others can is to be found out.
    private var isSuspect = false
    /// The last FETCH for the head was refused.
    private var isRefused = false
    /// Asked for to learn whether they can be read while the head cannot.
    private var witnesses: Set<UID> = []
    /// A message behind the head could be read.
    private var isWitnessed = false
    private var passedOver: Set<UID> = []
    private var uncommitted: [UID: Int] = [:]
    private var uncommittedSize = 0
    private var disposable: [UID] = []
    /// Passed over and asked for anew, with how often that was in vain.
    private var wanted: [UID: Int] = [:]

    /// Starts from the cursor, or at first sight when there is none with a UID in it.
    ///
    /// `isEmpty` says that the server counts no messages. `disposes` says whether committed messages are to be marked or moved.
    /// `mayGoBack` says whether a UIDNEXT that went back is believed.
    init(
        mailbox: MailboxName, uidValidity: UIDValidity, uidNext: UID?, isEmpty: Bool, cursor: MailboxCursor?, setbacks: [UID: Setbacks],
        since: SearchDate?, limits: Limits, disposes: Bool, mayGoBack: Bool
    ) {
        self.mailbox = mailbox
        self.uidValidity = uidValidity
        self.uidNext = uidNext
        self.since = since
        self.limits = limits
        self.disposes = disposes
        self.setbacks = setbacks
        done = cursor?.lastUID?.value ?? 0
        remembered = done
        isBehind = mayGoBack && uidNext.map { [done] in $0.value <= done } ?? false
        stage = isBehind ? .search : isEmpty ? .reading : done > 0 ? .search : .highest
    }

    private var head: UID? { headIndex < pending.count ? pending[headIndex] : nil }

    /// The message a FETCH for a body is waiting for; nil when there is no such FETCH.
    var awaitedBody: UID? {
        switch asked {
        case .whole(let uids): isHeadAsked ? head : uids.first { $0.value > done && held[$0] == nil }
        case .beginning: head
        case .nothing, .facts: nil
        }
    }

    private var isHeadAsked: Bool { head.map(isAsked) ?? false }

    /// Whether the trouble with the message is its own: one behind it could be read in this session.
    func isToBlame(_ uid: UID) -> Bool { uid == head && (isWitnessed || !held.isEmpty) }

    /// Whether the message has been in trouble for hours.
    func isLasting(_ uid: UID) -> Bool { setbacks[uid]?.isLasting ?? false }

    /// The message passed over that is asked for anew at present; nil when none is.
    var refetching: UID? {
        if case .refetching(let uid) = stage { uid } else { nil }
    }

    /// Asks for messages that were passed over once more, when all that is new is done.
    mutating func want(_ messages: [UID: Int]) {
        for (uid, tries) in messages { wanted[uid] = tries }
    }

    /// Whether the highest UID is being asked for.
    var isLookingForHighest: Bool {
        if case .highest = stage { true } else { false }
    }

    var hasUncommitted: Bool { !uncommitted.isEmpty }

    /// Makes the scan look for new messages once more.
    mutating func searchAgain() {
        if case .reading = stage, head == nil { stage = .search }
    }

    /// What to do next; whatever is to be told to the driver before goes to `actions`.
    mutating func nextStep(_ actions: inout [ClientSession.Action]) -> Step {
        switch stage {
        case .highest: return .searchHighest
        case .window: return .searchSince(since)
        case .search:
            // Whether anything is at or above UIDNEXT says whether that is what went back, or only lags behind.
            if isBehind, let uidNext { return UID(uidNext.value - 1).map(Step.searchAfter) ?? .searchSince(nil) }
            if done == .max { break }
            if let last = UID(done) { return .searchAfter(last) }
            return .searchSince(nil)
        case .confirming(let uid), .missing(let uid): return .confirm(uid)
        case .reading, .refetching: break
        }
        stage = .reading
        while let uid = head, setbacks[uid]?.skips == true { skip(uid, .setbacks, &actions) }
        if disposable.count >= Self.disposedAtOnce, let set = takeDisposable() { return .dispose(set) }
        guard let head else { return stepAtEnd(&actions) }
        if uncommittedSize > limits.batchSize || uncommitted.count >= 4 * limits.batchCount { return .awaitCommits }
        return stepToRead(head)
    }

    private mutating func stepAtEnd(_ actions: inout [ClientSession.Action]) -> Step {
        pending = []
        headIndex = 0
        if hasUncommitted { return .awaitCommits }
        if let set = takeDisposable() { return .dispose(set) }
        if let highest { done = max(done, highest.value) }
        highest = nil
        if done > remembered, let uid = UID(done) {
            remembered = done
            actions.append(.watermark(mailbox, uidValidity, uid))
        }
        if let (uid, tries) = wanted.min(by: { $0.key < $1.key }) {
            stage = .refetching(uid)
            return ask(beginningOf: uid, length: tries < 2 ? limits.messageSize : limits.truncation)
        }
        return .finished
    }

    private mutating func stepToRead(_ head: UID) -> Step {
        if let witness = nextWitness(for: head) {
            witnesses.insert(witness)
            asked = .whole([witness])
            return .fetchWhole(UIDSet([witness]))
        }
        answered = []
        if isBeginningOnly(head) { return ask(beginningOf: head, length: limits.truncation) }
        if failures[head, default: 0] > 0 {
            // Asked for alone the second time, and without trust in a size nobody has stated.
            if facts[head] == nil { return ask(beginningOf: head, length: limits.messageSize) }
            asked = .whole([head])
            return .fetchWhole(UIDSet([head]))
        }
        guard facts[head] != nil else {
            let unknown = pending[headIndex...].prefix(Self.factsPerFetch).filter { facts[$0] == nil && failures[$0] == nil }
            asked = .facts(unknown)
            return .fetchFacts(UIDSet(unknown))
        }
        var batch: [UID] = []
        var size: UInt64 = 0
        for uid in pending[headIndex...].prefix(limits.batchCount) where held[uid] == nil {
            guard let facts = facts[uid], failures[uid] == nil, !isBeginningOnly(uid) else { break }
            // What sessions ended over is asked for alone, so that nothing else is blamed or held up.
            if !batch.isEmpty, setbacks[uid] != nil || setbacks[head] != nil { break }
            size += facts.size ?? UInt64(limits.messageSize)
            if !batch.isEmpty, size > UInt64(limits.batchSize) { break }
            batch.append(uid)
        }
        asked = .whole(batch)
        return .fetchWhole(UIDSet(batch))
    }

    /// Another message to ask for while the head is in doubt; nil when it is not, when one could be read, or when enough were asked for.
    private func nextWitness(for head: UID) -> UID? {
        guard isSuspect || setbacks[head] != nil, !isToBlame(head), witnesses.count < Self.witnesses else { return nil }
        let behind = pending[(headIndex + 1)...]
        return (Array(behind.prefix(2)) + behind.suffix(2).reversed()).first {
            !witnesses.contains($0) && setbacks[$0] == nil && failures[$0, default: 0] < 2 && !isBeginningOnly($0)
        }
    }

    private mutating func ask(beginningOf uid: UID, length: Int) -> Step {
        asked = .beginning(uid, length: length)
        return .fetchBeginning(uid, length: length)
    }

    private func isBeginningOnly(_ uid: UID) -> Bool {
        if beginningOnly.contains(uid) || setbacks[uid]?.cutsShort == true { return true }
        guard let size = facts[uid]?.size else { return false }
        return size > UInt64(limits.messageSize)
    }

    /// The committed messages to be marked or moved, so many at a time; they are the caller's from then on.
    mutating func takeDisposable() -> UIDSet? {
        guard !disposable.isEmpty else { return nil }
        defer { disposable.removeFirst(min(disposable.count, Self.mostDisposedAtOnce)) }
        return UIDSet(disposable.prefix(Self.mostDisposedAtOnce))
    }

    /// Has what was committed before and is not marked or moved yet done in its turn.
    mutating func disposeLater(_ uids: [UID]) {
        guard disposes else { return }
        disposable = Set(disposable).union(uids).sorted()
    }

    /// Takes the outcome of a search; gives how many new messages it found.
    mutating func searched(_ uids: [UID], _ actions: inout [ClientSession.Action]) -> Int {
        switch stage {
        case .highest:
            highest = uids.filter { uid in uidNext.map { uid < $0 } ?? true }.max()
            stage = .window
            return 0
        case .confirming(let uid):
            stage = .reading
            if uids.contains(uid) {
                confirmed.insert(uid)
            } else {
                pass(uid)
                deliverHeld(&actions)
            }
            return 0
        case .missing(let uid):
            stage = .reading
            wanted[uid] = nil
            actions.append(.refetched(MessageKey(mailbox, uidValidity, uid), uids.contains(uid) ? .withheld : .gone))
            return 0
        case .window, .search, .reading, .refetching: break
        }
        if isBehind, let uidNext {
            isBehind = false
            if !uids.contains(where: { $0 >= uidNext }) {
                startAnew(&actions)
                return 0
            }
        }
        // Quirk(RFC 9051 §6.4.4 itself): `n:*` finds the last message even when it is below n.
        var found = uids.filter { $0.value > done && !passedOver.contains($0) }
        found.sort()
        pending = []
        for uid in found where pending.last != uid { pending.append(uid) }
        headIndex = 0
        stage = .reading
        return pending.count
    }

    /// Quirk(restored or re-created mailboxes): the UIDs that were read mean nothing any more, though UIDVALIDITY says so not; QuirksTests
    /// "UIDNEXT goes back".
    private mutating func startAnew(_ actions: inout [ClientSession.Action]) {
        for uid in wanted.keys.sorted() { actions.append(.refetched(MessageKey(mailbox, uidValidity, uid), .uidValidityChanged)) }
        wanted = [:]
        setbacks = [:]
        disposable = []
        done = 0
        remembered = 0
        stage = .highest
        actions.append(.uidValidityChanged(mailbox, old: uidValidity, new: uidValidity))
    }

    /// Takes one FETCH response, asked for or not.
    mutating func fetched(_ response: FetchResponse, _ actions: inout [ClientSession.Action]) {
        if case .refetching(let uid) = stage { return refetched(uid, response, &actions) }
        guard let uid = response.uid, isAsked(uid), uid.value > done else { return }
        answered.insert(uid)
        var known = facts[uid] ?? Facts()
        if let size = response.size { known.size = size }
        if let flags = response.flags { known.flags = flags }
        if let date = response.internalDate { known.internalDate = date }
        facts[uid] = known
        guard let content = response.body, held[uid] == nil else { return }
        if uid != head { isWitnessed = true }
        switch (asked, content) {
        case (.whole, .bytes(let bytes)) where response.origin ?? 0 == 0:
            hold(uid, Body(bytes: bytes, truncated: false))
        case (.whole, .oversized):
            beginningOnly.insert(uid)
        case (.beginning(_, let length), .bytes(let bytes)) where response.origin ?? 0 == 0:
            hold(uid, body(bytes, of: length, known, response))
        case (.beginning, .oversized):
            hopeless.insert(uid)
        default:
            return
        }
        deliverHeld(&actions)
    }

    /// Takes one FETCH response while a message passed over is asked for anew.
    private mutating func refetched(_ uid: UID, _ response: FetchResponse, _ actions: inout [ClientSession.Action]) {
        guard response.uid == uid, wanted[uid] != nil, case .beginning(_, let length) = asked, response.origin ?? 0 == 0,
            case .bytes(let bytes)? = response.body
        else { return }
        wanted[uid] = nil
        let known = Facts(size: response.size, flags: response.flags ?? [], internalDate: response.internalDate)
        deliver(uid, body(bytes, of: length, known, response), known, &actions)
    }

    /// What was given when the beginning was asked for.
    private func body(_ bytes: [UInt8], of length: Int, _ known: Facts, _ response: FetchResponse) -> Body {
        let reachesEnd = bytes.count < length || known.size.map { $0 <= UInt64(bytes.count) } ?? false
        let ignoresLength = response.origin == nil && bytes.count > length
        return Body(bytes: bytes, truncated: !reachesEnd && !ignoresLength)
    }

    private func isAsked(_ uid: UID) -> Bool {
        switch asked {
        case .nothing: false
        case .facts(let uids), .whole(let uids): uids.binarySearch(uid)
        case .beginning(let one, _): one == uid
        }
    }

    /// Keeps the body until its turn; lets it go, to be asked for anew, when too much is kept already.
    private mutating func hold(_ uid: UID, _ body: Body) {
        guard uid == head || heldSize + body.bytes.count <= 2 * limits.batchSize else { return }
        held[uid] = body
        heldSize += body.bytes.count
    }

    private mutating func deliverHeld(_ actions: inout [ClientSession.Action]) {
        while let uid = head, let body = held.removeValue(forKey: uid) {
            heldSize -= body.bytes.count
            deliver(uid, body, facts[uid] ?? Facts(), &actions)
            done = uid.value
            leave(uid)
        }
    }

    private mutating func deliver(_ uid: UID, _ body: Body, _ known: Facts, _ actions: inout [ClientSession.Action]) {
        uncommitted[uid] = body.bytes.count
        uncommittedSize += body.bytes.count
        actions.append(
            .deliver(
                FetchedMessage(
                    mailbox: mailbox, uidValidity: uidValidity, uid: uid, internalDate: known.internalDate, flags: known.flags,
                    size: known.size, bytes: body.bytes, truncated: body.truncated, awaitsDisposal: disposes)))
    }

    private mutating func leave(_ uid: UID) {
        facts[uid] = nil
        failures[uid] = nil
        confirmed.remove(uid)
        beginningOnly.remove(uid)
        hopeless.remove(uid)
        isSuspect = false
        isRefused = false
        witnesses = []
        isWitnessed = false
        headIndex += 1
    }

    private mutating func skip(_ uid: UID, _ reason: ClientSession.SkipReason, _ actions: inout [ClientSession.Action]) {
        actions.append(.skipped(mailbox, uidValidity, uid, reason))
        pass(uid)
    }

    private mutating func pass(_ uid: UID) {
        passedOver.insert(uid)
        if let uidNext, uid < uidNext { done = max(done, uid.value) }
        leave(uid)
    }

    /// Takes the end of a FETCH.
    mutating func completed(accepted: Bool, _ actions: inout [ClientSession.Action]) -> Completion {
        if case .refetching(let uid) = stage {
            stage = wanted[uid] == nil ? .reading : .missing(uid)
            asked = .nothing
            return .proceed
        }
        let ended = asked
        if isHeadAsked { isRefused = !accepted }
        asked = .nothing
        switch ended {
        case .nothing:
            return .proceed
        case .facts(let uids):
            for uid in uids where facts[uid] == nil { failures[uid] = 1 }
            return .proceed
        case .whole(let uids):
            for uid in uids where uid.value > done && held[uid] == nil && !beginningOnly.contains(uid) {
                failures[uid, default: 0] += 1
            }
        case .beginning(let uid, _):
            if uid.value > done { failures[uid, default: 0] += 1 }
        }
        guard let uid = head else { return .proceed }
        return judge(uid, &actions)
    }

    /// What becomes of the head after a FETCH that may have been in vain.
    private mutating func judge(_ uid: UID, _ actions: inout [ClientSession.Action]) -> Completion {
        let failed = failures[uid, default: 0]
        let isHopeless = hopeless.contains(uid)
        if !isHopeless {
            guard failed >= 2 else { return .proceed }
            if !isRefused, !answered.contains(uid), failed < Self.asksInVain {
                if !confirmed.contains(uid) { stage = .confirming(uid) }
                return .proceed
            }
        }
        isSuspect = true
        guard nextWitness(for: uid) == nil else { return .proceed }
        let known = setbacks[uid] ?? Setbacks()
        guard known.givesUp && isToBlame(uid) || known.isEndless else { return .withheld(uid, isRefused: isRefused && !isHopeless) }
        skip(uid, isHopeless ? .oversized : .noBody, &actions)
        deliverHeld(&actions)
        return .proceed
    }

    /// Takes the driver's word that a message is stored; false when no such message was waiting.
    mutating func committed(_ uid: UID) -> Bool {
        guard let size = uncommitted.removeValue(forKey: uid) else { return false }
        uncommittedSize -= size
        remembered = max(remembered, uid.value)
        if disposes { disposable.append(uid) }
        return true
    }
}

extension [UID] {
    /// Whether the ascending array holds the UID.
    fileprivate func binarySearch(_ uid: UID) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < uid { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == uid
    }
}
