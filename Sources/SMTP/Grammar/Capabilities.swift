/// What a server offered in its reply to EHLO or LHLO. A server that answered HELO, and a session before its greeting, offer nothing.
package struct Capabilities: Sendable, Hashable {
    /// PIPELINING, RFC 2920.
    package var pipelining = false
    /// STARTTLS, RFC 3207.
    package var startTLS = false
    /// 8BITMIME, RFC 6152.
    package var eightBitMIME = false
    /// SMTPUTF8, RFC 6531.
    package var smtpUTF8 = false
    /// ENHANCEDSTATUSCODES, RFC 2034.
    package var enhancedStatusCodes = false
    /// DSN, RFC 3461.
    package var deliveryStatusNotifications = false
    /// SIZE, RFC 1870: whether `SIZE=` may be given with MAIL.
    package var size = false
    /// The largest message in octets; nil when the server names none, names 0 ("no fixed limit") or names a number beyond 64 bits.
    package var maximumSize: UInt64?
    /// SASL mechanism names in upper case, in the order offered, RFC 4954.
    package var authenticationMechanisms: [String] = []
    /// LIMITS MAILMAX, RFC 9422: transactions in one session; nil when not stated.
    package var maximumTransactions: Int?
    /// LIMITS RCPTMAX, RFC 9422: recipients in one transaction; nil when not stated.
    package var maximumRecipients: Int?
    /// LIMITS RCPTDOMAINMAX, RFC 9422: recipient domains in one transaction; nil when not stated.
    package var maximumRecipientDomains: Int?

    /// Nothing is offered.
    package init() {}

    /// Reads the lines behind the greeting line of an EHLO or LHLO reply; keywords that are unknown or malformed are passed over.
    package init(_ reply: Reply) {
        for line in reply.lines.dropFirst() {
            let words = ASCII.words(line)
            guard let keyword = words.first else { continue }
            take(keyword, Array(words.dropFirst()))
        }
    }

    private mutating func take(_ keyword: [UInt8], _ parameters: [[UInt8]]) {
        if ASCII.matches(keyword, "PIPELINING") {
            pipelining = true
        } else if ASCII.matches(keyword, "STARTTLS") {
            startTLS = true
        } else if ASCII.matches(keyword, "8BITMIME") {
            eightBitMIME = true
        } else if ASCII.matches(keyword, "SMTPUTF8") {
            smtpUTF8 = true
        } else if ASCII.matches(keyword, "ENHANCEDSTATUSCODES") {
            enhancedStatusCodes = true
        } else if ASCII.matches(keyword, "DSN") {
            deliveryStatusNotifications = true
        } else if ASCII.matches(keyword, "SIZE") {
            size = true
            let limit = parameters.first.flatMap { ASCII.number($0, as: UInt64.self) }
            maximumSize = limit == 0 ? nil : limit
        } else if ASCII.matches(keyword, "AUTH") {
            offer(parameters)
        } else if ASCII.begins(keyword, with: "AUTH=") {
            // Quirk(Exchange 5.5): "AUTH=LOGIN PLAIN". Test: "capabilities are read".
            offer([Array(keyword.dropFirst(5))] + parameters)
        } else if ASCII.matches(keyword, "LIMITS") {
            for parameter in parameters { limit(parameter) }
        }
    }

    private mutating func offer(_ mechanisms: [[UInt8]]) {
        for mechanism in mechanisms {
            let isName =
                (1...20).contains(mechanism.count) && mechanism.allSatisfy { ASCII.isLetterOrDigit($0) || $0 == ASCII.hyphen || $0 == 0x5F }
            guard isName, authenticationMechanisms.count < 64 else { continue }
            let name = String(decoding: ASCII.uppercased(mechanism), as: UTF8.self)
            if !authenticationMechanisms.contains(name) { authenticationMechanisms.append(name) }
        }
    }

    private mutating func limit(_ parameter: [UInt8]) {
        let parts = parameter.split(separator: ASCII.equals, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let value = ASCII.number(parts[1], as: Int.self), value > 0 else { return }
        if ASCII.matches(parts[0], "MAILMAX") {
            maximumTransactions = value
        } else if ASCII.matches(parts[0], "RCPTMAX") {
            maximumRecipients = value
        } else if ASCII.matches(parts[0], "RCPTDOMAINMAX") {
            maximumRecipientDomains = value
        }
    }
}
