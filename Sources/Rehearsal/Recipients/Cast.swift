import Embedded
package import InternetMessage
import Outreach

/// The twelve recipients of the demo, each with a different story.
package enum Cast {
    /// A Monday, before the sending window opens.
    package static let start = Timestamp(seconds: 1_772_439_900)
    /// The last day of the absence in the script.
    static let returnDate = CivilDate(daysSinceEpoch: CivilDate(start).daysSinceEpoch + 14)

    package static let contactsFile = "demo/contacts.csv"
    package static let sequenceFile = "demo/sequence.toml"

    package static var all: [ScriptedRecipient] {
        let minutes = { (count: Int) in Duration.seconds(count * 60) }
        let hours = { (count: Int) in Duration.seconds(count * 3600) }
        return [
            make(
                "mara.lindqvist@norrsken.example", "answers yes", [(0, hours(2), .letter(.webmailYes))],
                .init(state: .stopped, cause: .replied, stepsSent: 1, replyClass: .positive, isSuppressed: false)),
            make(
                "ben.okafor@okafor-partners.example", "asks a question after the second message",
                [(1, minutes(95), .letter(.desktopQuestion))],
                .init(state: .stopped, cause: .replied, stepsSent: 2, replyClass: .question, isSuppressed: false)),
            make(
                "jutta.brandt@brandt-logistik.example", "declines, in German", [(1, hours(5), .letter(.germanNo))],
                .init(state: .stopped, cause: .replied, stepsSent: 2, replyClass: .negative, isSuppressed: false)),
            make(
                "tomas.novak@vltava-press.example", "is out of office for two weeks, then silent",
                [(0, .seconds(20), .letter(.absence(until: returnDate)))],
                .init(
                    state: .finished, cause: .completed, stepsSent: 3, replyClass: .outOfOffice, isSuppressed: false, quietUntil: returnDate
                )),
            make(
                "grace.hill@hillside-clinic.example", "writes back \"unsubscribe\"", [(0, minutes(40), .letter(.phoneUnsubscribe))],
                .init(state: .stopped, cause: .unsubscribed, stepsSent: 1, replyClass: .unsubscribe, isSuppressed: true)),
            make(
                "ines.moreau@atelier-moreau.example", "presses one-click unsubscribe on the second message", [(1, hours(1), .oneClick)],
                .init(state: .stopped, cause: .unsubscribed, stepsSent: 2, replyClass: nil, isSuppressed: true)),
            make(
                "paul.left@quarryworks.example", "does not exist: 550 5.1.1 at RCPT", [],
                .init(state: .stopped, cause: .bounced, stepsSent: 0, replyClass: nil, isSuppressed: true), door: .unknown),
            make(
                "wei.zhang@jade-textiles.example", "is greylisted: 451 4.7.1, then accepted; silent to the end", [],
                .init(state: .finished, cause: .completed, stepsSent: 3, replyClass: nil, isSuppressed: false, attempts: 2),
                door: .greylisted(minutes(4))),
            make(
                "sofia.rossi@rossi-vini.example", "is accepted first, then bounced by a report", [(0, minutes(6), .report)],
                .init(state: .stopped, cause: .bounced, stepsSent: 1, replyClass: .bounce, isSuppressed: true)),
            make(
                "hank.moss@mossandson.example", "answers without References, to the plus-address", [(1, hours(3), .letter(.bareNotNow))],
                .init(state: .stopped, cause: .replied, stepsSent: 2, replyClass: .notNow, isSuppressed: false)),
            make(
                "lena.fischer@fischer-druck.example", "answers from another address, with References",
                [(0, hours(27), .letter(.otherAddress))],
                .init(state: .stopped, cause: .replied, stepsSent: 1, replyClass: .positive, isSuppressed: false)),
            make(
                "omar.haddad@cedar-foods.example", "is silent to the end", [],
                .init(state: .finished, cause: .completed, stepsSent: 3, replyClass: nil, isSuppressed: false)),
        ].compactMap { $0 }
    }

    /// A file that the binary carries.
    package static func file(_ name: String) throws(RehearsalError) -> [UInt8] {
        guard let file = EmbeddedFile.named(name) else { throw RehearsalError("the program does not carry \(name)") }
        return file.bytes
    }

    private static func make(
        _ address: String, _ story: String, _ reactions: [(Int, Duration, ScriptedRecipient.Deed)], _ ending: ScriptedRecipient.Ending,
        door: ScriptedRecipient.Door = .open
    ) -> ScriptedRecipient? {
        EmailAddress(address).map { address in
            ScriptedRecipient(
                address: address, story: story, door: door, reactions: reactions.map { .init(message: $0.0, after: $0.1, deed: $0.2) },
                ending: ending)
        }
    }
}
