/// `[retention]`: how long text is kept whose facts stay.
package struct RetentionSettings: ConfSection, Equatable {
    package var messages = Duration.seconds(30 * 86_400)
    package var replies = Duration.seconds(400 * 86_400)
    package var events = Duration.seconds(400 * 86_400)

    init(name: String) {}

    private static let time = ConfType<Duration>.duration(.seconds(86_400)...(.seconds(3650 * 86_400)))

    static let fields: [Field<RetentionSettings>] = [
        Field(
            "messages", \.messages, time, "The text and the dialogues of messages that left, from when they were queued; packed meanwhile."),
        Field("replies", \.replies, time, "The messages that came in."),
        Field("events", \.events, time, "The timeline; what it was counted as stays."),
    ]
}
