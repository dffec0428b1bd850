/// Whether a mailbox has to be looked at again: STATUS in place of EXAMINE and SEARCH.
///
/// The search by UIDs above the watermark is what finds mail; this only saves repeating it in one session, for mailboxes that are not the
/// selected one. A mailbox whose UIDVALIDITY, UIDNEXT, number of messages and, with CONDSTORE (RFC 7162), HIGHESTMODSEQ are what they were
/// when it was last opened has no new mail: one round trip and a line instead of two round trips and a screen of answers, and the mailbox
/// that IDLE stands on need not be opened anew. UIDNEXT alone would do, and every server has it; HIGHESTMODSEQ is the second witness for
/// servers whose UIDNEXT lags behind. Since servers may be wrong in both, no more than ``savedLookLimit`` looks in a row are saved, and
/// the first look of each session is always a search.
///
/// Left out, because a reader of new mail gains nothing: `CHANGEDSINCE`, as flags are not followed; QRESYNC, which tells of flags and of
/// vanished messages (all of those since the last session, where we ask for none), and whose saved round trip at reconnection is that of one
/// search; COMPRESS (RFC 4978), because a stranger who sends mail to the account could learn from the size of the compressed stream what
/// stands in other people's mail beside it, because each mailbox would hold some 300 KB of windows, and because bodies cross only once.
extension ClientSession {
    /// Whether the mailbox, which is not selected, is asked before it is opened.
    func wantsStatus(of name: MailboxName) -> Bool {
        guard !statusIsRefused, let sight = sights[name], !wanted.keys.contains(where: { $0.mailbox == name }) else { return false }
        return sight.saved < Self.savedLookLimit
    }

    mutating func askStatus(of name: MailboxName) {
        let hasModSeq = sights[name]?.highestModSeq != nil
        begin("STATUS ", .status(name, nil)) {
            $0.mailbox(name)
            $0.words(" (MESSAGES UIDNEXT UIDVALIDITY")
            if hasModSeq { $0.words(" HIGHESTMODSEQ") }
            $0.words(")")
        }
    }

    /// A STATUS response; one of another mailbox, or that nobody asked for, tells nothing.
    mutating func mailboxStatus(_ status: MailboxStatus) {
        guard case .commanding(var command) = phase, case .status(let name, _) = command.purpose, status.name == name else { return }
        command.purpose = .status(name, status)
        phase = .commanding(command)
    }

    mutating func endStatus(_ status: StatusResponse, _ name: MailboxName, _ answer: MailboxStatus?) {
        if status.condition != .ok, let reason = Self.reasonInCode(status) { return close(reason) }
        if status.condition == .bad { statusIsRefused = true }
        guard status.condition == .ok, let answer, sights[name]?.isSame(as: answer) == true else {
            sights[name] = nil
            return open(name)
        }
        sights[name]?.saved += 1
        proceed()
    }
}
