import struct NIOCore.ByteBuffer

@testable import IMAP

/// Stands for the driver and the store: carries out a session's actions against a `MailboxServer`, and keeps what is committed.
struct MailboxReader {
    struct Key: Hashable, CustomStringConvertible {
        var mailbox: String
        var validity: UInt32
        var uid: UInt32
        var description: String { "\(mailbox)/\(validity)/\(uid)" }

        init(mailbox: String, validity: UInt32, uid: UInt32) {
            self.mailbox = mailbox
            self.validity = validity
            self.uid = uid
        }

        init(_ message: MessageKey) {
            self.init(mailbox: message.mailbox.description, validity: message.uidValidity.value, uid: message.uid.value)
        }
    }

    enum Commits {
        /// Each message as soon as it is delivered.
        case atOnce
        /// Only when the server has said all it has to say; what is uncommitted at a cut is lost, as in a crash.
        case late
    }

    var configuration: ClientSession.Configuration
    var cursors: [MailboxName: MailboxCursor] = [:]
    /// What was committed, in order.
    var stored: [Key] = []
    var bodies: [Key: [UInt8]] = [:]
    var skipped: [Key] = []
    /// As the driver remembers them; the age is the test's.
    var setbacks: [MessageKey: Setbacks] = [:]
    /// Passed over and asked for anew in the next session, with how often that was in vain; told when the first round is over.
    var wanted: [MessageKey: Int] = [:]
    /// How often the next session looks at everything again after that.
    var morePolls = 0
    var refetches: [(key: Key, outcome: Refetch)] = []
    var validityChanges = 0
    private(set) var faults: [String] = []

    init(_ mailboxes: [String] = ["INBOX"]) {
        guard let credentials = Credentials(username: bytes("ann"), password: bytes("pw")) else { preconditionFailure("no NUL here") }
        configuration = .init(authentication: .login(credentials), mailboxes: mailboxes.map { .named(MailboxName($0)) })
        configuration.watches = false
    }

    struct Ending {
        var reason: ClientSession.CloseReason?
        var isFinished = false
        /// Octets of the server that were fed.
        var fed = 0
    }

    /// One connection, until the first poll is finished or the server has said `cut` octets.
    mutating func connect(_ server: inout MailboxServer, cut: Int = .max, piece: Int = .max, commits: Commits = .atOnce) -> Ending {
        var session = ClientSession(configuration: configuration, cursors: cursors, setbacks: setbacks)
        var wire = server.connect()
        var ending = Ending()
        var uncommitted: [FetchedMessage] = []
        var pending = session.connected() + session.tlsEstablished(verified: true)
        while true {
            while !pending.isEmpty {
                let actions = pending
                pending = []
                for action in actions {
                    switch action {
                    case .send(let out), .sendSecret(let out): wire += server.receive(Array(out.readableBytesView))
                    case .deliver(let message):
                        uncommitted.append(message)
                        if case .atOnce = commits { pending += commit(&uncommitted, &session, &server) }
                    case .watermark(let name, let validity, let uid):
                        if !uncommitted.isEmpty { faults.append("watermark \(uid) before commits") }
                        if skipped.last?.uid != uid.value || cursors[name]?.lastUID != uid { advance(name, validity, uid) }
                    case .skipped(let name, let validity, let uid, _):
                        pending += commit(&uncommitted, &session, &server)
                        skipped.append(Key(mailbox: name.description, validity: validity.value, uid: uid.value))
                        setbacks[MessageKey(name, validity, uid)] = nil
                        advance(name, validity, uid)
                    case .uidValidityChanged(let name, let old, _):
                        if cursors[name]?.uidValidity != old { faults.append("change from an unknown UIDVALIDITY") }
                        cursors[name] = nil
                        validityChanges += 1
                    case .setback(let name, let validity, let uid, let kind):
                        setbacks[MessageKey(name, validity, uid), default: Setbacks()].count(kind)
                    case .refetched(let message, let outcome):
                        refetches.append((Key(message), outcome))
                    case .pollFinished:
                        if !uncommitted.isEmpty { faults.append("finished before commits") }
                        if !wanted.isEmpty {
                            pending += session.want(wanted)
                            wanted = [:]
                        } else if morePolls > 0 {
                            morePolls -= 1
                            pending += session.poll()
                        } else {
                            ending.isFinished = true
                        }
                    case .close(let reason):
                        ending.reason = reason
                        return ending
                    case .startTLS, .startAuthentication, .saslChallenge: faults.append("\(action)")
                    case .authenticated, .startTimer, .cancelTimer, .alert, .disposed: break
                    }
                }
            }
            if ending.isFinished { return ending }
            let available = min(piece, wire.count, cut - ending.fed)
            if available > 0 {
                ending.fed += available
                pending = session.received(ByteBuffer(bytes: wire.prefix(available)))
                wire.removeFirst(available)
            } else if ending.fed < cut, !uncommitted.isEmpty {
                pending = commit(&uncommitted, &session, &server)
            } else {
                if ending.fed < cut, !server.hasHungUp { faults.append("stuck") }
                pending = session.connectionClosed()
            }
        }
    }

    private mutating func commit(
        _ messages: inout [FetchedMessage], _ session: inout ClientSession, _ server: inout MailboxServer
    ) -> [ClientSession.Action] {
        var actions: [ClientSession.Action] = []
        for message in messages {
            let key = Key(message.key)
            stored.append(key)
            bodies[key] = message.bytes
            server.stored[key.mailbox, default: []].insert(key.uid)
            if !skipped.contains(key) { advance(message.mailbox, message.uidValidity, message.uid) }
            actions += session.messageCommitted(message.key)
        }
        messages = []
        return actions
    }

    private mutating func advance(_ name: MailboxName, _ validity: UIDValidity, _ uid: UID) {
        if let last = cursors[name]?.lastUID, cursors[name]?.uidValidity == validity, last >= uid { faults.append("\(uid) after \(last)") }
        cursors[name] = MailboxCursor(uidValidity: validity, lastUID: uid)
    }
}
