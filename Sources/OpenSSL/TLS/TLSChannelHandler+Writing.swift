package import NIOCore

extension TLSChannelHandler {
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state {
        case .idle, .handshaking, .open, .inputEnded:
            pending.append(PendingWrite(plaintext: unwrapOutboundIn(data), promise: promise))
        case .outputEnded: promise?.fail(ChannelError.outputClosed)
        case .closing, .closed: promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        pending.mark()
        encryptAndSend(context)
        context.flush()
    }

    func encryptAndSend(_ context: ChannelHandlerContext) {
        switch state {
        case .open, .inputEnded: break
        case .idle, .handshaking, .outputEnded, .closing, .closed: return
        }
        do throws(TLSError) {
            try encryptFlushed(context)
        } catch {
            fail(error, context)
            return
        }
        sendOutbound(context)
    }

    /// Encrypts what was flushed; calls nobody.
    func encryptFlushed(_ context: ChannelHandlerContext) throws(TLSError) {
        // Taken out only when it is encrypted, so that a failure finds it among the others.
        while pending.hasMark, let write = pending.first {
            var rest = write.plaintext
            repeat {
                if let piece = rest.readSlice(length: min(rest.readableBytes, Self.writeLimit)) { try connection.write(piece) }
                queueCiphertext(context, rest.readableBytes == 0 ? write.promise : nil)
            } while rest.readableBytes > 0
            _ = pending.popFirst()
        }
    }

    func queueCiphertext(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
        if let ciphertext = connection.takeCiphertext(context.channel.allocator) {
            outbound.append((ciphertext, promise))
        } else if let promise {
            // An empty write keeps the promise in its place.
            outbound.append((context.channel.allocator.buffer(capacity: 0), promise))
        }
    }

    func sendOutbound(_ context: ChannelHandlerContext) {
        guard !outbound.isEmpty else { return }
        while let (ciphertext, promise) = outbound.popFirst() {
            context.write(wrapOutboundOut(ciphertext), promise: promise)
        }
        context.flush()
    }

    /// Forgets the plaintext not encrypted yet; the promises are the caller's to fail.
    func takePending() -> [EventLoopPromise<Void>] {
        var promises: [EventLoopPromise<Void>] = []
        while let write = pending.popFirst() {
            if let promise = write.promise { promises.append(promise) }
        }
        return promises
    }

    func failWrites(_ error: any Error) {
        let promises = takePending() + outbound.compactMap(\.1)
        outbound.removeAll()
        for promise in promises { promise.fail(error) }
    }

    /// The end of everything: what the connection has to say to the peer is sent, then the channel closes.
    func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
        switch state {
        case .closed: return
        // Whoever wanted the end gets it; how the peer behaves after that is of no interest.
        case .closing: return peerEnded(context)
        case .idle, .handshaking, .open, .inputEnded, .outputEnded: break
        }
        state = .closed
        queueCiphertext(context)
        sendOutbound(context)
        failWrites(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
