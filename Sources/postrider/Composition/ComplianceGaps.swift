import Outreach
import Settings

/// What laws and mail providers ask of commercial mail and a conf does not give; nobody is stopped by it.
enum ComplianceGaps {
    /// Why messages have no List-Unsubscribe; nil: they have one.
    static func wayOut(_ settings: Settings) -> String? {
        if settings.tokens.keyFiles.isEmpty { return "there are no token addresses; set key_files in [tokens]" }
        return settings.tokenDomain == nil ? "token addresses have no domain; set domain in [tokens]" : nil
    }

    /// Each in one line, for a person.
    static func notes(_ settings: Settings) -> [String] {
        guard !settings.identities.isEmpty else { return [] }
        var notes: [String] = []
        if let gap = wayOut(settings) { notes.append("messages offer no way to unsubscribe: \(gap)") }
        let bare = settings.identities.filter { $0.signature == nil }.map { "'\($0.name)'" }
        if settings.compliance.postalAddress == nil, !bare.isEmpty {
            notes.append(
                "the messages of \(bare.sorted().joined(separator: ", ")) name no postal address, which the law asks of commercial mail in many "
                    + "countries (CAN-SPAM in the United States, the imprint in Germany); set postal_address in [compliance], or a signature")
        }
        return notes
    }
}
