package import struct NIOCore.ByteBuffer

extension ClientSession {
    /// A command to the driver. Actions are carried out in the order given.
    package enum Action: Equatable, Sendable {
        /// Write the bytes.
        case send(ByteBuffer)
        /// Write the bytes and show them in no log or transcript.
        case sendSecret(ByteBuffer)
        /// Begin the TLS handshake, then call ``ClientSession/tlsEstablished(verified:)``.
        case startTLS
        /// Choose a SASL mechanism and call ``ClientSession/authenticate(mechanism:initialResponse:)``, or
        /// ``ClientSession/abandonAuthentication()`` when none of those offered will do.
        ///
        /// `offered` are the names in upper case, each checked against RFC 4422 §3.1. `initialResponse` says whether the first response may
        /// go with the command (RFC 4959); it is sent after the server's go-ahead otherwise, so the driver may always give it.
        case startAuthentication(offered: [String], initialResponse: Bool)
        /// Feed the decoded challenge to the mechanism and call ``ClientSession/saslResponse(_:)`` or ``ClientSession/abandonAuthentication()``.
        case saslChallenge([UInt8])
        /// The server has accepted the login. A driver whose mechanism has still to see proof from the server must close now.
        case authenticated
        /// Store the message and its UID as watermark in one transaction, then call
        /// ``ClientSession/messageCommitted(_:)``.
        case deliver(FetchedMessage)
        /// The UIDs remembered of the mailbox are void; it is read anew from the configured date on. `old` is `new` where UIDNEXT went back
        /// (``Quirks/uidNextGoesBack``): what is kept by those UIDs must be told apart from what comes now.
        case uidValidityChanged(MailboxName, old: UIDValidity, new: UIDValidity)
        /// Remember that everything up to the UID is done. Comes only when no delivered message awaits its commit.
        case watermark(MailboxName, UIDValidity, UID)
        /// These committed messages are marked or moved now, as the configuration says.
        case disposed(MailboxName, UIDValidity, [UID])
        /// A message is there, several sessions could not read it, and it is passed over: to be recorded where a person sees it.
        case skipped(MailboxName, UIDValidity, UID, SkipReason)
        /// A message that was asked for anew (``ClientSession/want(_:)``) is not delivered.
        case refetched(MessageKey, Refetch)
        /// The session is about to close because of this message: count it for the sessions to come.
        case setback(MailboxName, UIDValidity, UID, Setbacks.Kind)
        /// Every mailbox has been looked at and all found in them has been committed.
        case pollFinished
        /// Start the timer, or start it anew, and call ``ClientSession/timedOut(_:)`` when the time is over.
        case startTimer(Timer, Duration)
        case cancelTimer(Timer)
        /// Tell the operator.
        case alert(Alert)
        /// Close the connection. Nothing follows, and the session answers no further input.
        case close(CloseReason)
    }

    /// The clocks the driver keeps for the session.
    package enum Timer: Hashable, Sendable, CaseIterable {
        /// The server is silent though something is asked of it.
        case response
        /// One command as a whole takes too long.
        case command
        /// IDLE has stood long enough.
        case idleReissue
        /// All mailboxes are due.
        case poll
    }

    /// Why a message that exists is not delivered.
    package enum SkipReason: Equatable, Sendable {
        /// The server has it but does not give its body, however often it is asked.
        case noBody
        /// The server sends more than the session may hold, even when asked for the beginning alone.
        case oversized
        /// The session ended over it again and again.
        case setbacks
    }

    /// Something an operator should know while the session goes on.
    package struct Alert: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// The server says so itself (`[ALERT]`, RFC 9051 §7.1).
            case server
            /// The mailbox cannot be opened.
            case mailboxRefused
            /// No mailbox has the special use, nor is there one of the names given for it.
            case mailboxNotFound
            /// The mailbox has no usable UIDVALIDITY.
            case uidValidityMissing
            /// The mailbox opens read-only, so messages are neither marked nor moved.
            case readOnly
            /// `\Seen` could not be set.
            case storeRefused
            /// Messages could not be moved and stay where they are.
            case moveRefused
            /// The server offers neither MOVE nor UIDPLUS; messages stay where they are.
            case moveUnsupported
            /// The server refuses IDLE; the mailboxes are polled instead.
            case idleRefused
        }

        package let kind: Kind
        /// The mailbox concerned; nil when it is none in particular.
        package let mailbox: MailboxName?
        /// The server's words, foreign and unchecked; empty when there are none.
        package let text: [UInt8]

        package init(_ kind: Kind, mailbox: MailboxName? = nil, text: [UInt8] = []) {
            self.kind = kind
            self.mailbox = mailbox
            self.text = text
        }
    }

    /// Why the session is over. Texts are the server's words, foreign and unchecked.
    package enum CloseReason: Equatable, Sendable {
        /// As asked.
        case loggedOut
        /// The server does not take the credentials. To be tried again a few times at most.
        case loginRefused(text: [UInt8])
        /// The server offers no way to log in that the configuration allows, or the driver found no mechanism.
        case loginUnavailable
        /// Going on would endanger credentials or mail.
        case safety(SafetyFault)
        /// The server breaks the protocol in a way that loses the thread.
        case protocolError(ProtocolFault)
        /// The server asks for patience (`THROTTLED`, `OVERQUOTA`, `LIMIT`): wait 15 minutes or more.
        case throttled(text: [UInt8])
        /// The server cannot serve at present (`UNAVAILABLE`, `SERVERBUG`, `INUSE`, …).
        case unavailable(text: [UInt8])
        /// The server refuses to search or to give a message it has; trying later may help.
        case fetchRefused(text: [UInt8])
        /// The server has a message and does not give it, however often it is asked; other sessions ask again.
        case bodyWithheld
        /// The server ends the session (`BYE`), often only because it is old.
        case bye(text: [UInt8])
        /// The time is over.
        case timedOut(Timer)
        /// The other side hung up.
        case connectionLost
    }

    package enum SafetyFault: Equatable, Sendable {
        /// `PREAUTH` in the clear where TLS is wanted: STARTTLS is then no longer possible (RFC 9051 §7.1.4).
        case preauthenticatedWithoutTLS
        case startTLSNotOffered
        case startTLSRefused
        /// Bytes stood behind the answer to STARTTLS, before the handshake.
        case injectedBeforeTLS
        /// The peer's certificate is not verified, or there is no TLS, and the policy sends no credentials there.
        case unprotectedCredentials
    }

    package enum ProtocolFault: Equatable, Sendable {
        /// The first line is no greeting.
        case badGreeting
        /// A line, a literal or their sum has a size that cannot be followed.
        case framing
        /// A tagged response to no command of ours.
        case unknownTag
        /// The command was answered before it was wholly sent.
        case earlyAnswer
        /// A command every server must take was refused; the text says how.
        case commandRefused(text: [UInt8])
        /// A `+` when nothing waited for it.
        case unexpectedContinuation
        /// A challenge that is not Base64.
        case badChallenge
        /// A mailbox changes its UIDVALIDITY again and again.
        case unstableUIDValidity
        /// More names, numbers or text than a session may hold.
        case tooMuch
    }
}
