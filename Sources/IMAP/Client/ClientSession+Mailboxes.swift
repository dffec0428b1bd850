/// Which mailbox is next: LIST, SELECT and EXAMINE, and the rounds over all of them.
extension ClientSession {
    /// Logged in: says who we are, finds out the names, then begins the first round.
    mutating func openMailboxes() {
        // Quirk(NetEase: 163.com, 126.com): a client that did not name itself opens no mailbox; dialogue "identifies-itself".
        if !isIdentified, capabilities?.has("ID") == true {
            isIdentified = true
            return begin("ID (\"name\" \"postrider\")", .identify)
        }
        let needsList = configuration.mailboxes.contains { if case .specialUse = $0 { true } else { false } }
        guard needsList else { return endList(nil, []) }
        let isExtended = capabilities?.has("LIST-EXTENDED") == true && capabilities?.has("SPECIAL-USE") == true
        begin("LIST \"\" \"*\"", .list([])) { if isExtended { $0.words(" RETURN (SPECIAL-USE)") } }
    }

    mutating func endList(_ status: StatusResponse?, _ listed: [ListedMailbox]) {
        if let status, status.condition != .ok, let reason = Self.reasonInCode(status) { return close(reason) }
        let selectable = listed.filter { !$0.attributes.contains(ASCII.bytes("\\NOSELECT")) }
        var names: [MailboxName] = []
        for selector in configuration.mailboxes {
            let name: MailboxName?
            switch selector {
            case .named(let given): name = given
            case .specialUse(let use, let candidates):
                let marked = selectable.first { $0.attributes.contains(use.attribute) }?.name
                name = marked ?? candidates.first { candidate in selectable.contains { $0.name == candidate } }
                if name == nil { alert(.mailboxNotFound, mailbox: candidates.first) }
            }
            if let name, !names.contains(name) { names.append(name) }
        }
        // The one to stay on comes last, so that nothing has to be looked at twice.
        mailboxes = names.isEmpty ? [] : Array(names.dropFirst()) + [names[0]]
        wantsPoll = true
        proceed()
    }

    /// Does the next thing there is to do once no command is under way.
    mutating func proceed() {
        if wantsLogout { return proceedToLogout() }
        while true {
            if let step = scan?.nextStep(&actions) {
                rememberWatermark()
                if step != .finished { return take(step) }
            }
            if !waiting.isEmpty { return visit(waiting.removeFirst()) }
            if isInRound {
                isInRound = false
                actions.append(.pollFinished)
                if configuration.watches { actions.append(.startTimer(.poll, configuration.pollInterval)) }
            }
            if wantsPoll {
                wantsPoll = false
                isInRound = true
                waiting = mailboxes
                if mailboxes.isEmpty { continue }
                return visit(waiting.removeFirst())
            }
            guard hasNews, falseAlarms < Self.falseAlarmLimit, scan != nil else { return settleDown() }
            hasNews = false
            falseAlarms += 1
            scan?.searchAgain()
        }
    }

    private mutating func proceedToLogout() {
        if scan?.hasUncommitted == true {
            phase = .awaitingCommits
        } else if let set = scan?.takeDisposable() {
            dispose(set)
        } else {
            begin("LOGOUT", .logout)
        }
    }

    /// Keeps what the scan has just told the driver to remember.
    private mutating func rememberWatermark() {
        guard case .watermark(let name, let validity, let uid) = actions.last else { return }
        remember(uid, validity, name)
    }

    /// Moves the cursor of the mailbox.
    mutating func remember(_ uid: UID, _ validity: UIDValidity, _ name: MailboxName) {
        // One that was asked for anew lies below.
        if let known = cursors[name], known.uidValidity == validity, let last = known.lastUID, last > uid { return }
        let setbacks = cursors[name]?.setbacks.filter { $0.key > uid } ?? [:]
        cursors[name] = MailboxCursor(uidValidity: validity, lastUID: uid, setbacks: setbacks)
    }

