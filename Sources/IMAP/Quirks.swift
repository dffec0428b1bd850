/// Which departures from the standard are tolerated, each by name; all of them by default.
///
/// Each has a test in `QuirksTests` that shows what happens with it and without it.
package struct Quirks: Equatable, Sendable {
    /// A line may end in LF without CR (small home-grown servers; proxies that rewrite line ends).
    package var bareLineFeed = true

    /// A status response may lack its text, and a continuation may be `+` alone (Exchange 2003, older Cyrus proxies).
    package var missingText = true

    /// Extra spaces between the parts of a response, at its end and inside its lists (Exchange, Courier, qq.com).
    package var extraSpaces = true

    /// A number that is negative, zero or above 2^32-1 where a UID belongs voids that number alone, not the response.
    package var invalidNumbers = true

    /// A mailbox selected without a usable UIDVALIDITY keeps the one remembered, or goes by 1 (RFC 3501 §6.3.1 lets
    /// a server without lasting UIDs leave it out; a mailbox that cannot be read at all would be worse).
    package var missingUIDValidity = true

    /// A UIDNEXT at or below a UID that was read, under the same UIDVALIDITY, with nothing at or above it: a mailbox restored from a backup or
    /// made anew on a server that does not count its UIDVALIDITY up. It is read anew, as after a change of UIDVALIDITY (RFC 9051 §2.3.1.1
    /// forbids it; to wait until UIDs pass the old watermark would lose all mail until then).
    package var uidNextGoesBack = true

    /// `SEARCH` that finds nothing may give no untagged response at all (hMailServer, some IMAP proxies).
    package var missingSearchResponse = true

    /// `[THROTTLED]` and `[OVERQUOTA]` may stand at the end of a status text instead of its beginning (Gmail).
    package var codeAtEnd = true

    package init() {}

    /// The standard to the letter.
    package static let none: Quirks = {
        var quirks = Quirks()
        quirks.bareLineFeed = false
        quirks.missingText = false
        quirks.extraSpaces = false
        quirks.invalidNumbers = false
        quirks.missingUIDValidity = false
        quirks.uidNextGoesBack = false
        quirks.missingSearchResponse = false
        quirks.codeAtEnd = false
        return quirks
    }()
}
