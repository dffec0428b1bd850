import IMAP
import NIOCore
import OpenSSL
import SASL

/// The shell around the IMAP `ClientSession` on one channel.
///
/// Lives on its channel's event loop alone.
final class IMAPClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the watcher must do or know.
    enum News: Sendable {
        case startAuthentication(offered: [String])
        case challenge([UInt8])
        case authenticated
        case deliver(FetchedMessage)
        case uidValidityChanged(MailboxName, old: UIDValidity, new: UIDValidity)
        case watermark(MailboxName, UIDValidity, UID)
        case skipped(MailboxName, UIDValidity, UID, ClientSession.SkipReason)
        case setback(MailboxName, UIDValidity, UID, Setbacks.Kind)
        case refetched(MessageKey, Refetch)
        case disposed(MailboxName, UIDValidity, [UID])
        case pollFinished
        case alert(ClientSession.Alert)
        case closed(ClientSession.CloseReason?, note: String?)
    }

    private var session: ClientSession
    private let account: MailboxAccount
    private let peer: TLSPeer
    private let news: NewsQueue<News>
    private var context: ChannelHandlerContext?
    private var timers: [ClientSession.Timer: Scheduled<Void>] = [:]
    private var reason: ClientSession.CloseReason?
    private var note: String?
    private var mask: SecretMask

    /// - Parameter login: what no news may show.
    init(session: ClientSession, account: MailboxAccount, peer: TLSPeer, login: SASLCredentials, news: NewsQueue<News>) {
        mask = SecretMask(login)
        self.session = session
        self.account = account
        self.peer = peer
        self.news = news
    }

    // MARK: Answers of the watcher

    func authenticate(mechanism: String, initial: [UInt8]?) {
        perform(session.authenticate(mechanism: mechanism, initialResponse: initial))
    }
    func answer(_ response: [UInt8]) { perform(session.saslResponse(response)) }

    func abandonAuthentication(because why: String) {
        note = why
        perform(session.abandonAuthentication())
    }

    func committed(_ message: MessageKey) { perform(session.messageCommitted(message)) }
    func want(_ messages: [MessageKey: Int]) { perform(session.want(messages)) }
    func poll() { perform(session.poll()) }
    func logOut() { perform(session.logout()) }

    func closeNow(because why: String? = nil) {
        note = note ?? why
        context?.close(promise: nil)
    }

    // MARK: Channel

    /// The channel is connected when the handler comes into it.
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        perform(session.connected())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { perform(session.received(unwrapInboundIn(data))) }

    /// The end of the channel, also of one that ends while it begins, of which NIO tells nothing else.
    func channelUnregistered(context: ChannelHandlerContext) {
        for timer in timers.values { timer.cancel() }
        perform(session.connectionClosed())
        self.context = nil
        news.add(.closed(reason, note: note))
        news.finish()
        context.fireChannelUnregistered()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let handshake = event as? TLSHandshakeCompleted {
            perform(session.tlsEstablished(verified: handshake.facts.verified))
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        note = note ?? "\(error)"
        if let error = error as? TLSError, error.refusesPeer { reason = reason ?? .safety(.unprotectedCredentials) }
        context.close(promise: nil)
    }

    // MARK: Actions

    private func perform(_ actions: [ClientSession.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: ClientSession.Action) {
        switch action {
        case .send(let buffer): context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .sendSecret(let buffer):
            mask.add(line: buffer.readableBytesView)
            context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .startTLS: startTLS()
        case .startAuthentication(let offered, _): news.add(.startAuthentication(offered: offered))
        case .saslChallenge(let challenge): news.add(.challenge(challenge))
        case .authenticated: news.add(.authenticated)
        case .deliver(let message): news.add(.deliver(message))
        case .uidValidityChanged(let mailbox, let old, let new): news.add(.uidValidityChanged(mailbox, old: old, new: new))
        case .watermark(let mailbox, let validity, let uid): news.add(.watermark(mailbox, validity, uid))
        case .skipped(let mailbox, let validity, let uid, let why): news.add(.skipped(mailbox, validity, uid, why))
        case .disposed(let mailbox, let validity, let uids): news.add(.disposed(mailbox, validity, uids))
        case .setback(let mailbox, let validity, let uid, let kind): news.add(.setback(mailbox, validity, uid, kind))
        case .refetched(let message, let outcome): news.add(.refetched(message, outcome))
        case .pollFinished: news.add(.pollFinished)
        case .startTimer(let timer, let duration):
            timers[timer]?.cancel()
            timers[timer] = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
                self.timers[timer] = nil
                self.perform(self.session.timedOut(timer))
            }
        case .cancelTimer(let timer): timers.removeValue(forKey: timer)?.cancel()
        case .alert(let alert): news.add(.alert(ClientSession.Alert(alert.kind, mailbox: alert.mailbox, text: mask.masked(alert.text))))
        case .close(let why):
            reason = reason ?? why.masked(by: mask)
            context?.close(promise: nil)
        }
    }

    private func startTLS() {
        guard let context else { return }
        do {
            try context.pipeline.syncOperations.addHandler(TLSChannelHandler(client: account.trust, peer: peer), position: .first)
        } catch {
            errorCaught(context: context, error: error)
        }
    }
}

extension ClientSession.CloseReason {
    /// Without the secrets that the server's words repeat.
    fileprivate func masked(by mask: SecretMask) -> ClientSession.CloseReason {
        switch self {
        case .loginRefused(let text): .loginRefused(text: mask.masked(text))
        case .throttled(let text): .throttled(text: mask.masked(text))
        case .unavailable(let text): .unavailable(text: mask.masked(text))
        case .fetchRefused(let text): .fetchRefused(text: mask.masked(text))
        case .bye(let text): .bye(text: mask.masked(text))
        case .loggedOut, .loginUnavailable, .safety, .protocolError, .bodyWithheld, .timedOut, .connectionLost: self
        }
    }
}
