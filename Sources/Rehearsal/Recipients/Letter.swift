package import InternetMessage

/// An answer as one of the mail programs in use makes it: headers, line shapes, quote and signature are each program's own.
package enum Letter: Sendable, Equatable {
    /// A large webmail: text and HTML, quoted-printable, "On ... wrote:".
    case webmailYes
    /// A desktop program of an office suite: the original under a block of its header fields, without quote marks.
    case desktopQuestion
    /// A free desktop program: 8-bit, format=flowed, German attribution, answer on top.
    case germanNo
    /// A groupware server's automatic reply: base64, null reverse-path, no quote.
    case absence(until: CivilDate)
    /// A phone: one word, a stock signature, the quote below.
    case phoneUnsubscribe
    /// An old groupware that drops References and In-Reply-To.
    case bareNotNow
    /// Sent from a private account, with References kept.
    case otherAddress

    /// What the person who watches reads.
    var description: String {
        switch self {
        case .webmailYes: "a reply from a webmail"
        case .desktopQuestion: "a reply from an office program"
        case .germanNo: "a reply in German from a desktop program"
        case .absence: "an automatic reply"
        case .phoneUnsubscribe: "a reply from a phone"
        case .bareNotNow: "a reply without References"
        case .otherAddress: "a reply from a private account"
        }
    }
}
