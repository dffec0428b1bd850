import Glibc
import NIOCore
import NIOPosix
import OpenSSL
import Synchronization

@testable import MailTransport

/// An SMTP or LMTP server on 127.0.0.1 in good order, but for the one thing that goes wrong: at a given octet of what it says, or in the
/// answer to a given command.
///
/// It keeps to the grammar (no RCPT before MAIL, a dot ends DATA), counts what it was given, and writes down where in its stream each reply
/// ended, so that a run without fault tells where the faults may be put.
final class HostilePeer: Sendable {
    enum Fault: Sendable, CaseIterable {
        /// The connection ends in order, with close_notify under TLS.
        case close
        /// The connection ends without close_notify under TLS.
        case cut
        /// The connection is reset.
        case reset
        /// Nothing is said any more.
        case stall
    }

    struct Script: Sendable {
        var isLMTP = false
        var extensions: [String] = []
        /// Offers STARTTLS, as long as TLS is not there.
        var tls: TLSServerContext?
        /// What is said in place of the usual; nil: nothing. The greeting has the word "", a dot ".".
        var answers: [String: String?] = [:]
        /// The answers hold from this MAIL on, counted over all connections; until then everything has its usual answer.
        var answersFromMail = 0
        var fault: (kind: Fault, after: Int)?
        /// Octets are counted from the reply to so many final dots on.
        var faultAfterDots = 0
        /// Only the first connection is faulty.
        var onlyFirst = false
        /// Words to which each octet of the answer is said alone, so long after the one before.
        var drip: [String: TimeAmount] = [:]
        /// Of what comes in one packet only the first command is read, whatever was offered.
        var readsOneCommand = false
    }

    /// The end of a reply in the stream of one connection.
    struct Mark: Sendable, Equatable {
        let word: String
        let end: Int
    }

    struct State {
        var connections = 0
        var open = 0
        var lines: [String] = []
        var mails = 0
        var marks: [Mark] = []
        /// Of each content that was ended by a dot, the recipients it was for.
        var contents: [[String]] = []
    }

    private let channel: any Channel
    private let state: Shared

    final class Shared: Sendable {
        let state = Mutex(State())
        let channels = Mutex<[any Channel]>([])
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var now: State { state.state.withLock { $0 } }

    private init(_ channel: any Channel, _ state: Shared) {
        self.channel = channel
        self.state = state
    }

    static func start(_ script: Script) async throws -> HostilePeer {
        let shared = Shared()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).serverChannelOption(
            .backlog, value: 64
        ).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                shared.channels.withLock { $0.append(channel) }
                let number = shared.state.withLock { state in
                    state.connections += 1
                    state.open += 1
                    return state.connections
                }
                try channel.pipeline.syncOperations.addHandler(Handler(script: script, number: number, shared: shared))
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        return HostilePeer(channel, shared)
    }

    func stop() async { try? await channel.close() }

    /// Ends every connection there is.
    func dropAll() async {
        for channel in state.channels.withLock({ $0 }) { try? await channel.close() }
    }

    /// Stands before TLS, so that a close here is one without close_notify.
    private final class Socket: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var context: ChannelHandlerContext?
        func handlerAdded(context: ChannelHandlerContext) { self.context = context }
        func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let script: Script
        private let shared: Shared
        private let isFaulty: Bool
        private let socket = Socket()
        private var input: [UInt8] = []
        private var isInData = false
        private var isTLS = false
        private var hasMail = false
        private var recipients: [String] = []
        private var dots = 0
        /// Octets said, counted from where the script counts.
        private var said = 0
        private var isOver = false
        private var waiting = CircularBuffer<UInt8>()

        init(script: Script, number: Int, shared: Shared) {
            self.script = script
            self.shared = shared
            isFaulty = script.fault != nil && (!script.onlyFirst || number == 1)
        }

        func channelActive(context: ChannelHandlerContext) {
            try? context.pipeline.syncOperations.addHandler(socket, position: .first)
            answer("", "220 peer.example.net ESMTP\r\n", context)
        }

        func channelInactive(context: ChannelHandlerContext) {
            isOver = true
            shared.state.withLock { $0.open -= 1 }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            input += unwrapInboundIn(data).readableBytesView
            while !isOver, let end = input.firstIndex(of: 10) {
                let line = String(decoding: input[..<end].filter { $0 != 13 }, as: UTF8.self)
                input.removeSubrange(...end)
                take(line, context)
                if script.readsOneCommand, !isInData { input = [] }
            }
        }

