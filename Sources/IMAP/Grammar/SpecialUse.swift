/// A use that a server can mark a mailbox with (RFC 6154 §2).
package enum SpecialUse: Hashable, Sendable, CaseIterable {
    case all, archive, drafts, flagged, junk, sent, trash

    /// The attribute in LIST responses, upper case.
    var attribute: [UInt8] {
        switch self {
        case .all: ASCII.bytes("\\ALL")
        case .archive: ASCII.bytes("\\ARCHIVE")
        case .drafts: ASCII.bytes("\\DRAFTS")
        case .flagged: ASCII.bytes("\\FLAGGED")
        case .junk: ASCII.bytes("\\JUNK")
        case .sent: ASCII.bytes("\\SENT")
        case .trash: ASCII.bytes("\\TRASH")
        }
    }
}
