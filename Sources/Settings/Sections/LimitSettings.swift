/// `[safety]`: what keeps mail in whatever else would let it out.
package struct SafetySettings: ConfSection, Equatable {
    package var dryRun = false
    /// Regular expressions that cover whole addresses; empty: everybody.
    package var allowRecipients: [String] = []
    package var instanceDailyLimit = 500
    package var batchLimit = 100

    init(name: String) {}

    static let fields: [Field<SafetySettings>] = [
        Field("dry_run", \.dryRun, .flag, "Compose and queue everything, and deliver nothing."),
        Field(
            "allow_recipients", \.allowRecipients, .list(.pattern, count: 0...100),
            "Regular expressions in lower case; mail leaves only to addresses that one of them covers from end to end. Empty: to everybody."
        ),
        Field(
            "instance_daily_limit", \.instanceDailyLimit, .integer(1...10_000_000),
            "Messages of all identities together on one day of the sender."),
        Field("batch_limit", \.batchLimit, .integer(1...10_000), "Steps that are decided in one round."),
    ]
}

/// `[limits]`: what may leave in which time; each level is kept in the database and survives a restart.
package struct LimitSettings: ConfSection, Equatable {
    package var instance: [SendingRate] = []
    package var workspace: [SendingRate] = []
    package var identity: [SendingRate] = []
    package var recipientDomain: [SendingRate] = []

    init(name: String) {}

    static let fields: [Field<LimitSettings>] = [
        Field("instance", \.instance, .rates, "All mail together."),
        Field("workspace", \.workspace, .rates, "The mail of each workspace."),
        Field("identity", \.identity, .rates, "The mail of each identity, at delivery."),
        Field("recipient_domain", \.recipientDomain, .rates, "The mail to each domain."),
    ]
}

/// `[frequency]`: how often one person or company is written to, over all sequences.
package struct FrequencySettings: ConfSection, Equatable {
    /// Empty: no cap.
    package var perContact = [SendingFrequency(count: 5, window: .seconds(86_400))]
    /// Empty: no cap.
    package var perCompany: [SendingFrequency] = []

    init(name: String) {}

    static let fields: [Field<FrequencySettings>] = [
        Field(
            "per_contact", \.perContact, .list(.frequency, count: 0...4),
            "Messages to one address within a time, over all sequences of the workspace. Empty: no cap."),
        Field(
            "per_company", \.perCompany, .list(.frequency, count: 0...4),
            "The same to all addresses of one domain; domains of free mail and shared_domains of [contacts] have no cap. Empty: no cap."),
    ]
}

/// `[shaping]`: how mail sites are treated.
package struct ShapingSettings: ConfSection, Equatable {
    /// Provider files of this installation, the first one counts most.
    package var files: [String] = []

    init(name: String) {}

    static let fields: [Field<ShapingSettings>] = [
        Field(
            "files", \.files, .list(.file, count: 0...10),
            "Provider files that stand before the one that the binary carries (conf/providers.toml).")
    ]
}

extension ConfType where Value == [SendingRate] {
    static var rates: ConfType { .list(.rate, count: 0...4) }
}
