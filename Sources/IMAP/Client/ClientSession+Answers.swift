import struct NIOCore.ByteBuffer

/// Commands out, responses in: what holds in every phase.
extension ClientSession {
    /// Sends a command and makes it the one under way.
    mutating func begin(_ words: StaticString, _ purpose: Command.Purpose, _ write: (inout CommandWriter) -> Void = { _ in }) {
        commandCount &+= 1
        let tag = ASCII.bytes("A") + ASCII.decimal(commandCount)
        var writer = CommandWriter(tag: tag, words, literals: capabilities?.literals ?? .synchronizing)
        write(&writer)
        var command = Command(tag: tag, purpose: purpose, unsent: writer.pieces[...])
        sendPiece(of: &command)
        phase = .commanding(command)
        startTimers()
    }

    mutating func startTimers() {
        var patience = configuration.responseTimeout
        // All is done, and whether the server says so hardly matters.
        if case .commanding(let command) = phase, case .logout = command.purpose { patience = min(patience, configuration.logoutTimeout) }
        actions.append(.startTimer(.response, patience))
        actions.append(.startTimer(.command, configuration.commandTimeout))
    }

    mutating func stopTimers() {
        actions.append(.cancelTimer(.response))
        actions.append(.cancelTimer(.command))
    }

    private mutating func sendPiece(of command: inout Command) {
        guard let piece = command.unsent.popFirst() else { return }
        let bytes = ByteBuffer(bytes: piece)
        actions.append(command.isSecret ? .sendSecret(bytes) : .send(bytes))
    }

    /// Takes one response, whatever the phase.
    mutating func answer(_ response: Response) {
        if case .greeting = phase { return greeted(response) }
        switch response {
        case .status(let status): untagged(status)
        case .tagged(let tag, let status): tagged(tag, status)
        case .continuation(let text): continued(text)
        case .capability(let new): capabilities = new
        case .exists(let count): existing(count)
        case .recent(let count): if count > 0 { noteNews() }
        case .fetch(let fetch): scan?.fetched(fetch, &actions)
        case .search(let uids): found(uids)
        case .list(let mailbox): listed(mailbox)
        case .unrecognized(let frame): if frame.isOverlong, isSearching { close(.protocolError(.tooMuch)) }
        case .mailboxStatus(let status): mailboxStatus(status)
        case .expunge, .enabled, .flags, .namespace, .id: break
        }
    }

    private mutating func untagged(_ status: StatusResponse) {
        if status.condition == .bye { return leave(status) }
        note(status)
        if case .closed = phase { return }
        if status.code == .overQuota { alert(.server, text: status.text) }
        guard case .commanding(var command) = phase, case .select(let name, var selection) = command.purpose else {
            if case .uidValidity(let value?) = status.code, let scan, scan.uidValidity != value { reopen(scan.mailbox) }
            return
        }
        switch status.code {
        case .uidValidity(let value): selection.uidValidity = value
        case .uidNext(let value): selection.uidNext = value
        case .highestModSeq(let value): selection.highestModSeq = value
        case .readOnly: selection.isReadOnly = true
        default: return
        }
        command.purpose = .select(name, selection)
        phase = .commanding(command)
    }

    /// The parts of a status response that mean the same everywhere.
    private mutating func note(_ status: StatusResponse) {
        switch status.code {
        case .alert: alert(.server, text: status.text)
        case .capability(let new): capabilities = new
        case .throttled: close(.throttled(text: status.text))
        // In an OK it is a limit on traffic; in an untagged NO it is a mailbox that grows full (RFC 5530 §3).
        case .overQuota where status.condition == .ok: close(.throttled(text: status.text))
        default: break
        }
    }

    /// The server ends the session.
    mutating func leave(_ status: StatusResponse) {
        if status.code == .alert { alert(.server, text: status.text) }
        if case .commanding(let command) = phase, case .logout = command.purpose { return close(.loggedOut) }
        close(Self.reasonInCode(status) ?? .bye(text: status.text))
    }

    /// What a refusal's code says about trying again; nil when it says nothing about that.
    static func reasonInCode(_ status: StatusResponse) -> CloseReason? {
        switch status.code {
        case .throttled, .overQuota: .throttled(text: status.text)
        case .unavailable: .unavailable(text: status.text)
        default: nil
        }
    }

    private mutating func tagged(_ tag: [UInt8], _ status: StatusResponse) {
        guard case .commanding(let command) = phase, command.tag == tag else { return close(.protocolError(.unknownTag)) }
        if status.condition == .ok, !command.mayBeGranted { return close(.protocolError(.earlyAnswer)) }
        stopTimers()
        note(status)
        if case .closed = phase { return }
        switch command.purpose {
        case .capability: endCapability(status)
        case .startTLS: endStartTLS(status)
        case .login, .authenticate: endLogin(status)
        // Whatever it says: who we are matters to few servers.
        case .identify: openMailboxes()
        case .list(let listed): endList(status, listed)
        case .select(let name, let selection): endSelect(status, name, selection)
        case .status(let name, let answer): endStatus(status, name, answer)
        case .search(let findings): endSearch(status, findings)
        case .fetch: endFetch(status)
        case .store, .move, .copy, .markDeleted, .expunge: endDisposal(status, command.purpose)
        case .noop: proceed()
        case .idle: endIdle(status)
        case .logout: close(.loggedOut)
        }
    }

    private mutating func continued(_ text: [UInt8]) {
        guard case .commanding(var command) = phase else { return close(.protocolError(.unexpectedContinuation)) }
        if !command.unsent.isEmpty {
            sendPiece(of: &command)
            phase = .commanding(command)
            return
        }
        switch command.purpose {
        case .authenticate(let exchange): challenged(text, exchange, command)
        case .idle(.asked(let stops)): idleGranted(stops: stops, command)
        default: close(.protocolError(.unexpectedContinuation))
        }
    }

    private mutating func listed(_ mailbox: ListedMailbox) {
        guard case .commanding(var command) = phase, case .list(var all) = command.purpose else { return }
        guard all.count < Self.listLimit else { return close(.protocolError(.tooMuch)) }
        // The list must have one owner while it grows, or each line copies it.
        command.purpose = .noop
        phase = .resting
        all.append(mailbox)
        command.purpose = .list(all)
        phase = .commanding(command)
    }

    private mutating func existing(_ count: UInt32) {
        guard case .commanding(var command) = phase, case .select(let name, var selection) = command.purpose else {
            return noteNews()
        }
        selection.exists = count
        command.purpose = .select(name, selection)
        phase = .commanding(command)
    }

    var isSearching: Bool {
        guard case .commanding(let command) = phase, case .search = command.purpose else { return false }
        return true
    }

    private mutating func found(_ uids: [UID]) {
        guard case .commanding(var command) = phase, case .search(var findings) = command.purpose else { return }
        guard findings.uids.count + uids.count <= Self.searchLimit else { return close(.protocolError(.tooMuch)) }
        // As in `listed`: one owner while the list grows.
        command.purpose = .noop
        phase = .resting
        findings.isAnswered = true
        findings.uids += uids
        command.purpose = .search(findings)
        phase = .commanding(command)
    }
}

extension Command {
    /// Whether the server has all it needs to say yes.
    fileprivate var mayBeGranted: Bool {
        guard unsent.isEmpty else { return false }
        switch purpose {
        case .authenticate(.awaitingVerdict): return true
        case .authenticate: return false
        case .idle(.done): return true
        case .idle: return false
        default: return true
        }
    }
}
