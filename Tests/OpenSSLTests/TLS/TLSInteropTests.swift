import Foundation
import NIOCore
import NIOPosix
import OpenSSL
import Testing

/// Our two sides against `openssl s_server` and `openssl s_client`, and against each other over real sockets.
@Suite struct TLSInteropTests {
    /// Collects what arrives at the end of a pipeline until the channel is gone.
    final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        struct Report: Sendable {
            var facts: TLSFacts?
            var bytes: [UInt8] = []
            var errors: [String] = []
            var tlsErrors: [TLSError.Code] = []
            var inputClosed = false
        }

        private var report = Report()
        private let done: EventLoopPromise<Report>
        private let onHandshake: @Sendable (any Channel) -> Void
        private let onBytes: @Sendable (any Channel, Int) -> Void

        init(
            _ done: EventLoopPromise<Report>, onHandshake: @escaping @Sendable (any Channel) -> Void = { _ in },
            onBytes: @escaping @Sendable (any Channel, Int) -> Void = { _, _ in }
        ) {
            self.done = done
            self.onHandshake = onHandshake
            self.onBytes = onBytes
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let completed = event as? TLSHandshakeCompleted {
                report.facts = completed.facts
                onHandshake(context.channel)
            } else if let end = event as? ChannelEvent, end == .inputClosed {
                report.inputClosed = true
                context.close(promise: nil)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            report.bytes += unwrapInboundIn(data).readableBytesView
            onBytes(context.channel, report.bytes.count)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            report.errors.append("\(error)")
            if let error = error as? TLSError { report.tlsErrors.append(error.code) }
        }

        func channelInactive(context: ChannelHandlerContext) { done.succeed(report) }
    }

