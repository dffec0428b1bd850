import Testing

@testable import MailClassifier

@Suite("own words")
struct ReplyTextTests {
    static let builtin = try? PhraseBook.builtin()
    let book: PhraseBook

    init() throws { book = try #require(Self.builtin) }

    static let texts: [(name: String, text: String, own: String, signature: String?)] = [
        (
            "a greeting and a list of times are no attribution", "Hi Anna,\nI could do 9:30 on one of these days:\n\n- Tuesday\n- Thursday",
            "Hi Anna,\nI could do 9:30 on one of these days:\n\n- Tuesday\n- Thursday", nil
        ),
        (
            "an answer between quoted lines",
            "> Would you like to see a short demonstration on Tuesday next week, or not?\nNo. Please take me off your list.\n>\n> Best regards",
            "No. Please take me off your list.", nil
        ),
        ("quote marks", "Yes.\n\nOn Tue, 3 Mar 2026 at 10:00, Jo <jo@example.org> wrote:\n> Hello", "Yes.", nil),
        ("attribution over two lines", "Yes.\n\nOn Tue, 3 Mar 2026 at 10:00, Jo Sender\n<jo@example.org> wrote:\n\n> Hello", "Yes.", nil),
        (
            "attribution over three lines", "Ja.\n\nAm Di., 3. März 2026 um 10:00 Uhr schrieb Jo\nSender\n<jo@example.org>:\n\n> Hallo",
            "Ja.", nil
        ),
        ("own words right above the attribution", "Yes.\nOn Tue, 3 Mar 2026 at 10:00, Jo <jo@example.org> wrote:\n> Hello", "Yes.", nil),
        ("attribution in a language without phrases", "Да.\n\nвт, 3 мар. 2026 г. в 10:00, Jo <jo@example.org>:\n\n> Привет", "Да.", nil),
        ("quote without marks", "Yes.\n\nOn 3 Mar 2026, at 10:00, Jo <jo@example.org> wrote:\n\nHello Ann,\nsecond line", "Yes.", nil),
        (
            "Outlook",
            "Yes.\n\n________________________________\nFrom: Jo <jo@example.org>\nSent: 3 March 2026 10:00\nTo: Ann\nSubject: Hello\n\nHello",
            "Yes.", nil
        ),
        (
            "Outlook, German", "Ja.\n\nVon: Jo Sender\nGesendet: Dienstag, 3. März 2026 10:00\nAn: Ann\nBetreff: Hallo\n\nHallo Ann", "Ja.",
            nil
        ),
        ("separator", "Yes.\n\n-----Original Message-----\nFrom: Jo\n\nHello", "Yes.", nil),
        ("separator, other language", "Tak.\n\n---------- Wiadomość oryginalna ----------\nOd: Jo <jo@example.org>\n\nHej", "Tak.", nil),
        ("answers between the quotes", "> One?\nYes.\n> Two?\nNo.", "Yes.\nNo.", nil),
        ("answer below", "On Tue, 3 Mar 2026 at 10:00, Jo <jo@example.org> wrote:\n> Hello\n> there\n\nYes.", "Yes.", nil),
        ("signature mark", "Yes.\n-- \nAnn\nExample Ltd", "Yes.", "--\nAnn\nExample Ltd"),
        (
            "sign-off", "Yes, do.\n\nBest regards,\nAnn Example\nHead of Things | +44 20 0000", "Yes, do.",
            "Best regards,\nAnn Example\nHead of Things | +44 20 0000"
        ),
        ("sign-off, German", "Ja.\n\nMit freundlichen Grüßen\nAnn Example", "Ja.", "Mit freundlichen Grüßen\nAnn Example"),
        ("phone", "Yes\n\nSent from my iPhone", "Yes", "Sent from my iPhone"),
        ("first name", "I will look at it.\n\nAnn", "I will look at it.", "Ann"),
        (
            "own list with labels is no header block", "Here you are:\nPhone: 123\nWeb: example.com\nFax: none",
            "Here you are:\nPhone: 123\nWeb: example.com\nFax: none", nil
        ),
        ("own line with a colon", "My answers:\n1. yes\n2. no", "My answers:\n1. yes\n2. no", nil),
        ("drawn title", "Prices\n--- Basic ---\nten", "Prices\n--- Basic ---\nten", nil),
        ("our name opens a quote without marks", "Yes.\n\nJo Sender schrieb:\n\nHello Ann,\nsecond line", "Yes.", nil),
        ("our name in front of a list", "Yes.\n\nJo Sender gets:\n- one", "Yes.\n\nJo Sender gets:\n- one", nil),
        ("our name is spoken to", "Yes.\n\nJo Sender, mind this:\nno", "Yes.\n\nJo Sender, mind this:\nno", nil),
        ("our name in a sentence", "Yes.\n\nPlease tell Jo Sender this:\nno", "Yes.\n\nPlease tell Jo Sender this:\nno", nil),
        ("our name opens the mail", "Jo Sender wrote this:\nno", "Jo Sender wrote this:\nno", nil),
        ("only a quote", "> Hello\n> there", "", nil),
        ("empty", "", "", nil),
        (
            "our name with day and hour below own words, in Chinese", "好的，周二见。\n\n在 2026-03-04 09:45，Jo Sender 写道：\n\nHello Ann", "好的，周二见。",
            nil
        ),
        (
            "our name with day and hour and a verb, in Malay", "Fine.\n\nPada 2026-03-04 09:45, Jo Sender menulis\n\nHello Ann", "Fine.",
            nil
        ),
        (
            "our name with day and hour in a sentence", "Fine.\n\nThe bus is there on 2026-03-04 at 09:45, Jo Sender told me.\n\nRight?",
            "Fine.\n\nThe bus is there on 2026-03-04 at 09:45, Jo Sender told me.\n\nRight?", nil
        ),
    ]

    @Test("own words and signature", arguments: texts)
    func ownWords(_ example: (name: String, text: String, own: String, signature: String?)) {
        let reply = ReplyText(example.text, senderName: "Ann Example", ours: ["Jo Sender", "Jo"], book: book)
        #expect(reply.own == example.own, "\(example.name)")
        #expect(reply.signature == example.signature, "\(example.name)")
    }

    @Test("any cut of a text gives an answer, and own words are never longer than the text")
    func everyCut() {
        for example in Self.texts {
            let bytes = Array(example.text.utf8)
            for end in 0...bytes.count {
                let reply = ReplyText(String(decoding: bytes[..<end], as: UTF8.self), senderName: nil, book: book)
                #expect(reply.own.unicodeScalars.count <= end)
            }
        }
    }

    /// What stands below the head of each is our letter, unmarked, with the footer that must never speak for the writer.
    static let heads: [(name: String, head: String)] = [
        ("GroupWise", ">>> Jo Sender <jo@example.org> 3/3/2026 9:00 AM >>>"),
        ("GroupWise, a name only", ">>> Jo Sender 3/3/2026 9:00 AM >>>"),
        ("GroupWise, German", ">>> Jo Sender <jo@example.org> Dienstag, 3. März 2026 09:00 >>>"),
        ("Notes", "Jo Sender <jo@example.org>\n03.03.2026 09:00\n\nTo\nann@example.com\ncc\n\nSubject\nHello"),
        ("Notes, German", "Jo Sender/Example\n03.03.2026 09:00\n\nAn\nann@example.com\nKopie\n\nThema\nHello"),
        (
            "Notes, old",
            "\"Jo Sender\"\n<jo@example.org>\n                       To\n03.03.2026 09:00      ann@example.com\n              cc\n\n   Subject\n     Hello"
        ),
        ("Notes, between dashes", "Jo Sender ---03.03.2026 09:00:15---Hello Ann, would it suit you to talk"),
        (
            "Centrum",
            "______________________________\n> Od: Jo <jo@example.org>\n> Komu: ann@example.com\n> Datum: 03.03.2026 09:00\n> Předmět: Hello\n>"
        ),
        ("a header block in one line", "From: Jo <jo@example.org> Sent: Tuesday, March 3, 2026 9:00 AM To: Ann Subject: Hello"),
        ("labels and values on lines of their own", "From:\nJo <jo@example.org>\nSent:\n3 March 2026 09:00\nTo:\nAnn\nSubject:\nHello"),
        ("nothing but a drawn line", "--------"), ("nothing at all", ""),
    ]

    @Test("an unmarked letter of ours is quoted by whatever head it has", arguments: heads)
    func underHead(_ example: (name: String, head: String)) {
        let letter = "Hello Ann,\nwould it suit you to talk?\n\nJo Sender\n\nUnsubscribe\nTo be left alone, reply with \"unsubscribe\"."
        let reply = ReplyText(
            "Yes, when can we talk?\n\n\(example.head)\n\n\(letter)", senderName: "Ann Example", ours: ["Jo Sender"], book: book)
        #expect(reply.own == "Yes, when can we talk?", "\(example.name)")
        #expect(reply.hasQuote, "\(example.name)")
    }

    static let noHeads: [(name: String, text: String)] = [
        ("a card", "Ask him.\n\nBo Example <bo@example.com>\nMonday 9:00\nExample Ltd\nSales\nRoom 4"),
        ("a marked quote under arrows", ">>> Jo <jo@example.org> 3/3/2026 9:00 AM >>>\n> One?\nYes.\n> Two?\nNo."),
        (
            "an answer right below a marked header",
            "> From: Jo <jo@example.org>\n> Sent: 3 March 2026 09:00\n> Subject: Hello\nYes.\n> Two?\nNo."
        ),
        ("a greeting to somebody else", "Forward this:\n\nHello Bo,\nplease call.\n\nJo Sender\nasked me to, is it right?"),
        ("labels in a sentence", "Note: the room: A: at 9:00 on 3 March 2026, ask bo@example.com."),
        ("a list between dashes", "Mon --- 9:00 to 10:00 --- free"),
        ("shouting", "OK>maybe"),
    ]

    @Test("what only resembles a head hides nothing", arguments: noHeads)
    func underNone(_ example: (name: String, text: String)) {
        let reply = ReplyText(example.text, senderName: "Ann Example", ours: ["Jo Sender"], book: book)
        let own = example.text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.utf8.starts(with: ">".utf8) }
            .joined(separator: "\n")
        #expect(reply.own == own, "\(example.name)")
    }