    private mutating func visit(_ name: MailboxName) {
        if let reading = scan, reading.mailbox == name {
            guard looksAtSelected < Self.savedLookLimit else { return open(name) }
            looksAtSelected += 1
            let again = takeWanted(in: name, reading.uidValidity)
            scan?.want(again)
            // Selected already: NOOP lets the server take notice of what came in, then the search is repeated.
            scan?.searchAgain()
            retryDisposal()
            return begin("NOOP", .noop)
        }
        if wantsStatus(of: name), !undisposed.contains(where: { $0.mailbox == name }) { return askStatus(of: name) }
        open(name)
    }

    /// Opens the mailbox, to be searched.
    mutating func open(_ name: MailboxName) {
        scan = nil
        looksAtSelected = 0
        if configuration.access == .examine {
            begin("EXAMINE ", .select(name, Command.Selection())) { $0.mailbox(name) }
        } else {
            begin("SELECT ", .select(name, Command.Selection())) { $0.mailbox(name) }
        }
    }

    /// The selected mailbox is not what it was: opens it anew, now or when the command under way is answered.
    mutating func reopen(_ name: MailboxName) {
        reopenings += 1
        guard reopenings <= Self.reopenLimit else { return close(.protocolError(.unstableUIDValidity)) }
        scan = nil
        sights[name] = nil
        waiting.insert(name, at: 0)
        switch phase {
        case .awaitingCommits, .resting: proceed()
        default: stopIdling()
        }
    }

    mutating func endSelect(_ status: StatusResponse, _ name: MailboxName, _ selection: Command.Selection) {
        guard status.condition == .ok else {
            if let reason = Self.reasonInCode(status) { return close(reason) }
            alert(.mailboxRefused, mailbox: name, text: status.text)
            return proceed()
        }
        settle(.mailboxRefused, mailbox: name)
        let known = cursors[name]
        guard let validity = selection.uidValidity ?? substitute(known, name) else { return proceed() }
        if let known, known.uidValidity != validity {
            actions.append(.uidValidityChanged(name, old: known.uidValidity, new: validity))
            cursors[name] = nil
        }
        let isReadOnly = selection.isReadOnly || status.code == .readOnly
        if isReadOnly, configuration.access != .examine { alert(.readOnly, mailbox: name) }
        let limits = MailboxScan.Limits(
            messageSize: configuration.messageSizeLimit, truncation: min(configuration.truncationLength, configuration.messageSizeLimit),
            batchCount: max(1, configuration.batchCount), batchSize: configuration.batchSize)
        scan = MailboxScan(
            mailbox: name, uidValidity: validity, uidNext: selection.uidNext, isEmpty: selection.exists == 0,
            cursor: cursors[name], setbacks: setbacks(in: name, validity), since: configuration.since, limits: limits,
            disposes: configuration.access.touches(name) && !isReadOnly, mayGoBack: configuration.quirks.uidNextGoesBack)
        let again = takeWanted(in: name, validity)
        scan?.want(again)
        // What is of an earlier UIDVALIDITY is no message any more.
        undisposed = undisposed.filter { $0.mailbox != name || $0.uidValidity == validity }
        retryDisposal()
        hasNews = false
        sights[name] = Sight(selection, validity)
        proceed()
    }

    /// Has what is not marked or moved yet of the selected mailbox asked for once more.
    private mutating func retryDisposal() {
        guard var scan else { return }
        let left = undisposed.filter { $0.mailbox == scan.mailbox && $0.uidValidity == scan.uidValidity }
        scan.disposeLater(left.map(\.uid))
        self.scan = scan
    }

    private func setbacks(in name: MailboxName, _ validity: UIDValidity) -> [UID: Setbacks] {
        var counts = cursors[name]?.setbacks ?? [:]
        for (message, count) in setbacks where message.mailbox == name && message.uidValidity == validity {
            counts[message.uid] = count
        }
        return counts
    }

    /// Quirk(servers without lasting UIDs): UIDVALIDITY is missing, zero or no number; QuirksTests "missing UIDVALIDITY".
    private mutating func substitute(_ known: MailboxCursor?, _ name: MailboxName) -> UIDValidity? {
        guard configuration.quirks.missingUIDValidity else {
            alert(.mailboxRefused, mailbox: name)
            return nil
        }
        alert(.uidValidityMissing, mailbox: name)
        return known?.uidValidity ?? .placeholder
    }
}