    static func promise() -> EventLoopPromise<Collector.Report> {
        MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Collector.Report.self)
    }

    private func startServer(_ certificate: String, _ more: [String]) throws -> (ToolProcess, Int) {
        let chain = try TestCertificates.file(certificate + ".pem")
        let process = try ToolProcess(
            [
                "s_server", "-accept", "127.0.0.1:0", "-cert", chain, "-cert_chain", chain, "-key",
                TestCertificates.file(certificate + ".key"),
            ] + more)
        return (process, try #require(Int(process.wait(for: "ACCEPT 127.0.0.1:"))))
    }

    @Test("our client talks to s_server", arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
    func clientToTool(option: String, version: String) async throws {
        let (process, port) = try startServer("good", ["-rev", option])
        let client = try TestCertificates.client()
        let done = Self.promise()
        _ = try await Loopback.connect(port) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                try TLSChannelHandler(client: client, peer: .verified(name: testHost)),
                Collector(
                    done, onHandshake: { $0.writeAndFlush(ByteBuffer(string: "0123456789\n"), promise: nil) },
                    onBytes: { channel, count in if count == 11 { channel.close(promise: nil) } }),
            ])
        }
        let report = try await done.futureResult.get()
        #expect(report.facts?.protocolVersion == version)
        #expect(report.facts?.verified == true)
        #expect(report.bytes == Array("9876543210\n".utf8))
        #expect(report.errors.isEmpty)
        _ = process
    }

    @Test("s_server with an old version, with strange certificates: refused for the right reason")
    func toolRefused() async throws {
        let client = try TestCertificates.client()
        let cases: [(String, [String], TLSError.Code)] = [
            ("good", ["-tls1", "-cipher", "ALL:@SECLEVEL=0"], .protocolVersion),
            ("good", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], .protocolVersion),
            ("expired", [], .certificate(.expired)),
            ("cn-only", [], .certificate(.nameMismatch)),
            ("weak", ["-cipher", "ALL:@SECLEVEL=0"], .certificate(.tooWeak)),
            ("broken-chain", [], .certificate(.unknownIssuer)),
        ]
        for (certificate, options, code) in cases {
            let (process, port) = try startServer(certificate, options)
            switch try await Loopback.shake(client, .verified(name: testHost), port: port) {
            case .failed(let error): #expect(error.code == code, "\(certificate) \(options): \(error)")
            case .completed: Issue.record("\(certificate) \(options) was accepted")
            }
            _ = process
        }
        // Anonymous ciphers show no certificate; we do not offer them, verified or not.
        let (process, port) = try startServer("good", ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"])
        for peer in [TLSPeer.verified(name: testHost), .unverified(name: testHost)] {
            guard case .failed(let error) = try await Loopback.shake(client, peer, port: port) else {
                Issue.record("an anonymous cipher was taken")
                continue
            }
            #expect(error.code == .alert(40))
        }
        _ = process
    }

    @Test("a server that dies without close_notify is told from one that says goodbye")
    func killedServer() async throws {
        for kill in [true, false] {
            let (process, port) = try startServer("good", ["-rev"])
            let client = try TestCertificates.client()
            let done = Self.promise()
            let ready = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
            let channel = try await Loopback.connect(port) { channel in
                try channel.pipeline.syncOperations.addHandlers([
                    try TLSChannelHandler(client: client, peer: .verified(name: testHost)),
                    Collector(
                        done, onHandshake: { $0.writeAndFlush(ByteBuffer(string: "hello\n"), promise: nil) },
                        onBytes: { _, count in if count == 6 { ready.succeed() } }),
                ])
            }
            try await ready.futureResult.get()
            // The word on which this server ends the connection in order.
            if kill { process.kill() } else { try await channel.writeAndFlush(ByteBuffer(string: "CLOSE\n")) }
            let report = try await done.futureResult.get()
            #expect(report.bytes == Array("olleh\n".utf8))
            #expect(report.tlsErrors == (kill ? [.uncleanShutdown] : []), "\(report.errors)")
            _ = process
        }
    }

    @Test("s_client talks to our server and verifies it", arguments: ["-tls1_2", "-tls1_3"])
    func toolToServer(option: String) async throws {
        let server = try TestCertificates.server("good-chain")
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)
        let process = try ToolProcess([
            "s_client", "-connect", "127.0.0.1:\(port)", option, "-CAfile", TestCertificates.file("ca.pem"), "-verify_return_error",
            "-verify_hostname", testHost, "-quiet", "-no_ign_eof",
        ])
        process.say("there and back again\n")
        try process.wait(for: "there and back again")
        process.endInput()
        #expect(process.finish() == 0)
        try await listener.close()
    }

    @Test("our server has nothing for an old or an anonymous client")
    func toolTooOld() async throws {
        let server = try TestCertificates.server("good")
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)
        for options in [["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"]] {
            let process = try ToolProcess(["s_client", "-connect", "127.0.0.1:\(port)", "-quiet"] + options)
            #expect(process.finish() != 0)
        }
        try await listener.close()
    }

    /// The least of an SMTP server that can do STARTTLS; what is under test is the change in a running pipeline.
    final class StartTLSServer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let context: TLSServerContext
        private var line: [UInt8] = []
        private var isSecure = false

        init(_ context: TLSServerContext) { self.context = context }

        func channelActive(context: ChannelHandlerContext) { say("220 mx.test.example.com ESMTP", context) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is TLSHandshakeCompleted { isSecure = true }
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            for byte in unwrapInboundIn(data).readableBytesView {
                guard byte == 0x0a else {
                    line.append(byte)
                    continue
                }
                let command = String(decoding: line.prefix(4), as: UTF8.self)
                line = []
                switch command {
                case "EHLO" where isSecure: say("250 mx.test.example.com inside", context)
                case "EHLO": say("250-mx.test.example.com\r\n250 STARTTLS", context)
                case "STAR":
                    say("220 go ahead", context)
                    do {
                        try context.pipeline.syncOperations.addHandler(try TLSChannelHandler(server: self.context), position: .first)
                    } catch {
                        context.close(promise: nil)
                    }
                default: say("502 no", context)
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }

    @Test("s_client -starttls smtp upgrades a running pipeline of ours")
    func startTLS() async throws {
        let server = try TestCertificates.server("good")
        let listener = try await Loopback.listen { channel in try channel.pipeline.syncOperations.addHandler(StartTLSServer(server)) }
        let port = try #require(listener.localAddress?.port)
        let process = try ToolProcess([
            "s_client", "-starttls", "smtp", "-connect", "127.0.0.1:\(port)", "-CAfile", TestCertificates.file("ca.pem"),
            "-verify_return_error", "-verify_hostname", testHost, "-quiet", "-no_ign_eof", "-no_ign_eof",
        ])
        process.say("EHLO again\r\n")
        try process.wait(for: "250 mx.test.example.com inside")
        process.endInput()
        _ = process.finish()
        try await listener.close()
    }

    @Test("a megabyte to our server and back over sockets, then the end of output, then the end", arguments: [true, false])
    func sockets(halfClosure: Bool) async throws {
        let server = try TestCertificates.server("good")
        let client = try TestCertificates.client()
        let (clientDone, serverDone) = (Self.promise(), Self.promise())
        let size = 1_048_576
        let listener = try await Loopback.listen { channel in
            channel.setOption(.allowRemoteHalfClosure, value: halfClosure).whenFailure { serverDone.fail($0) }
            try channel.pipeline.syncOperations.addHandlers([
                try TLSChannelHandler(server: server),
                Collector(
                    serverDone,
                    onBytes: { channel, count in
                        // All of it has come; the answer is larger than any socket buffer.
                        if count == size { channel.writeAndFlush(ByteBuffer(repeating: 0x62, count: size), promise: nil) }
                    }),
            ])
        }
        let port = try #require(listener.localAddress?.port)
        let channel = try await Loopback.connect(port) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                try TLSChannelHandler(client: client, peer: .verified(name: testHost)),
                Collector(
                    clientDone,
                    onBytes: { channel, count in
                        if count == size { channel.close(mode: halfClosure ? .output : .all, promise: nil) }
                    }),
            ])
        }
        try await channel.writeAndFlush(ByteBuffer(repeating: 0x61, count: size))
        let (atClient, atServer) = (try await clientDone.futureResult.get(), try await serverDone.futureResult.get())
        #expect(atClient.bytes.count == size && atClient.bytes.allSatisfy { $0 == 0x62 })
        #expect(atServer.bytes.count == size && atServer.bytes.allSatisfy { $0 == 0x61 })
        #expect(atServer.inputClosed == halfClosure)
        #expect(atClient.errors.isEmpty && atServer.errors.isEmpty)
        try await listener.close()
    }

    @Test("who closes right after a long write loses nothing of it")
    func closeBehindLongWrite() async throws {
        let server = try TestCertificates.server("good")
        let client = try TestCertificates.client()
        let done = Self.promise()
        let size = 8 << 20
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Collector(done)])
        }
        let port = try #require(listener.localAddress?.port)
        let ended = Self.promise()
        _ = try await Loopback.connect(port) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                try TLSChannelHandler(client: client, peer: .verified(name: testHost), closeTimeLimit: .seconds(60)),
                Collector(
                    ended,
                    onHandshake: { channel in
                        channel.writeAndFlush(ByteBuffer(repeating: 0x61, count: size), promise: nil)
                        channel.close(promise: nil)
                    }),
            ])
        }
        #expect(try await ended.futureResult.get().errors.isEmpty)
        let report = try await done.futureResult.get()
        #expect(report.bytes.count == size)
        #expect(report.errors.isEmpty)
        try await listener.close()
    }
}
