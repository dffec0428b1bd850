import Outreach
import Settings

/// What laws and mail providers ask of commercial mail and a conf does not give.
enum ComplianceGaps {
    /// Why messages have no List-Unsubscribe; nil: they have one.
    static func wayOut(_ settings: Settings) -> String? {
        if settings.tokens.keyFiles.isEmpty { return "there are no token addresses; set key_files in [tokens]" }
        return settings.tokenDomain == nil ? "token addresses have no domain; set domain in [tokens]" : nil
    }

    /// Why `{{unsubscribe_url}}` has no value; nil: it has one.
    static func link(_ settings: Settings) -> String? {
        if let gap = wayOut(settings) { return gap }
        let section = settings.unsubscribe
        return section?.oneClickURL == nil || section?.listUnsubscribe == .mailto
            ? "set list_unsubscribe = \"both\" and one_click_url in [unsubscribe]" : nil
    }

    /// The laws that want the texts of a sequence to show how to get no more, each with the identities that keep it.
    static func lawsOnTexts(_ identities: some Sequence<SenderIdentity>) -> [(law: String, identities: [String])] {
        var names: [String: [String]] = [:]
        for identity in identities { if let law = identity.lawOnTexts { names[law, default: []].append(identity.name) } }
        return names.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
    }

    /// What to do about a text that does not show it.
    static func remedy(_ settings: Settings) -> String {
        (link(settings) == nil ? "write {{unsubscribe_url}} into it, or " : "") + "set opt_out of the identity or in [compliance]"
    }

    /// What nobody is stopped by, each in one line, for a person.
    static func notes(_ settings: Settings) -> [String] {
        guard !settings.identities.isEmpty else { return [] }
        var notes: [String] = []
        if let gap = wayOut(settings) { notes.append("messages offer no way to unsubscribe: \(gap)") }
        let bare = settings.identities.filter { $0.signature == nil && settings.postalAddress(of: $0) == nil }.map { "'\($0.name)'" }
        if !bare.isEmpty {
            notes.append(
                "the messages of \(bare.sorted().joined(separator: ", ")) name no postal address, which the law asks of commercial mail in many "
                    + "countries (CAN-SPAM in the United States, the imprint in Germany); set postal_address in [compliance], or a signature"
            )
        }
        return notes
    }
}