    @Test(
        "the line that names the device is a signature, in any language",
        arguments: ["发自我的iPhone", "Odoslané z iPhonu", "Saadetud minu Galaxy telefonist"])
    func device(_ line: String) {
        let reply = ReplyText("Yes.\n\n\(line)", senderName: nil, book: book)
        #expect(reply.own == "Yes.")
        #expect(reply.signature == line)
    }

    @Test("initials mark a quote")
    func initials() {
        #expect(ReplyText("Yes.\n\nJS> Hello\nJS> unsubscribe", senderName: nil, book: book).own == "Yes.")
    }

    /// What we wrote, and answers that hold it in ways no structure tells.
    static let sentText =
        "Hello Ann,\n\nwould a short demonstration of the new planner next week suit you and your team?\n\nKind regards\nJo\n\nUnsubscribe\n"
        + "If you would rather not hear from us, write: please take me off the list.\n"

    static let answers: [(name: String, text: String, own: String)] = [
        (
            "below a line of no known form",
            "Tell me more.\n\n[Jo 3/3]\nwould a short demonstration of the new planner next week suit you and your team?\n\nKind regards\nJo\n\nUnsubscribe\n",
            "Tell me more.\n\n[Jo 3/3]"
        ),
        (
            "broken elsewhere",
            "Tell me more.\n\nwould a short demonstration of the new planner next\nweek suit you and your team?\n\nKind regards\nJo\n\nUnsubscribe",
            "Tell me more."
        ),
        ("in words that we offered", "Please take me off the list.", "Please take me off the list."),
        ("in a word that we offered, without ours", "Unsubscribe", "Unsubscribe"),
        (
            "in a word that we offered, below ours",
            "would a short demonstration of the new planner next week suit you and your team?\n\nUnsubscribe me", "Unsubscribe me"
        ),
    ]

    @Test("what is known to be our own text is never the writer's, and what they say in our words is", arguments: answers)
    func knownText(_ example: (name: String, text: String, own: String)) {
        let reply = ReplyText(example.text, senderName: "Bea Other", sent: [Self.sentText], book: book)
        #expect(reply.own == example.own, "\(example.name)")
        #expect(ReplyText(example.text, senderName: "Bea Other", sent: [""], book: book).own.utf8.count >= example.own.utf8.count)
    }
}
