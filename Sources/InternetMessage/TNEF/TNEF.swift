/// What Outlook wraps into `winmail.dat` (the Transport Neutral Encapsulation Format, MS-OXTNEF).
package struct TNEF: Hashable, Sendable {
    /// A file inside.
    package struct File: Hashable, Sendable {
        /// The long name where there is one, else the short one; nil when there is neither.
        package var name: String?
        /// The media type in lower case, nil when none is given.
        package var type: String?
        /// The Content-ID without angle brackets, nil when there is none.
        package var contentID: String?
        /// The content. For an embedded message this is another TNEF stream.
        package var bytes: [UInt8] = []
    }

    /// For example `IPM.Note` or `IPM.Schedule.Meeting.Resp.Pos`; nil when it is missing.
    package internal(set) var messageClass: String?
    /// Nil when it is missing.
    package internal(set) var subject: String?
    /// The plain text with LF line ends, nil when there is none.
    package internal(set) var body: String?
    /// The HTML, nil when there is none.
    package internal(set) var html: String?
    /// The rich text, decompressed; nil when there is none.
    package internal(set) var rtf: [UInt8]?
    /// The files in their order.
    package internal(set) var files: [File] = []
    /// Whether every attribute could be read to its end.
    package internal(set) var isComplete = true

    /// Reads a stream; nil when it does not begin as one. Never reads past `Limits.parts` files nor decompresses beyond
    /// `Limits.decodedBytes`; what is cut off leaves `isComplete` false.
    package init?(parsing bytes: ArraySlice<UInt8>, limits: Limits = .default) {
        guard var reader = TNEFReader(bytes, limits: limits) else { return nil }
        reader.read(into: &self)
    }

    /// The answer to an invitation that the message class tells, nil when this is none.
    var participation: CalendarReply.Participation? {
        guard let messageClass else { return nil }
        // Older programs write the same behind other prefixes: "IPM.Microsoft Schedule.MtgRespP".
        let name = Array(messageClass.utf8)[...]
        if name.hasSuffix(ignoringCase: "Meeting.Resp.Pos") || name.hasSuffix(ignoringCase: "MtgRespP") { return .accepted }
        if name.hasSuffix(ignoringCase: "Meeting.Resp.Neg") || name.hasSuffix(ignoringCase: "MtgRespN") { return .declined }
        if name.hasSuffix(ignoringCase: "Meeting.Resp.Tent") || name.hasSuffix(ignoringCase: "MtgRespA") { return .tentative }
        return nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate func hasSuffix(ignoringCase text: String) -> Bool { suffix(text.utf8.count).matches(text) }
}
