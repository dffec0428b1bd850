import InternetMessage

/// What a report shows beside its own words of whom the message was for.
enum ReturnedCopy {
    /// The addresses of `X-Failed-Recipients`, as Exim and its kin write it.
    static func failedAddresses(_ message: Message) -> [EmailAddress] {
        message.header.all("X-Failed-Recipients").flatMap { AddressList(parsing: $0.rawValue).mailboxes.map(\.address) }
    }

    /// The only addressee of a returned header; nil when there are several, or none, and of what a mailing list sent on.
    static func addressee(_ header: Header) -> EmailAddress? {
        guard header.first("List-Id") == nil, header.first("X-BeenThere") == nil else { return nil }
        let found = header.all("To").flatMap { AddressList(parsing: $0.rawValue).mailboxes.map(\.address) }
        return found.count == 1 ? found[0] : nil
    }

    /// The only addressee of the message that a report carries as a part.
    static func addressee(of message: Message) -> EmailAddress? {
        if case .deliveryStatus(let status)? = message.report, let header = status.returnedHeader { return addressee(header) }
        return header(of: message).flatMap(addressee)
    }

    /// The header of the message that another carries as a part.
    static func header(of message: Message) -> Header? {
        let types = ["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"]
        for copy in message.attachments where types.contains(where: { copy.type.utf8.elementsEqual($0.utf8) }) {
            return Header(parsing: copy.bytes[...])
        }
        return nil
    }
}