        private func take(_ line: String, _ context: ChannelHandlerContext) {
            if isInData {
                guard line == "." else { return }
                isInData = false
                return dot(context)
            }
            shared.state.withLock { $0.lines.append(line) }
            let word = line.prefix { $0 != " " }.uppercased()
            switch word {
            case "EHLO", "LHLO", "HELO":
                hasMail = false
                var offers = word == "HELO" ? [] : script.extensions
                if script.tls != nil, !isTLS, word != "HELO" { offers.append("STARTTLS") }
                let lines = ["peer.example.net"] + offers
                answer(
                    word, lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)\r\n" }.joined(), context)
            case "STARTTLS":
                answer(word, "220 2.0.0 Go\r\n", context)
                if !isOver, isIn(2, word), let tls = script.tls { secure(tls, context) }
            case "MAIL":
                shared.state.withLock { $0.mails += 1 }
                hasMail = isIn(2, word)
                recipients = []
                answer(word, "250 2.1.0 Ok\r\n", context)
            case "RCPT":
                guard hasMail else { return answer(word, "503 5.5.1 MAIL first\r\n", context) }
                let recipient = String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
                let text = answers["RCPT \(recipient)"] ?? answers[word] ?? "250 2.1.5 Ok\r\n"
                if text?.hasPrefix("2") == true { recipients.append(recipient) }
                say(word, text, context)
            case "DATA":
                guard !recipients.isEmpty else { return answer(word, "503 5.5.1 RCPT first\r\n", context) }
                isInData = isIn(3, word)
                answer(word, "354 Go\r\n", context)
            case "RSET":
                hasMail = false
                recipients = []
                answer(word, "250 2.0.0 Ok\r\n", context)
            case "QUIT":
                answer(word, "221 2.0.0 Bye\r\n", context)
                if !isOver { context.close(promise: nil) }
            default: answer(word, "500 5.5.1 What\r\n", context)
            }
        }

        /// Whether the answer to that word is in this class, as the usual one is.
        private func isIn(_ replyClass: Int, _ word: String) -> Bool {
            guard let changed = answers[word] else { return true }
            return changed?.hasPrefix("\(replyClass)") == true
        }

        private var answers: [String: String?] {
            shared.state.withLock { $0.mails } >= script.answersFromMail ? script.answers : [:]
        }

        private func dot(_ context: ChannelHandlerContext) {
            shared.state.withLock { $0.contents.append(recipients) }
            hasMail = false
            if script.isLMTP {
                for recipient in recipients {
                    say(".", answers[". \(recipient)"] ?? answers["."] ?? "250 2.0.0 taken for \(recipient)\r\n", context)
                }
            } else {
                answer(".", "250 2.0.0 taken\r\n", context)
            }
            dots += 1
            if dots == script.faultAfterDots { restart(context) }
        }

        private func restart(_ context: ChannelHandlerContext) {
            said = 0
            shared.state.withLock { $0.marks = [] }
            if let fault = script.fault, isFaulty, fault.after == 0 { fail(fault.kind, context) }
        }

        private func answer(_ word: String, _ usual: String, _ context: ChannelHandlerContext) {
            say(word, answers[word] ?? usual, context)
        }

        private func say(_ word: String, _ text: String?, _ context: ChannelHandlerContext) {
            guard !isOver, let text else { return }
            var bytes = Array(text.utf8)
            if let fault = script.fault, isFaulty, dots >= script.faultAfterDots {
                let room = fault.after - said
                if room <= bytes.count {
                    bytes = Array(bytes[..<max(0, room)])
                    write(bytes, context)
                    return fail(fault.kind, context)
                }
            }
            said += bytes.count
            shared.state.withLock { $0.marks.append(Mark(word: word, end: said)) }
            if let drip = script.drip[word] { trickle(bytes, drip, context) } else { write(bytes, context) }
        }

        private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
            guard !bytes.isEmpty else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }

        private func trickle(_ bytes: [UInt8], _ interval: TimeAmount, _ context: ChannelHandlerContext) {
            let isRunning = !waiting.isEmpty
            waiting.append(contentsOf: bytes)
            if !isRunning { next(interval, context) }
        }

        private func next(_ interval: TimeAmount, _ context: ChannelHandlerContext) {
            guard !isOver, let byte = waiting.first else { return }
            write([byte], context)
            context.eventLoop.assumeIsolated().scheduleTask(in: interval) {
                self.waiting.removeFirst()
                self.next(interval, context)
            }
        }

        private func secure(_ tls: TLSServerContext, _ context: ChannelHandlerContext) {
            isTLS = true
            hasMail = false
            do {
                try context.pipeline.syncOperations.addHandler(TLSChannelHandler(server: tls), position: .after(socket))
            } catch {
                context.close(promise: nil)
            }
        }

        private func fail(_ fault: Fault, _ context: ChannelHandlerContext) {
            isOver = true
            switch fault {
            case .close: context.close(promise: nil)
            case .cut: (socket.context ?? context).close(promise: nil)
            case .reset:
                (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
                (socket.context ?? context).close(promise: nil)
            case .stall: break
            }
        }
    }
}
