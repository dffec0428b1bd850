/// What the laws that a conf names ask of it.
extension Relations {
    mutating func checkLaws() {
        guard isWhole(["compliance"]) else { return }
        checkOptOut(settings.compliance.optOut, at: ["compliance"])
        for identity in settings.identities where isWhole(["identity", identity.name]) {
            let path = ["identity", identity.name]
            checkOptOut(identity.optOut, at: path)
            let law = settings.law(of: identity)
            guard law.asksPostalAddress, settings.postalAddress(of: identity) == nil else { continue }
            find(
                identity.law == nil ? ["compliance"] : path, "law",
                "the law '\(law.rawValue)' wants a postal address in each message, and [identity.\(identity.name)] has none",
                "set postal_address there or in [compliance]")
        }
    }

    private mutating func checkOptOut(_ text: String?, at path: [String]) {
        guard let text, text.contains(ComplianceSettings.wayOutTag), isWhole(["unsubscribe"]) else { return }
        if settings.unsubscribe.map({ $0.listUnsubscribe == .mailto }) ?? true {
            find(
                path, "opt_out", "\(ComplianceSettings.wayOutTag) has no value without one-click links",
                "set list_unsubscribe = \"both\" and one_click_url in [unsubscribe], or write what to answer instead")
        }
    }
}
