import NIOCore
import NIOEmbedded
import OpenSSL
import Testing

@Suite struct TLSChannelHandlerTests {
    static let sizes = Array(1...24) + [61, 127, 256, 509, 1024]

    @Test("a handshake, data both ways and the end, with every flight cut into pieces", arguments: sizes)
    func pieces(size: Int) throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        #expect(try pair.carry(pieces: size) > 500)
        for side in [pair.client, pair.server] {
            #expect(side.recorder.facts.count == 1)
            try side.channel.writeOutbound(ByteBuffer(string: "to the other side"))
        }
        #expect(pair.client.recorder.facts.first?.verified == true)
        #expect(pair.server.recorder.facts.first?.verified == false)
        try pair.carry(pieces: size)
        for side in [pair.client, pair.server] { #expect(side.recorder.bytes == Array("to the other side".utf8)) }
        let closed = pair.client.channel.close()
        try pair.carry(pieces: size)
        try settled(closed)
        for side in [pair.client, pair.server] {
            #expect(side.recorder.story == ["handshake", "bytes", "inactive"])
            #expect(!side.channel.isActive)
        }
    }

    @Test("the first flight cut in two at every octet")
    func twoPieces() throws {
        let sample = try EmbeddedPair()
        let hello = try sample.take(from: sample.client).count
        sample.finish()
        for cut in 1..<hello {
            let pair = try EmbeddedPair()
            let bytes = try pair.take(from: pair.client)
            try pair.give(Array(bytes[..<cut]), to: pair.server)
            #expect(try pair.take(from: pair.server).isEmpty)
            try pair.give(Array(bytes[cut...]), to: pair.server)
            try pair.carry()
            #expect(pair.client.recorder.facts.count == 1 && pair.server.recorder.facts.count == 1)
            pair.finish()
        }
    }

    @Test("the server's flight cut in two at every octet, with data right behind the client's Finished")
    func serverFlight() throws {
        let sample = try EmbeddedPair()
        try sample.give(sample.take(from: sample.client), to: sample.server)
        let flight = try sample.take(from: sample.server).count
        sample.finish()
        for cut in stride(from: 1, to: flight - 10, by: 3) {
            let pair = try EmbeddedPair()
            // Written before the handshake: must wait for it, and then follow it in the same flight.
            let written = pair.client.channel.writeAndFlush(ByteBuffer(string: "EHLO client\r\n"))
            try pair.give(pair.take(from: pair.client), to: pair.server)
            let bytes = try pair.take(from: pair.server)
            try pair.give(Array(bytes[..<cut]), to: pair.client)
            #expect(pair.client.recorder.facts.isEmpty)
            try pair.give(Array(bytes[cut...]), to: pair.client)
            try pair.give(pair.take(from: pair.client), to: pair.server)
            try settled(written)
            #expect(pair.server.recorder.bytes == Array("EHLO client\r\n".utf8))
            #expect(pair.server.recorder.story == ["handshake", "bytes"])
            pair.finish()
        }
    }

    @Test("every octet of a handshake damaged once: never a completed client with a wrong server, never a crash")
    func damage() throws {
        let sample = try EmbeddedPair()
        try sample.give(sample.take(from: sample.client), to: sample.server)
        let flight = try sample.take(from: sample.server).count
        sample.finish()
        for index in stride(from: 0, to: flight, by: 7) {
            let pair = try EmbeddedPair()
            try pair.give(pair.take(from: pair.client), to: pair.server)
            var bytes = try pair.take(from: pair.server)
            if index < bytes.count { bytes[index] ^= 0x41 }
            try pair.give(bytes, to: pair.client)
            if pair.client.recorder.facts.isEmpty {
                // Failed, or waiting for octets that never come.
                pair.client.channel.pipeline.fireChannelInactive()
                #expect(pair.client.recorder.tlsErrors.count == 1)
            } else {
                // Only the compatibility octets outside the transcript may change unseen.
                #expect(pair.client.recorder.facts.first?.verified == true)
            }
            pair.finish()
        }
    }

