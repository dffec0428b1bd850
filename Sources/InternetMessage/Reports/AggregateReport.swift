/// A DMARC aggregate report (RFC 9990, RFC 7489 appendix C): who sent with a domain in From during a period, and how it fared.
///
/// Words of the report (results, policies) are in lower case and otherwise as written; what is absent is nil.
package struct AggregateReport: Sendable, Hashable {
    /// The policy that the reporter found in the DNS.
    package struct Policy: Sendable, Hashable {
        /// The domain whose record was used.
        package var domain: String?
        /// `none`, `quarantine` or `reject`.
        package var policy: String?
        /// The same for subdomains.
        package var subdomainPolicy: String?
        /// The same for subdomains that do not exist (RFC 9989).
        package var nonexistentSubdomainPolicy: String?
        /// `r` relaxed or `s` strict.
        package var dkimAlignment: String?
        /// `r` relaxed or `s` strict.
        package var spfAlignment: String?
        /// 0...100, only in reports by RFC 7489.
        package var percentage: Int?
        /// The `fo` tag.
        package var failureOptions: String?
        /// The `t` tag (RFC 9989): whether the owner asked for no enforcement.
        package var isTesting: Bool?
        /// `psl` or `treewalk`.
        package var discoveryMethod: String?

        package init() {}
    }

    /// Messages of one source that fared the same.
    package struct Record: Sendable, Hashable {
        /// Why a policy was not applied.
        package struct Reason: Sendable, Hashable {
            /// `forwarded`, `mailing_list`, `local_policy` and others.
            package var type: String
            package var comment: String?
        }

        /// What DKIM or SPF gave for a domain.
        package struct Result: Sendable, Hashable {
            package var domain: String?
            /// `pass`, `fail`, `none` and others.
            package var result: String?
            /// The selector of a DKIM signature; nil for SPF.
            package var selector: String?
            /// `mfrom` or `helo` for SPF; nil for DKIM.
            package var scope: String?
            /// The reporter's words for people.
            package var note: String?
        }

        /// The address that connected.
        package var sourceIP: String?
        /// Messages; 0 when unreadable.
        package var count = 0
        /// What was done: `none`, `quarantine`, `reject`, `pass`.
        package var disposition: String?
        /// Whether DKIM passed and was aligned; nil when not said.
        package var dkimAligned: Bool?
        /// Whether SPF passed and was aligned; nil when not said.
        package var spfAligned: Bool?
        package var reasons: [Reason] = []
        package var headerFrom: String?
        package var envelopeFrom: String?
        package var envelopeTo: String?
        package var dkim: [Result] = []
        package var spf: [Result] = []

        package init() {}

        /// Whether these messages passed DMARC.
        package var passed: Bool { dkimAligned == true || spfAligned == true }
    }

    /// Who reports.
    package var organization: String?
    /// Where the reporter can be asked.
    package var contact: String?
    /// More about the reporter, usually a link.
    package var extraContact: String?
    /// Unique for the reporter.
    package var reportID: String?
    /// Begin of the period.
    package var begin: Timestamp?
    /// End of the period.
    package var end: Timestamp?
    /// What went wrong on the reporter's side.
    package var errors: [String] = []
    package var policy = Policy()
    package var records: [Record] = []
    /// Whether records or lists beyond the limits were dropped.
    package var isCut = false

    package init() {}

    /// Messages in all records; saturates.
    package var messageCount: Int {
        records.reduce(0) { sum, record in
            let (total, overflow) = sum.addingReportingOverflow(record.count)
            return overflow ? .max : total
        }
    }
}
