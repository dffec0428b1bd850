import struct NIOCore.ByteBuffer

/// Waiting for new messages (RFC 2177).
extension ClientSession {
    /// Everything is done for now: goes to IDLE where that is possible, else rests until a timer or the driver calls.
    mutating func settleDown() {
        guard configuration.watches, !idleIsRefused, capabilities?.has("IDLE") == true, let scan, scan.mailbox == mailboxes.last else {
            phase = .resting
            return
        }
        begin("IDLE", .idle(.asked(stops: false)))
    }

    /// The server hints at new messages, by EXISTS or RECENT.
    mutating func noteNews() {
        guard scan != nil else { return }
        hasNews = true
        guard falseAlarms < Self.falseAlarmLimit else { return }
        switch phase {
        case .resting where configuration.watches: proceed()
        case .commanding(let command):
            guard case .idle(let idle) = command.purpose, !idle.isEnding else { return }
            falseAlarms += 1
            stopIdling()
        default: break
        }
    }

    /// Ends the IDLE under way, if there is one; `DONE` waits for the server's `+`.
    mutating func stopIdling() {
        guard case .commanding(var command) = phase, case .idle(let idle) = command.purpose else { return }
        switch idle {
        case .asked:
            command.purpose = .idle(.asked(stops: true))
            phase = .commanding(command)
        case .standing:
            sendDone(command)
        case .done:
            break
        }
    }

    /// The server's `+` to IDLE.
    mutating func idleGranted(stops: Bool, _ command: Command) {
        stopTimers()
        guard !stops else { return sendDone(command) }
        var command = command
        command.purpose = .idle(.standing)
        phase = .commanding(command)
        actions.append(.startTimer(.idleReissue, configuration.idleReissue))
    }

    private mutating func sendDone(_ command: Command) {
        var command = command
        command.purpose = .idle(.done)
        phase = .commanding(command)
        actions.append(.cancelTimer(.idleReissue))
        actions.append(.send(ByteBuffer(bytes: ASCII.bytes("DONE\r\n"))))
        startTimers()
    }

    mutating func endIdle(_ status: StatusResponse) {
        actions.append(.cancelTimer(.idleReissue))
        if status.condition != .ok {
            if let reason = Self.reasonInCode(status) { return close(reason) }
            idleIsRefused = true
            alert(.idleRefused, text: status.text)
        }
        // Looked at after every IDLE, hint or not: some servers push once and never again. A round ends with such a look anyway.
        if !wantsPoll || hasNews { scan?.searchAgain() }
        hasNews = false
        proceed()
    }
}
