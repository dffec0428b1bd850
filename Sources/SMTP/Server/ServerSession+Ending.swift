import struct NIOCore.ByteBuffer

/// Replies, the count of errors, and the end of a session.
extension ServerSession {
    /// The connection is gone. A message that waits for its verdict is not taken back: the driver may have stored it, and the client, having
    /// seen no reply, will bring it again (RFC 1047).
    package mutating func connectionClosed() -> [ServerAction] {
        let wasReading = if case .content(_, _, let reception) = state { reception.refusal == nil } else { false }
        state = .closed
        heldReply = nil
        return wasReading ? [.discardMessage] : []
    }

    /// The listener stops. A message whose content is coming is taken in to its end; everything else ends at once with 421.
    package mutating func shutdown() -> [ServerAction] {
        isShuttingDown = true
        var actions: [ServerAction] = []
        switch state {
        case .unconnected, .content, .recipientVerdict, .deliveryVerdict, .closed: break
        case .handshake: close(.unavailable, into: &actions)
        case .greetingPause: close(.unavailable, saying: .unavailable, into: &actions)
        case .idle, .envelope: if heldReply == nil { close(.unavailable, saying: .unavailable, into: &actions) }
        }
        return actions
    }

    mutating func say(_ reply: ServerReply, into actions: inout [ServerAction]) {
        say([reply], into: &actions)
    }

    /// Sends replies that belong together. If one of them is a permanent failure they count as one error: beyond the soft limit they are
    /// held back, at the hard limit the session ends instead. Transient failures are not the client's errors.
    mutating func say(_ replies: [ServerReply], into actions: inout [ServerAction]) {
        var buffer = ByteBuffer()
        for reply in replies {
            var encoded = reply.encoded
            buffer.writeBuffer(&encoded)
        }
        guard replies.contains(where: { $0.code >= 500 }) else { return actions.append(.send(buffer)) }
        errors += 1
        if errors >= configuration.limits.hardErrors {
            close(.tooManyErrors, saying: .tooManyErrors, into: &actions)
        } else if errors > configuration.limits.softErrors, configuration.limits.errorPause > .zero {
            heldReply = buffer
            actions.append(.pause(configuration.limits.errorPause))
        } else {
            actions.append(.send(buffer))
        }
    }

    /// Ends the session, after a last reply if there is one; content that was coming is dropped.
    mutating func close(_ reason: CloseReason, saying reply: ServerReply? = nil, into actions: inout [ServerAction]) {
        if case .content(_, _, let reception) = state, reception.refusal == nil { actions.append(.discardMessage) }
        if let held = heldReply {
            heldReply = nil
            actions.append(.send(held))
        }
        state = .closed
        if let reply { actions.append(.send(reply.encoded)) }
        actions.append(.close(reason))
    }
}
