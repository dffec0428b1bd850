/// What is known of who sent a message.
package struct AuthenticationVerdict: Sendable, Equatable {
    /// Who found it out.
    package enum Source: String, Sendable {
        /// Checked here.
        case ours
        /// The receiving server's Authentication-Results field, which conf says to trust.
        case reported
    }

    package let source: Source
    /// nil when the client that handed the message over is not known, or its server did not say.
    package let spf: SPFResult?
    /// Checked here; empty when reported.
    package let dkim: [DKIMResult]
    /// nil when it cannot be told: without the client, the lack of a DKIM signature proves nothing.
    package let dmarc: DMARCResult?
    /// The field, as ours or as it was reported.
    package let results: AuthenticationResults

    /// Whether the From domain is certainly not borne out, so that anybody may have written the message.
    package var isUnproven: Bool { dmarc?.outcome == .fail }

    /// One line for a person: `spf=pass ...; dkim=pass ...; dmarc=fail ...`. Holds foreign names, no control characters.
    package var summary: String { results.value }
}
