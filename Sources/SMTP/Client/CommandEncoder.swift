import struct NIOCore.ByteBuffer

/// Writes command lines that cannot hold more than one command: whatever could end the line, the path or the parameter early is refused.
enum CommandEncoder {
    /// RFC 5321 §4.5.3.1.3: a path has 256 octets with its brackets.
    static let longestPath = 254
    /// RFC 3461 §4.4: an envelope id has 100 octets in xtext.
    static let longestEnvelopeID = 100
    /// RFC 3461 §4.2: an original recipient has 500 octets in xtext.
    static let longestOriginalRecipient = 500

    static func line(_ command: StaticString) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeStaticString(command)
        buffer.writeBytes([ASCII.carriageReturn, ASCII.lineFeed])
        return buffer
    }

    /// EHLO, LHLO or HELO; nil when the name is not one that can be sent.
    static func hello(_ verb: StaticString, name: String) -> ByteBuffer? {
        let bytes = Array(name.utf8)
        let isName = bytes.allSatisfy {
            ASCII.isLetterOrDigit($0) || [ASCII.dot, ASCII.hyphen, ASCII.colon, ASCII.openBracket, ASCII.closeBracket, 0x5F].contains($0)
        }
        guard (1...255).contains(bytes.count), isName else { return nil }
        return line([Array(verb.description.utf8), bytes])
    }

    /// MAIL FROM with the parameters the server can take; nil when something in it cannot be sent.
    static func mail(_ envelope: Envelope, needsSMTPUTF8: Bool, capabilities: Capabilities) -> ByteBuffer? {
        guard envelope.reversePath.isEmpty || isSafePath(envelope.reversePath, allowingUTF8: needsSMTPUTF8) else { return nil }
        var words: [[UInt8]] = [Array("MAIL".utf8), Array("FROM:<".utf8) + envelope.reversePath + [ASCII.greaterThan]]
        if capabilities.size, let size = envelope.size { words.append(Array("SIZE=\(size)".utf8)) }
        if envelope.isEightBit, capabilities.eightBitMIME { words.append(Array("BODY=8BITMIME".utf8)) }
        if needsSMTPUTF8 { words.append(Array("SMTPUTF8".utf8)) }
        if capabilities.deliveryStatusNotifications {
            switch envelope.returnContent {
            case .headers: words.append(Array("RET=HDRS".utf8))
            case .full: words.append(Array("RET=FULL".utf8))
            case nil: break
            }
            if let envelopeID = envelope.envelopeID {
                let value = XText.encode(envelopeID)
                guard (1...longestEnvelopeID).contains(value.count) else { return nil }
                words.append(Array("ENVID=".utf8) + value)
            }
        }
        return line(words)
    }

    /// RCPT TO; nil when something in it cannot be sent.
    static func recipient(_ recipient: Envelope.Recipient, allowingUTF8: Bool, capabilities: Capabilities) -> ByteBuffer? {
        guard isSafePath(recipient.forwardPath, allowingUTF8: allowingUTF8) else { return nil }
        var words: [[UInt8]] = [Array("RCPT".utf8), Array("TO:<".utf8) + recipient.forwardPath + [ASCII.greaterThan]]
        if capabilities.deliveryStatusNotifications {
            if let notify = recipient.notify { words.append(Array("NOTIFY=".utf8) + keywords(notify)) }
            // The address type rfc822 holds ASCII only; RFC 6533 §3 has another type for the rest, which few servers know.
            if let original = recipient.originalRecipient, original.allSatisfy({ $0 < 0x80 }) {
                let value = XText.encode(original)
                guard (1...longestOriginalRecipient).contains(value.count) else { return nil }
                words.append(Array("ORCPT=rfc822;".utf8) + value)
            }
        }
        return line(words)
    }

    /// A line of the AUTH exchange; nil when it exceeds `limit` octets with its CRLF.
    static func authentication(_ words: [[UInt8]], limit: Int) -> ByteBuffer? {
        let encoded = line(words)
        return encoded.readableBytes <= limit ? encoded : nil
    }

    /// Whether an address can stand between angle brackets and be nothing but one path. A space may stand in a quoted local-part only.
    static func isSafePath(_ path: [UInt8], allowingUTF8: Bool) -> Bool {
        guard (1...longestPath).contains(path.count) else { return false }
        var isQuoted = false
        var isEscaped = false
        for (index, byte) in path.enumerated() {
            if byte == ASCII.space {
                guard isQuoted else { return false }
                isEscaped = false
                continue
            }
            guard byte >= 0x80 ? allowingUTF8 : ASCII.isVisible(byte) && byte != ASCII.lessThan && byte != ASCII.greaterThan else {
                return false
            }
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == ASCII.backslash {
                isEscaped = true
            } else if byte == ASCII.quote, isQuoted || index == 0 {
                isQuoted.toggle()
            }
        }
        return !isQuoted && !isEscaped && String(validating: path, as: UTF8.self) != nil
    }

    private static func keywords(_ notify: Envelope.Notify) -> [UInt8] {
        var words: [String] = []
        if notify.contains(.success) { words.append("SUCCESS") }
        if notify.contains(.failure) { words.append("FAILURE") }
        if notify.contains(.delay) { words.append("DELAY") }
        return Array((words.isEmpty ? "NEVER" : words.joined(separator: ",")).utf8)
    }

    private static func line(_ words: [[UInt8]]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (index, word) in words.enumerated() {
            if index > 0 { buffer.writeInteger(ASCII.space) }
            buffer.writeBytes(word)
        }
        buffer.writeBytes([ASCII.carriageReturn, ASCII.lineFeed])
        return buffer
    }
}
