/// How much of a machine-readable report is read; beyond a limit the report is refused or cut, the message itself still parses.
package struct ReportLimits: Hashable, Sendable {
    /// Fields of all groups of a delivery report, a feedback report or a disposition report.
    package var fields = 2000
    /// Octets of an attachment that may be inflated or read as XML or JSON.
    package var attachmentBytes = 16 << 20
    /// Octets that an attachment may inflate to.
    package var inflatedBytes = 32 << 20
    /// How many times larger than the attachment the inflated report may be; real ones reach 60. Up to `inflatedFreely` octets count as
    /// no bomb whatever their ratio.
    package var inflationRatio = 200
    /// Octets that any attachment may inflate to, whatever the ratio.
    package var inflatedFreely = 1 << 20
    /// Entries of a zip archive that are looked at.
    package var archiveEntries = 16
    /// Nested elements of XML, nested values of JSON.
    package var depth = 32
    /// Elements of XML; they are not kept.
    package var elements = 2_000_000
    /// Values of JSON; they are kept until the report is read.
    package var values = 300_000
    /// Octets of the text of one XML element; the rest is dropped.
    package var textBytes = 4096
    /// Records of a DMARC report, policies and failure details of a TLS report; the rest is dropped and the report marked as cut.
    package var records = 50_000
    /// Entries of the smaller lists in a record: results, reasons, hosts.
    package var listEntries = 100

    /// The limits with their defaults.
    package init() {}

    /// The limits used where none are given.
    package static let `default` = ReportLimits()
}
