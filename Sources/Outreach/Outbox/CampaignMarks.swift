import InternetMessage

/// By what receivers tell one campaign of ours from another: the words of Feedback-ID and List-Id.
///
/// Both are the same for every message of a sequence by an identity, and hold only what such fields may hold.
package struct CampaignMarks: Sendable, Hashable {
    /// Sequence, identity, the kind of mail and the sending domain; complaint figures of feedback loops are counted by these words.
    package let feedbackID: String
    /// The sequence at the domain of the identity (RFC 2919); nil when that domain is an address literal.
    ///
    /// Due where List-Unsubscribe is: a message that offers a way off a list says off which.
    package let listID: String?

    /// The marks of a sequence by its name and of who sends it.
    package init(sequence: String, identity: SenderIdentity) {
        let domain = identity.from.address.asciiDomain.flatMap { identity.from.address.isAddressLiteral ? nil : $0 }
        let campaign = Self.word(sequence, atMost: 60) ?? "sequence"
        // The last word names the sender, with 5 to 15 characters.
        var sender = domain.flatMap { Self.word($0, atMost: 15) } ?? "sender"
        if sender.utf8.count < 5 { sender += "-mail" }
        feedbackID = "\(campaign):\(Self.word(identity.name, atMost: 60) ?? "identity"):sequence:\(sender)"
        listID = domain.map { "\(campaign).\($0)" }.flatMap { $0.utf8.count <= 255 ? $0 : nil }
    }

    /// Letters, digits and single hyphens: everything else becomes a hyphen, none at the ends. Nil when nothing is left.
    private static func word(_ text: String, atMost length: Int) -> String? {
        var word: [UInt8] = []
        for byte in text.utf8 where word.count < length {
            switch byte {
            case 0x30...0x39, 0x61...0x7A: word.append(byte)
            case 0x41...0x5A: word.append(byte | 0x20)
            default: if let last = word.last, last != UInt8(ascii: "-") { word.append(UInt8(ascii: "-")) }
            }
        }
        while word.last == UInt8(ascii: "-") { word.removeLast() }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }
}
