/// SEARCH, FETCH, and what becomes of a message once it is stored.
extension ClientSession {
    /// Turns the scan's next step into a command.
    mutating func take(_ step: MailboxScan.Step) {
        switch step {
        case .searchHighest:
            begin("UID SEARCH UID *", .search(Command.Findings()))
        case .searchSince(let day?):
            begin("UID SEARCH SINCE ", .search(Command.Findings())) { $0.date(day) }
        case .searchSince(nil):
            begin("UID SEARCH ALL", .search(Command.Findings()))
        case .searchAfter(let last):
            guard let first = last.successor else { return settleDown() }
            begin("UID SEARCH UID ", .search(Command.Findings())) {
                $0.number(first.value)
                $0.words(":*")
            }
        case .fetchFacts(let uids):
            begin("UID FETCH ", .fetch) {
                $0.set(uids)
                $0.words(" (UID FLAGS INTERNALDATE RFC822.SIZE)")
            }
        case .fetchWhole(let uids):
            begin("UID FETCH ", .fetch) {
                $0.set(uids)
                $0.words(" (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
            }
        case .fetchBeginning(let uid, let length):
            begin("UID FETCH ", .fetch) {
                $0.set(UIDSet([uid]))
                $0.words(" (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.")
                $0.number(UInt32(clamping: length))
                $0.words(">)")
            }
        case .confirm(let uid):
            begin("UID SEARCH UID ", .search(Command.Findings())) { $0.set(UIDSet([uid])) }
        case .dispose(let uids):
            dispose(uids)
        case .awaitCommits:
            phase = .awaitingCommits
        case .finished:
            settleDown()
        }
    }

    mutating func endSearch(_ status: StatusResponse, _ findings: Command.Findings) {
        guard scan != nil else { return proceed() }
        // Some servers refuse `*` when the mailbox has just become empty; then there is no highest UID.
        let isOptional = scan?.isLookingForHighest == true
        if status.condition != .ok, !isOptional {
            return close(Self.reasonInCode(status) ?? .fetchRefused(text: status.text))
        }
        // Quirk(hMailServer): nothing found, nothing said; QuirksTests "missing search response".
        guard findings.isAnswered || isOptional || configuration.quirks.missingSearchResponse else {
            return close(.fetchRefused(text: status.text))
        }
        let count = scan?.searched(findings.uids, &actions) ?? 0
        if count > 0 { falseAlarms = 0 }
        if case .uidValidityChanged(let name, _, let validity)? = actions.last {
            cursors[name] = nil
            setbacks = setbacks.filter { $0.key.mailbox != name || $0.key.uidValidity != validity }
            undisposed = undisposed.filter { $0.mailbox != name }
        }
        proceed()
    }

    mutating func endFetch(_ status: StatusResponse) {
        if status.condition != .ok, let reason = Self.reasonInCode(status) { return close(reason) }
        switch scan?.completed(accepted: status.condition == .ok, &actions) {
        case .withheld(let uid, let isRefused):
            if let scan { actions.append(.setback(scan.mailbox, scan.uidValidity, uid, scan.isToBlame(uid) ? .own : .shared)) }
            close(isRefused ? .fetchRefused(text: status.text) : .bodyWithheld)
        case .proceed, nil:
            proceed()
        }
    }

    /// Marks or moves messages that are stored. A refusal is told and changes nothing else.
    mutating func dispose(_ uids: UIDSet) {
        switch configuration.access {
        case .examine:
            proceed()
        case .seen:
            begin("UID STORE ", .store(uids)) {
                $0.set(uids)
                $0.words(" +FLAGS.SILENT (\\Seen)")
            }
        case .move(let target):
            let canMove = capabilities?.has("MOVE") == true || capabilities?.has("IMAP4REV2") == true
            // Without UIDPLUS a plain EXPUNGE would also remove what others marked as deleted.
            guard canMove || capabilities?.has("UIDPLUS") == true else {
                alert(.moveUnsupported, mailbox: scan?.mailbox)
                return proceed()
            }
            begin(canMove ? "UID MOVE " : "UID COPY ", canMove ? .move(uids) : .copy(uids)) {
                $0.set(uids)
                $0.words(" ")
                $0.mailbox(target)
            }
        }
    }

    mutating func endDisposal(_ status: StatusResponse, _ purpose: Command.Purpose) {
        // The mailbox has been replaced meanwhile: its UIDs must not be used any more.
        guard scan != nil else { return proceed() }
        let kind: Alert.Kind
        if case .store = purpose { kind = .storeRefused } else { kind = .moveRefused }
        guard status.condition == .ok else {
            alert(kind, mailbox: scan?.mailbox, text: status.text)
            return proceed()
        }
        switch purpose {
        case .copy(let uids):
            // Whatever becomes of the rest, they are not copied once more.
            disposed(uids)
            begin("UID STORE ", .markDeleted(uids)) {
                $0.set(uids)
                $0.words(" +FLAGS.SILENT (\\Deleted)")
            }
        case .markDeleted(let uids):
            begin("UID EXPUNGE ", .expunge) { $0.set(uids) }
        case .store(let uids), .move(let uids):
            disposed(uids)
            settle(kind, mailbox: scan?.mailbox)
            proceed()
        default:
            settle(kind, mailbox: scan?.mailbox)
            proceed()
        }
    }

    private mutating func disposed(_ uids: UIDSet) {
        guard let scan else { return }
        let done = undisposed.filter { $0.mailbox == scan.mailbox && $0.uidValidity == scan.uidValidity && uids.contains($0.uid) }
        undisposed.subtract(done)
        if !done.isEmpty { actions.append(.disposed(scan.mailbox, scan.uidValidity, done.map(\.uid).sorted())) }
    }
}
