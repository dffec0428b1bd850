package import NIOCore

extension TLSChannelHandler {
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, state) {
        case (.input, _): promise?.fail(ChannelError.operationUnsupported)
        case (.all, .idle), (.all, .handshaking):
            state = .closed
            failWrites(ChannelError.ioOnClosedChannel)
            context.close(promise: promise)
        case (.all, .open), (.all, .outputEnded): beginClosing(context, peerEnded: false, promise: promise)
        case (.all, .inputEnded), (.output, .inputEnded): beginClosing(context, peerEnded: true, promise: promise)
        case (_, .closing(var closing)):
            if let promise { closing.promises.append(promise) }
            state = .closing(closing)
        case (_, .closed): context.close(mode: mode, promise: promise)
        case (.output, .open): endOutput(context, promise)
        case (.output, .outputEnded): promise?.fail(ChannelError.outputClosed)
        case (.output, .idle), (.output, .handshaking): promise?.fail(ChannelError.operationUnsupported)
        }
    }

    /// Everything flushed so far, then close_notify, then the socket's own end of output.
    func endOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        do throws(TLSError) {
            try encryptFlushed(context)
        } catch {
            promise?.fail(error)
            fail(error, context)
            return
        }
        connection.sendCloseNotify()
        state = .outputEnded
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { context.close(mode: .output, promise: promise) }
        written.futureResult.assumeIsolated().whenFailure { promise?.fail($0) }
        queueCiphertext(context, written)
        let unflushed = takePending()
        sendOutbound(context)
        for promise in unflushed { promise.fail(ChannelError.outputClosed) }
    }

    /// Everything flushed so far, then close_notify; the channel closes when that has left and the peer has ended its side,
    /// or when the time is up. Waiting for the peer keeps the kernel from answering its last octets with a reset, which
    /// could destroy ours on their way.
    func beginClosing(_ context: ChannelHandlerContext, peerEnded: Bool, promise: EventLoopPromise<Void>?) {
        if case .outputEnded = state {
            // Said already.
        } else {
            do throws(TLSError) {
                try encryptFlushed(context)
            } catch {
                promise?.fail(error)
                fail(error, context)
                return
            }
            connection.sendCloseNotify()
        }
        let timeLimit = context.eventLoop.assumeIsolated().scheduleTask(in: closeTimeLimit) {
            guard case .closing(var closing) = self.state else { return }
            closing.allWritten = true
            closing.peerEnded = true
            self.state = .closing(closing)
            self.finishClosing(context)
        }
        state = .closing(Closing(promises: promise.map { [$0] } ?? [], timeLimit: timeLimit, peerEnded: peerEnded))
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            guard case .closing(var closing) = self.state else { return }
            closing.allWritten = true
            self.state = .closing(closing)
            self.finishClosing(context)
        }
        queueCiphertext(context, written)
        let unflushed = takePending()
        sendOutbound(context)
        for promise in unflushed { promise.fail(ChannelError.ioOnClosedChannel) }
        context.read()
    }

    func finishClosing(_ context: ChannelHandlerContext) {
        guard case .closing(let closing) = state, closing.allWritten, closing.peerEnded else { return }
        state = .closed
        let closed = context.eventLoop.makePromise(of: Void.self)
        // "Already closed" is what was wanted.
        closed.futureResult.assumeIsolated().whenComplete { _ in closing.end { $0.succeed() } }
        context.close(promise: closed)
    }
}

extension TLSChannelHandler.Closing {
    func end(_ how: (EventLoopPromise<Void>) -> Void) {
        timeLimit?.cancel()
        for promise in promises { how(promise) }
    }
}
