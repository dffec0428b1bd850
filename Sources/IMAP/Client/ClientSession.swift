package import struct NIOCore.ByteBuffer

/// The client's side of one IMAP connection: it is told what happened and says what to do.
///
/// ## Overview
/// Each input returns the actions for the driver, to be carried out in order. The session holds no channel, clock or promise. It logs
/// in, reads every new message of the configured mailboxes, then waits with IDLE (or a timer) for more. One command is under way
/// at a time, and messages are named by UID only, never by sequence number.
///
/// ## Responsibilities
/// - Nothing secret leaves before the connection is as safe as the configuration demands.
/// - Each message is delivered once per (UIDVALIDITY, UID), ascending; flags are touched only after the driver's commit.
/// - A response that makes no sense costs that response; what loses the thread closes the session with a reason.
///
/// After ``Action/close(_:)`` every input returns nothing. To go on, make a new session from the cursors as stored.
package struct ClientSession: Sendable {
    enum Phase: Sendable {
        /// Nothing has happened yet.
        case created
        /// Connected; the TLS handshake comes first.
        case connecting
        /// The server agreed to STARTTLS; the handshake is under way.
        case handshaking
        case greeting
        /// The driver chooses a mechanism.
        case choosingMechanism
        case commanding(Command)
        /// Logged in, and everything in hand awaits the driver's commits.
        case awaitingCommits
        /// Logged in with nothing to do.
        case resting
        case closed
    }

    enum Protection: Sendable {
        case none
        case unverified
        case verified
    }

    let configuration: Configuration
    var cursors: [MailboxName: MailboxCursor]
    var setbacks: [MessageKey: Setbacks]
    /// What is committed and not yet marked or moved, of earlier sessions and of this one: what a server refuses is asked of it again at a
    /// later look.
    var undisposed: Set<MessageKey>
    /// How often the selected mailbox was searched again since it was opened; what was made anew under its name is seen when it is opened.
    var looksAtSelected = 0
    var phase = Phase.created
    var reader: FrameReader
    var protection = Protection.none
    /// nil while they are not known for the present state of the connection.
    var capabilities: Capabilities?
    var isAuthenticated = false
    /// ID was said (RFC 2971).
    var isIdentified = false
    var commandCount: UInt32 = 0
    /// The mailboxes to poll, the one to stay on last.
    var mailboxes: [MailboxName] = []
    /// Those still to be visited in this round.
    var waiting: [MailboxName] = []
    /// Passed over and asked for anew, with how often that was in vain; of mailboxes not opened since.
    var wanted: [MessageKey: Int] = [:]
    /// The selected mailbox; nil when none is.
    var scan: MailboxScan?
    /// What the mailboxes looked at in this session said of themselves when they were opened.
    var sights: [MailboxName: Sight] = [:]
    /// The server does not know STATUS.
    var statusIsRefused = false
    /// How often a mailbox had to be opened anew because its UIDVALIDITY changed under us.
    var reopenings = 0
    var isInRound = false
    var wantsPoll = false
    var wantsLogout = false
    /// The server hinted at new messages since the last search.
    var hasNews = false
    /// How many hints in a row led to nothing.
    var falseAlarms = 0
    var idleIsRefused = false
    /// Kinds of alert that were given and are not to be repeated until things have gone well once.
    var raised: Set<Alert> = []
    var actions: [Action] = []

    /// Hints in a row that may lead to nothing before they are no longer followed until the next regular look.
    static let falseAlarmLimit = 10
    /// Different alerts one session may give.
    static let alertLimit = 100
    /// Looks in a row that may be saved because a mailbox says that nothing changed in it.
    static let savedLookLimit = 5
    /// UIDs that one search may find.
    static let searchLimit = 4_000_000
    /// Times that a mailbox is opened anew in one session.
    static let reopenLimit = 2
    /// Messages that are kept in mind to be marked or moved later.
    package static let undisposedLimit = 10_000
    /// Mailboxes that LIST may name.
    static let listLimit = 20_000

    /// Makes a session for a connection about to be opened, with what is remembered of each mailbox.
    ///
    /// - Parameters:
    ///   - setbacks: as in ``MailboxCursor/setbacks``; here also for mailboxes that have no cursor yet.
    ///   - undisposed: what earlier sessions committed and could not mark or move.
    package init(
        configuration: Configuration, cursors: [MailboxName: MailboxCursor], setbacks: [MessageKey: Setbacks] = [:],
        undisposed: Set<MessageKey> = []
    ) {
        self.undisposed = undisposed
        self.configuration = configuration
        self.cursors = cursors
        self.setbacks = setbacks
        var limits = FrameReader.Limits()
        // Servers are known to understate sizes a little; more than this is met by asking for the beginning alone.
        let size = min(max(0, configuration.messageSizeLimit), 1 << 40)
        limits.literal = size + size / 8 + 64 * 1024
        reader = FrameReader(limits: limits, quirks: configuration.quirks)
    }

    /// The TCP connection stands. With implicit TLS the handshake is the driver's next deed, unasked.
    package mutating func connected() -> [Action] {
        guard case .created = phase else { return takeActions() }
        phase = configuration.encryption == .implicit ? .connecting : .greeting
        startTimers()
        return takeActions()
    }

    /// The handshake is done; `verified` says whether the certificate stood up to the check of chain and name.
    package mutating func tlsEstablished(verified: Bool) -> [Action] {
        switch phase {
        case .connecting, .handshaking: break
        default: return takeActions()
        }
        guard verified || configuration.credentialPolicy != .verifiedTLS else {
            close(.safety(.unprotectedCredentials))
            return takeActions()
        }
        protection = verified ? .verified : .unverified
        capabilities = nil
        if case .connecting = phase { phase = .greeting } else { askCapability() }
        return takeActions()
    }

    /// Bytes came from the server: those inside TLS, once there is TLS.
    package mutating func received(_ bytes: ByteBuffer) -> [Action] {
        switch phase {
        case .closed: return []
        case .created, .connecting, .handshaking:
            close(.safety(.injectedBeforeTLS))
            return takeActions()
        default: break
        }
        reader.append(bytes)
        let before = commandCount
        reading: while true {
            switch phase {
            case .closed, .handshaking: break reading
            default: break
            }
            switch reader.next() {
            case .incomplete: break reading
            case .fatal: close(.protocolError(.framing))
            case .frame(let frame): answer(Response(frame, quirks: configuration.quirks))
            }
        }
        if commandCount == before, case .commanding(let command) = phase, !command.isStandingIdle {
            actions.append(.startTimer(.response, configuration.responseTimeout))
        }
        return takeActions()
    }

    /// The driver has stored the message and its UID as watermark of the mailbox being read. Commits come in the order of delivery.
    ///
    /// A message of a mailbox that was opened anew meanwhile is none of the present one, whatever its UID.
    package mutating func messageCommitted(_ message: MessageKey) -> [Action] {
        guard let reading = scan, reading.mailbox == message.mailbox, reading.uidValidity == message.uidValidity,
            scan?.committed(message.uid) == true
        else { return takeActions() }
        if reading.disposes, undisposed.count < Self.undisposedLimit { undisposed.insert(message) }
        remember(message.uid, message.uidValidity, message.mailbox)
        if case .awaitingCommits = phase { proceed() }
        return takeActions()
    }

    /// A timer asked for is over.
    package mutating func timedOut(_ timer: Timer) -> [Action] {
        switch (timer, phase) {
        case (_, .closed), (_, .created): break
        case (.response, .commanding(let command)) where command.isStandingIdle: break
        case (.command, .commanding(let command)) where command.isStandingIdle: break
        case (.response, .commanding), (.response, .greeting), (.response, .connecting), (.response, .handshaking),
            (.command, .commanding), (.command, .greeting), (.command, .connecting), (.command, .handshaking):
            close(.timedOut(timer))
        case (.response, _), (.command, _): break
        case (.idleReissue, _):
            falseAlarms = 0
            stopIdling()
        case (.poll, _):
            return poll()
        }
        return takeActions()
    }

    /// Look at all mailboxes, now or as soon as the work under way allows.
    package mutating func poll() -> [Action] {
        guard isAuthenticated else { return takeActions() }
        falseAlarms = 0
        wantsPoll = true
        switch phase {
        case .resting: proceed()
        case .commanding: stopIdling()
        default: break
        }
        return takeActions()
    }

    /// Ask anew for messages that were passed over, in a look at all mailboxes, now or as soon as the work under way allows.
    ///
    /// Each is delivered like any other, though the watermark is past it, or ``Action/refetched(_:_:)`` says why not. One of a mailbox that
    /// is not watched, or cannot be opened, is not spoken of.
    ///
    /// - Parameter messages: with how often each was asked for in vain; the third time only its beginning is.
    package mutating func want(_ messages: [MessageKey: Int]) -> [Action] {
        for (message, tries) in messages { wanted[message] = tries }
        return poll()
    }

    /// The messages asked for anew of the mailbox, which is open; tells of those of another UIDVALIDITY.
    mutating func takeWanted(in name: MailboxName, _ validity: UIDValidity) -> [UID: Int] {
        var taken: [UID: Int] = [:]
        for (message, tries) in wanted where message.mailbox == name {
            wanted[message] = nil
            if message.uidValidity == validity {
                taken[message.uid] = tries
            } else {
                actions.append(.refetched(message, .uidValidityChanged))
            }
        }
        return taken
    }

    /// End the present IDLE, look at the mailbox once and go back to IDLE; without an IDLE nothing happens.
    package mutating func refreshIdle() -> [Action] {
        falseAlarms = 0
        stopIdling()
        return takeActions()
    }

    /// Take leave: what is delivered is still awaited and marked, nothing new is asked for.
    package mutating func logout() -> [Action] {
        switch phase {
        case .closed: return []
        case .commanding where isAuthenticated:
            wantsLogout = true
            stopIdling()
        case .resting:
            wantsLogout = true
            proceed()
        case .awaitingCommits:
            wantsLogout = true
        default: close(.loggedOut)
        }
        return takeActions()
    }

    /// The other side hung up, or the connection broke.
    package mutating func connectionClosed() -> [Action] {
        close(.connectionLost)
        return takeActions()
    }

    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// Ends the session; the first reason stands.
    mutating func close(_ reason: CloseReason) {
        if case .closed = phase { return }
        if let scan, let uid = scan.awaitedBody, let kind = reason.setback(isOwn: scan.isToBlame(uid), isLasting: scan.isLasting(uid)) {
            actions.append(.setback(scan.mailbox, scan.uidValidity, uid, kind))
        }
        if let scan, let uid = scan.refetching, reason.setback(isOwn: true, isLasting: true) != nil {
            actions.append(.refetched(MessageKey(scan.mailbox, scan.uidValidity, uid), .broken))
        }
        for timer in Timer.allCases { actions.append(.cancelTimer(timer)) }
        actions.append(.close(reason))
        phase = .closed
        reader = FrameReader()
        scan = nil
    }

    /// Tells the operator; the same of the same mailbox only once, until it is settled. The server's own words count as what they say.
    mutating func alert(_ kind: Alert.Kind, mailbox: MailboxName? = nil, text: [UInt8] = []) {
        let key = Alert(kind, mailbox: mailbox, text: kind == .server ? text : [])
        guard raised.count < Self.alertLimit, raised.insert(key).inserted else { return }
        actions.append(.alert(Alert(kind, mailbox: mailbox, text: text)))
    }

    /// Lets the kind be told anew when it comes up again.
    mutating func settle(_ kind: Alert.Kind, mailbox: MailboxName? = nil) {
        raised.remove(Alert(kind, mailbox: mailbox))
    }
}

extension ClientSession.CloseReason {
    /// What is laid to the message whose body was awaited; nil when it cannot be what ended the session.
    ///
    /// - Parameters:
    ///   - isOwn: another message could be read in the session.
    ///   - isLasting: the message has been in trouble for hours, so that a line that breaks is no chance any more.
    fileprivate func setback(isOwn: Bool, isLasting: Bool) -> Setbacks.Kind? {
        switch self {
        case .protocolError, .timedOut: isOwn ? .own : .broken
        case .fetchRefused, .bodyWithheld: isOwn ? .own : .shared
        case .connectionLost, .bye, .unavailable: isOwn && isLasting ? .own : .shared
        case .loggedOut, .loginRefused, .loginUnavailable, .safety, .throttled: nil
        }
    }
}
