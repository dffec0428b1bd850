/// MAIL and RCPT.
extension ServerSession {
    mutating func mail(_ argument: [UInt8], into actions: inout [ServerAction]) {
        guard case .idle(let greeting) = state else { return say(.nestedMail, into: &actions) }
        guard let hello = greeting else { return say(.helloFirst, into: &actions) }
        if configuration.requiresTLS, !isEncrypted { return say(.needsTLS, into: &actions) }
        if messages >= configuration.limits.messages { return close(.tooManyMessages, saying: .tooManyMessages, into: &actions) }
        if isUnderPressure {
            if !isOneTooMany(into: &actions) { say(.noStorageNow, into: &actions) }
            return
        }
        guard let (path, rest) = MailPath.split(argument[...]) else { return say(.malformedSender, into: &actions) }
        do throws(Refusal) {
            let parameters = try mailParameters(rest)
            let reversePath =
                path.isEmpty
                ? [] : try mailbox(path, allowingUTF8: parameters.isSMTPUTF8, allowingPostmaster: false, malformed: .malformedSender)
            let envelope = ReceivedEnvelope(
                helloName: hello.name, isExtended: hello.isExtended, dialect: configuration.dialect, isEncrypted: isEncrypted,
                reversePath: reversePath,
                announcedSize: parameters.size, body: parameters.body, isSMTPUTF8: parameters.isSMTPUTF8, envelopeID: parameters.envelopeID)
            state = .envelope(hello, envelope)
            say(.senderOk, into: &actions)
        } catch {
            say(error.reply, into: &actions)
        }
    }

    mutating func recipient(_ argument: [UInt8], into actions: inout [ServerAction]) {
        guard case .envelope(let hello, let envelope) = state else {
            return say(self.hello == nil ? .helloFirst : .mailFirst, into: &actions)
        }
        // RFC 5321 §4.5.3.1.10: 452, so that the client brings the rest in another transaction.
        if envelope.recipients.count >= configuration.limits.recipients { return say(.tooManyRecipients, into: &actions) }
        guard let (path, rest) = MailPath.split(argument[...]), !path.isEmpty else { return say(.malformedRecipient, into: &actions) }
        do throws(Refusal) {
            do throws(MailParameters.Fault) {
                try MailParameters.checkRecipient(rest)
            } catch {
                throw Refusal(error)
            }
            let address = try mailbox(path, allowingUTF8: envelope.isSMTPUTF8, allowingPostmaster: true, malformed: .malformedRecipient)
            state = .recipientVerdict(hello, envelope, candidate: address)
            actions.append(.validateRecipient(address, index: envelope.recipients.count))
        } catch {
            say(error.reply, into: &actions)
        }
    }

    /// The answer to `validateRecipient`.
    package mutating func recipientVerdict(_ verdict: RecipientVerdict) -> [ServerAction] {
        guard case .recipientVerdict(let hello, var envelope, let candidate) = state else { return [] }
        var actions: [ServerAction] = []
        if verdict == .accepted { envelope.recipients.append(candidate) }
        state = .envelope(hello, envelope)
        commandTime = .zero
        idleTime = .zero
        let answer = ServerReply.answer(to: verdict)
        if (400..<500).contains(answer.code), isOneTooMany(into: &actions) { return actions }
        say(answer, into: &actions)
        drain(into: &actions)
        return actions
    }

    private struct Refusal: Error {
        let reply: ServerReply

        init(_ reply: ServerReply) { self.reply = reply }

        init(_ fault: MailParameters.Fault) {
            reply = fault == .unknown ? .unknownParameter : .malformedCommand
        }
    }

    private func mailParameters(_ text: ArraySlice<UInt8>) throws(Refusal) -> MailParameters {
        let parameters: MailParameters
        do throws(MailParameters.Fault) {
            parameters = try MailParameters(ofMail: text)
        } catch {
            throw Refusal(error)
        }
        if parameters.isSMTPUTF8, !configuration.offersSMTPUTF8 { throw Refusal(.unknownParameter) }
        let limit = configuration.limits.messageSize
        if limit > 0, let size = parameters.size, size > limit { throw Refusal(.messageTooBig) }
        return parameters
    }

    private func mailbox(
        _ path: ArraySlice<UInt8>, allowingUTF8: Bool, allowingPostmaster: Bool, malformed: ServerReply
    ) throws(Refusal) -> [UInt8] {
        do throws(MailPath.Fault) {
            return try MailPath.mailbox(path, allowingUTF8: allowingUTF8, allowingPostmaster: allowingPostmaster)
        } catch {
            throw Refusal(error == .needsSMTPUTF8 ? .addressNeedsSMTPUTF8 : malformed)
        }
    }
}