    @Test("a megabyte in each direction at the same time", arguments: [1400, 65_536, Int.max])
    func megabyte(size: Int) throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        try pair.carry()
        let up = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let down = Array(up.reversed())
        let sent = [
            pair.client.channel.writeAndFlush(ByteBuffer(bytes: up)), pair.server.channel.writeAndFlush(ByteBuffer(bytes: down)),
        ]
        try pair.carry(pieces: size)
        for future in sent { try settled(future) }
        #expect(pair.server.recorder.bytes == up)
        #expect(pair.client.recorder.bytes == down)
    }

    @Test("promises of many small writes are kept in order, an empty one in its place")
    func promises() throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        try pair.carry()
        var order: [Int] = []
        for index in 0..<50 {
            let text = index % 7 == 0 ? "" : "line \(index)\r\n"
            pair.client.channel.write(ByteBuffer(string: text)).assumeIsolated().whenSuccess { order.append(index) }
        }
        #expect(order.isEmpty)
        #expect(try pair.take(from: pair.client).isEmpty)
        pair.client.channel.flush()
        try pair.carry()
        #expect(order == Array(0..<50))
        #expect(pair.server.recorder.bytes == Array((0..<50).map { $0 % 7 == 0 ? "" : "line \($0)\r\n" }.joined().utf8))
    }

    @Test("the connection cut after every octet of the peer's last words is not taken for an end")
    func truncation() throws {
        let sample = try EmbeddedPair()
        try sample.carry()
        sample.server.channel.writeAndFlush(ByteBuffer(string: "250 2.0.0 Ok\r\n"), promise: nil)
        sample.server.channel.close(promise: nil)
        let length = try sample.take(from: sample.server).count
        sample.finish()
        for cut in 0..<length {
            let pair = try EmbeddedPair()
            try pair.carry()
            pair.server.channel.writeAndFlush(ByteBuffer(string: "250 2.0.0 Ok\r\n"), promise: nil)
            pair.server.channel.close(promise: nil)
            try pair.give(Array(pair.take(from: pair.server)[..<cut]), to: pair.client)
            let write = pair.client.channel.write(ByteBuffer(string: "never flushed"))
            pair.client.channel.pipeline.fireChannelInactive()
            #expect(pair.client.recorder.tlsErrors.map(\.code) == [.uncleanShutdown])
            #expect(Array(pair.client.recorder.story.suffix(2)) == ["error", "inactive"])
            #expect(pair.client.recorder.bytes.isEmpty || pair.client.recorder.bytes == Array("250 2.0.0 Ok\r\n".utf8))
            #expect(throws: TLSError.self) { try settled(write) }
            pair.finish()
        }
    }

    @Test("an end after close_notify is no error, and what came before it is delivered first")
    func cleanEnd() throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        try pair.carry()
        pair.server.channel.writeAndFlush(ByteBuffer(string: "221 Bye\r\n"), promise: nil)
        let closed = pair.server.channel.close()
        // All in one piece, so that data and end meet in one read.
        try pair.give(pair.take(from: pair.server), to: pair.client)
        #expect(pair.client.recorder.story == ["handshake", "bytes", "inactive"])
        #expect(pair.client.recorder.errors.isEmpty)
        try pair.carry()
        try settled(closed)
    }

    @Test("half-closure: the peer's end is an event, and our side goes on until it ends too")
    func halfClosure() throws {
        let pair = try EmbeddedPair(halfClosure: true)
        defer { pair.finish() }
        try pair.carry()
        let ended = pair.client.channel.close(mode: .output)
        try pair.carry()
        #expect(pair.server.recorder.story == ["handshake", "inputClosed"])
        #expect(throws: ChannelError.outputClosed) { try settled(pair.client.channel.writeAndFlush(ByteBuffer(string: "x"))) }
        // The socket's own end arrives too, and is not told twice.
        pair.server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(pair.server.recorder.story == ["handshake", "inputClosed"])
        try pair.server.channel.writeOutbound(ByteBuffer(string: "still talking"))
        try pair.carry()
        #expect(pair.client.recorder.bytes == Array("still talking".utf8))
        let closed = pair.server.channel.close()
        try pair.carry()
        try settled(closed)
        try settled(ended)
        #expect(!pair.client.channel.isActive)
        #expect(pair.client.recorder.errors.isEmpty && pair.server.recorder.errors.isEmpty)
    }

    @Test("half-closure without close_notify is told as an error first")
    func uncleanHalfClosure() throws {
        let pair = try EmbeddedPair(halfClosure: true)
        defer { pair.finish() }
        try pair.carry()
        pair.client.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(pair.client.recorder.tlsErrors.map(\.code) == [.uncleanShutdown])
        #expect(pair.client.recorder.story == ["handshake", "error", "inputClosed"])
        pair.client.channel.pipeline.fireChannelInactive()
        #expect(pair.client.recorder.tlsErrors.count == 1)
    }

    @Test("close lets flushed writes leave, fails unflushed ones, and waits for the peer only so long")
    func closeWithPendingWrites() throws {
        let pair = try EmbeddedPair(closeTimeLimit: .seconds(3))
        defer { pair.finish() }
        try pair.carry()
        let flushed = pair.client.channel.writeAndFlush(ByteBuffer(string: "QUIT\r\n"))
        let unflushed = pair.client.channel.write(ByteBuffer(string: "forgotten"))
        let closed = pair.client.channel.close()
        let again = pair.client.channel.close()
        #expect(throws: ChannelError.ioOnClosedChannel) { try settled(unflushed) }
        #expect(throws: ChannelError.ioOnClosedChannel) { try settled(pair.client.channel.writeAndFlush(ByteBuffer(string: "late"))) }
        let last = try pair.take(from: pair.client)
        try settled(flushed)
        // The peer says nothing: not closed yet, then closed.
        pair.client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(2_999))
        #expect(pair.client.channel.isActive)
        pair.client.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!pair.client.channel.isActive)
        try settled(closed)
        try settled(again)
        #expect(pair.client.recorder.errors.isEmpty)
        try pair.give(last, to: pair.server)
        #expect(pair.server.recorder.bytes == Array("QUIT\r\n".utf8))
        #expect(pair.server.recorder.errors.isEmpty)
    }

    @Test("what a peer sends after we closed is not delivered")
    func deafAfterClose() throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        try pair.carry()
        let closed = pair.client.channel.close()
        pair.server.channel.writeAndFlush(ByteBuffer(string: "too late"), promise: nil)
        try pair.carry()
        try settled(closed)
        #expect(pair.client.recorder.bytes.isEmpty)
        #expect(pair.client.recorder.story == ["handshake", "inactive"])
    }

    @Test("close before and during the handshake ends at once and fails what was written")
    func earlyClose() throws {
        for steps in 0...1 {
            let pair = try EmbeddedPair(connected: steps > 0)
            let write = pair.client.channel.writeAndFlush(ByteBuffer(string: "x"))
            try settled(pair.client.channel.close())
            #expect(throws: ChannelError.ioOnClosedChannel) { try settled(write) }
            #expect(pair.client.recorder.errors.isEmpty)
            pair.finish()
        }
    }

    @Test("the connection lost at every flight of the handshake is an error, once, and fails what was written")
    func lostInHandshake() throws {
        for steps in 0...1 {
            let pair = try EmbeddedPair()
            let write = pair.client.channel.writeAndFlush(ByteBuffer(string: "x"))
            let hello = try pair.take(from: pair.client)
            if steps == 1 {
                try pair.give(hello, to: pair.server)
                try pair.give(Array(pair.take(from: pair.server).dropLast()), to: pair.client)
            }
            pair.client.channel.pipeline.fireChannelInactive()
            pair.server.channel.pipeline.fireChannelInactive()
            for side in [pair.client, pair.server] {
                #expect(side.recorder.tlsErrors.map(\.code) == [.closedDuringHandshake])
                #expect(side.recorder.story == ["error", "inactive"])
            }
            #expect(throws: TLSError.self) { try settled(write) }
            pair.finish()
        }
    }

    @Test(
        "a peer that does not speak TLS is told apart",
        arguments: [
            "220 mx.example.com ESMTP ready\r\n", "* OK IMAP4rev1 ready\r\n", "EHLO client.example.com\r\n", "GET / HTTP/1.1\r\n\r\n",
        ])
    func notTLS(text: String) throws {
        for side in [\EmbeddedPair.client, \EmbeddedPair.server] {
            let pair = try EmbeddedPair()
            try pair.give(Array(text.utf8), to: pair[keyPath: side])
            let recorder = pair[keyPath: side].recorder
            #expect(recorder.tlsErrors.map(\.code) == [.notTLS])
            #expect(recorder.story == ["error", "inactive"])
            #expect(recorder.bytes.isEmpty)
            pair.finish()
        }
    }

    @Test("a client that refuses the certificate tells the server why, and nothing it wrote leaves")
    func refusal() throws {
        let pair = try EmbeddedPair(certificate: "expired")
        defer { pair.finish() }
        let write = pair.client.channel.writeAndFlush(ByteBuffer(string: "a password"))
        try pair.carry()
        #expect(pair.client.recorder.tlsErrors.map(\.code) == [.certificate(.expired)])
        #expect(pair.client.recorder.story == ["error", "inactive"])
        // certificate_expired, RFC 8446 §6.2.
        #expect(pair.server.recorder.tlsErrors.map(\.code) == [.alert(45)])
        #expect(pair.server.recorder.bytes.isEmpty)
        #expect(throws: TLSError.self) { try settled(write) }
    }

    @Test("a damaged record ends the connection; what came whole before it is delivered")
    func damagedRecord() throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        try pair.carry()
        pair.client.channel.writeAndFlush(ByteBuffer(string: "good"), promise: nil)
        let good = try pair.take(from: pair.client)
        pair.client.channel.writeAndFlush(ByteBuffer(string: "bad"), promise: nil)
        var bad = try pair.take(from: pair.client)
        bad[bad.count - 1] ^= 1
        try pair.give(good + bad, to: pair.server)
        #expect(pair.server.recorder.bytes == Array("good".utf8))
        #expect(pair.server.recorder.tlsErrors.map(\.code) == [.corruptRecord])
        #expect(pair.server.recorder.story == ["handshake", "bytes", "error", "inactive"])
        // bad_record_mac reaches the client.
        try pair.carry()
        #expect(pair.client.recorder.tlsErrors.map(\.code) == [.alert(20)])
    }

    @Test("handlers may write and close from within any event")
    func reentrancy() throws {
        let pair = try EmbeddedPair()
        defer { pair.finish() }
        var answers = 0
        pair.client.recorder.onHandshake = { $0.writeAndFlush(NIOAny(ByteBuffer(string: "hello")), promise: nil) }
        pair.server.recorder.onRead = { context in
            answers += 1
            context.writeAndFlush(NIOAny(ByteBuffer(string: "answer \(answers);")), promise: nil)
            // More ciphertext arrives while the first is being delivered.
            pair.client.channel.writeAndFlush(ByteBuffer(string: "more"), promise: nil)
            if answers < 20, let more = try? pair.take(from: pair.client) { try? pair.give(more, to: pair.server) }
            if answers == 20 { context.close(promise: nil) }
        }
        try pair.carry()
        #expect(answers == 20)
        #expect(pair.client.recorder.bytes == Array((1...20).map { "answer \($0);" }.joined().utf8))
        #expect(pair.client.recorder.errors.isEmpty && pair.server.recorder.errors.isEmpty)
        #expect(!pair.server.channel.isActive && !pair.client.channel.isActive)
    }

    @Test("a handler that closes on the error of a failed handshake does no harm")
    func closeOnError() throws {
        let pair = try EmbeddedPair(certificate: "wrong-name")
        defer { pair.finish() }
        pair.client.recorder.onError = { $0.close(promise: nil) }
        try pair.carry()
        #expect(pair.client.recorder.tlsErrors.map(\.code) == [.certificate(.nameMismatch)])
        #expect(!pair.client.channel.isActive)
    }

    @Test("added to a connected channel the handshake begins at once, on both sides")
    func upgrade() throws {
        let (client, server) = (EmbeddedChannel(), EmbeddedChannel())
        let (clientRecorder, serverRecorder) = (Recorder(), Recorder())
        for (channel, recorder) in [(client, clientRecorder), (server, serverRecorder)] {
            try channel.pipeline.syncOperations.addHandler(recorder)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "x")).wait()
        }
        try client.writeInbound(ByteBuffer(string: "220 go ahead\r\n"))
        #expect(clientRecorder.bytes == Array("220 go ahead\r\n".utf8))
        // A read that was asked for in plaintext is still open.
        client.read()
        let first = NIOCore.ChannelPipeline.SynchronousOperations.Position.first
        try client.pipeline.syncOperations.addHandler(
            TLSChannelHandler(client: TestCertificates.client(), peer: .verified(name: testHost)), position: first)
        try server.pipeline.syncOperations.addHandler(TLSChannelHandler(server: TestCertificates.server("good")), position: first)
        var quiet = false
        while !quiet {
            quiet = true
            for (from, to) in [(client, server), (server, client)] {
                while let buffer = try from.readOutbound(as: ByteBuffer.self) {
                    quiet = false
                    try to.writeInbound(buffer)
                }
            }
        }
        #expect(clientRecorder.facts.count == 1 && serverRecorder.facts.count == 1)
        client.end()
        server.end()
    }

    @Test("without automatic reading the handler reads for itself in the handshake, and for its user until something came")
    func manualReading() throws {
        final class Counter: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var reads = 0
            func read(context: ChannelHandlerContext) {
                reads += 1
                context.read()
            }
        }
        let pair = try EmbeddedPair(connected: false)
        defer { pair.finish() }
        let counter = Counter()
        try pair.client.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        pair.client.channel.connect(to: try SocketAddress(unixDomainSocketPath: "x"), promise: nil)
        pair.server.channel.connect(to: try SocketAddress(unixDomainSocketPath: "x"), promise: nil)
        #expect(counter.reads == 1)
        try pair.give(pair.take(from: pair.client), to: pair.server)
        let flight = try pair.take(from: pair.server)
        try pair.give(Array(flight[..<100]), to: pair.client)
        #expect(counter.reads == 2)
        try pair.give(Array(flight[100...]), to: pair.client)
        try pair.carry()
        // Nobody behind the handler wants anything now.
        let after = counter.reads
        pair.server.channel.writeAndFlush(ByteBuffer(string: "250 ok\r\n"), promise: nil)
        let record = try pair.take(from: pair.server)
        try pair.give(Array(record[..<4]), to: pair.client)
        #expect(counter.reads == after)
        pair.client.channel.read()
        #expect(counter.reads == after + 1)
        try pair.give(Array(record[4..<8]), to: pair.client)
        // Half a record answers no wish.
        #expect(counter.reads == after + 2)
        try pair.give(Array(record[8...]), to: pair.client)
        #expect(counter.reads == after + 2)
        #expect(pair.client.recorder.bytes == Array("250 ok\r\n".utf8))
    }
}
