/// `[alerts]`: who is written to when something stands still.
package struct AlertSettings: ConfSection, Equatable {
    package var mailTo: [SenderAddress] = []
    package var identity: String?

    init(name: String) {}

    static let fields: [Field<AlertSettings>] = [
        Field(
            "mail_to", \.mailTo, .list(.sender, count: 0...10),
            "Who gets a mail when a route, an identity or a sequence is paused, a guardrail is passed, or a mailbox is not watched."),
        Field("identity", \.identity, .word("the NAME of an [identity.NAME]"), "Who it comes from; unset: the first identity."),
    ]
}
