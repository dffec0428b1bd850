import InternetMessage
import Testing

@testable import MailClassifier

@Suite("automatic replies")
struct AutoReplyTests {
    let classifier: Classifier

    init() throws { classifier = try #require(Mail.classifier) }

    /// Written on Wednesday 4 March 2026.
    static let absences: [(String, String?)] = [
        ("I am out of the office and will be back on Monday 17 August.", "2026-08-17"),
        ("I am on annual leave until 20 March 2026. For urgent matters write to bo@example.com.", "2026-03-20"),
        ("I am away from 5 to 12 March and have limited access to email.", "2026-03-12"),
        ("I'm on vacation, returning March 23rd.", "2026-03-23"),
        ("I am currently out of the office. I will return on 2026-03-16.", "2026-03-16"),
        ("I am out of the office today and will be back tomorrow.", "2026-03-05"),
        ("I am on holiday and back on Monday.", "2026-03-09"),
        ("Ich bin bis 15.03.2026 nicht im Büro.", "2026-03-15"),
        ("Ich bin im Urlaub und ab dem 16. März wieder erreichbar.", "2026-03-16"),
        ("Vielen Dank für Ihre Nachricht. Ich bin am 16.3. wieder im Büro.", "2026-03-16"),
        ("Je suis absente du bureau jusqu'au 13 mars 2026 inclus.", "2026-03-13"),
        ("Je suis en congés, de retour le lundi 16 mars.", "2026-03-16"),
        ("Estoy de vacaciones hasta el 20 de marzo.", "2026-03-20"),
        ("Estaré fuera de la oficina. Vuelvo el 23/03/2026.", "2026-03-23"),
        ("Sono in ferie e rientro il 16 marzo.", "2026-03-16"),
        ("Ik ben met vakantie tot en met 13 maart.", "2026-03-13"),
        ("Estou de férias até 20 de março de 2026.", "2026-03-20"),
        ("Jag är på semester och tillbaka den 16 mars.", "2026-03-16"),
        ("Jeg holder ferie og er tilbage den 16. marts.", "2026-03-16"),
        ("Jestem na urlopie do 15 marca 2026.", "2026-03-15"),
        ("3月16日まで休暇をいただいております。", "2026-03-16"), ("휴가 중입니다. 3월 16일에 복귀합니다.", "2026-03-16"),
        ("Jeg holder ferie og er tilbage d. 16/3.", "2026-03-16"), ("Saya sedang cuti dan kembali pada 16 Maret 2026.", "2026-03-16"),
        ("I am out of the office this week, back Mon 16th.", "2026-03-16"),
        ("Am out 9-15 March. Back Mon 16th.", "2026-03-16"), ("Out of office 6 - 13 April, back on the 14th.", "2026-04-14"),
        ("I'm on holiday from 6 April to 10 April. I will return on Monday 13.", "2026-04-13"),
        ("Off until Friday 13 March, back at my desk Monday.", "2026-03-16"),
        ("Travelling 9 to 15 March and back in the office on 16th.", "2026-03-16"),
        ("Out of office until 13 March. Back Monday 9 am.", "2026-03-16"),
        ("Ich bin vom 6. bis 10. April im Urlaub. Ab dem 13. wieder da.", "2026-04-13"),
        ("Bin vom 6.-10.4. nicht da. Wieder im Büro am Mo 13.", "2026-04-13"),
        ("Je suis absent du 6 au 10 avril. De retour lundi 13.", "2026-04-13"),
        ("Absent du 6 au 10 avril inclus, je serai de retour le 13.", "2026-04-13"),
        ("Absent jusqu'à lundi 16 mars, je traiterai votre message à mon retour ce jour-là.", "2026-03-16"),
        ("We built our own two years back, so I am out of the office and out of ideas.", nil),
        ("Estoy fuera del 6 al 10 de abril. Vuelvo el lunes 13.", "2026-04-13"),
        ("Sono in ferie dal 6 al 10 aprile. Rientro lunedì 13.", "2026-04-13"),
        ("Estou fora de 6 a 10 de abril. Volto na segunda 13.", "2026-04-13"),
        ("Ik ben afwezig van 6 tot 10 april. Maandag 13 ben ik er weer.", "2026-04-13"),
        ("Jestem na urlopie 6-10 kwietnia. Wracam w poniedziałek 13.", "2026-04-13"),
        ("Jag är ledig 6-10 april. Tillbaka måndag den 13.", "2026-04-13"),
        ("I am on vacation until the 2nd.", "2026-04-02"), ("I am out of the office and back on the 16th.", "2026-03-16"),
        ("I am out of the office for the 2nd week in a row, and back when it is over.", nil),
        ("I am out of the office with no access to email.", nil),
        ("I am on maternity leave. The conference takes place on 12 May.", nil),
        ("I am out of the office. Thank you for your message of 3 March 2026.", nil),
        ("I am out of the office. Call 020 7946 0112 between 9 and 17.", nil),
    ]

    @Test("an absence note is one with and without headers, and its day of return is read and never invented", arguments: absences)
    func absence(_ text: String, _ day: String?) {
        for headers in [["Auto-Submitted: auto-replied"], []] {
            let result = classifier.classify(Mail.message(text, subject: "Automatic reply: A quick question", headers: headers))
            #expect(result.messageClass == .outOfOffice, "\(result.evidence)")
            #expect(result.automatic)
            #expect(result.returnDate?.iso8601 == day)
        }
        let bare = classifier.classify(Mail.message(text, subject: "Re: A quick question"))
        #expect(bare.messageClass == .outOfOffice, "\(bare.evidence)")
    }

    /// Written on Tuesday 3 November 2026 in Central Europe.
    static let bareDays: [(String, String?)] = [
        ("I am out. Back on Monday 16", "2026-11-16"), ("I am out. Back on Monday the 16th.", "2026-11-16"),
        ("I am out. Back on Monday 17", nil), ("I am out, back Monday 9 am.", "2026-11-09"), ("I am out, back Monday 10 am.", "2026-11-09"),
        ("I am out. Back Monday, 3 people cover for me.", "2026-11-09"), ("I am out, back Monday 9:30.", "2026-11-09"),
        ("I am out of the office. Back in the office on Thursday 19.", "2026-11-19"), ("I am out until Friday 13.", "2026-11-13"),
        ("Je suis absent. De retour le lundi 16.", "2026-11-16"), ("Je suis absent du lundi 9 au vendredi 13.", "2026-11-13"),
        ("Ich bin nicht im Büro. Ab Montag, dem 16., bin ich wieder da.", "2026-11-16"),
        ("Estoy fuera de la oficina hasta el viernes 13.", "2026-11-13"), ("Sono fuori ufficio fino a venerdì 20.", "2026-11-20"),
        ("Ik ben weer aanwezig op maandag 16.", "2026-11-16"), ("Jestem nieobecny do piątku 13.", "2026-11-13"),
        ("Jeg holder ferie. Tilbage mandag d. 16.", "2026-11-16"), ("Estarei de volta na segunda-feira, dia 16.", "2026-11-16"),
        ("Я в отпуске. Вернусь в понедельник, 16-го.", "2026-11-16"), ("Jag har semester och är åter måndag v. 47.", "2026-11-16"),
        ("I am out of the office until Monday week.", "2026-11-16"), ("I am out. Back tmrw.", "2026-11-04"),
        ("Je suis absente jusqu'au 12 inclus.", "2026-11-12"), ("Ich bin bis 12. abwesend.", "2026-11-12"),
        ("Ich bin bis 12 Uhr nicht im Büro.", nil), ("Estoy de vacaciones hasta el 12.", "2026-11-12"),
        ("Ik ben afwezig t/m vrijdag 13.", "2026-11-13"), ("I am out of the office until 12.", nil),
        ("I am out of the office until the 2 projects are done.", nil),
    ]

    /// The same day.
    static let otherDays: [(String, String?)] = [
        ("11月9日(月)まで休暇をいただいております。\n11月10日以降にご返信いたします。", "2026-11-10"),
        ("11月9日(月)まで休暇をいただいております。", "2026-11-09"),
        ("I will be out of the office starting 11/05/2026 and will return on 11/12/2026.", "2026-11-12"),
        ("I'm out of the office 11/05-11/12.", "2026-11-12"), ("I am out of the office from 05/11/2026 to 12/11/2026.", "2026-11-12"),
        ("November 12-ig szabadságon vagyok. Legközelebb november 13-án leszek elérhető.", "2026-11-13"),
        ("Я в отпуске до 12.11.2026 включительно. На работе с 13 ноября.", "2026-11-13"),
        ("Я у відпустці з 2 по 12 листопада.", "2026-11-12"), ("В отпуск съм до 12 ноември 2026 г.", "2026-11-12"),
        ("I am away until the end of November.", "2026-11-30"), ("I am out of the office until the end of the month.", "2026-11-30"),
        ("Je suis en congés jusqu'à la fin du mois.", "2026-11-30"), ("I am away. Back at the end of November.", nil),
        ("OOO 5-12 Nov", "2026-11-12"), ("I am away for 3 days.", "2026-11-06"),
        ("I am on leave. For 3 years this address has been mine.", nil), ("I am out of the office. Return: 16-Nov-26", "2026-11-16"),
        ("I am out of the office. Return: 20261116", "2026-11-16"),
        ("ขณะนี้ฉันลาพักร้อนถึงวันที่ 12 พฤศจิกายน 2569", "2026-11-12"), ("ขณะนี้ฉันลาพักร้อน", nil),
    ]

    @Test("days named by a number alone, and days in other forms", arguments: bareDays + otherDays)
    func days(_ text: String, _ day: String?) {
        let result = classifier.classify(
            Mail.message(
                text, subject: "Automatic reply: A quick question", date: "Tue, 03 Nov 2026 10:12:00 +0100",
                headers: ["Auto-Submitted: auto-replied"]))
        #expect(result.messageClass == .outOfOffice, "\(result.evidence)")
        #expect(result.returnDate?.iso8601 == day)
    }

    @Test("numbers are read as the writer's country and the rest of the text say")
    func numericOrder() {
        func day(_ text: String, _ date: String) -> String? {
            classifier.classify(Mail.message(text, date: date, headers: ["Auto-Submitted: auto-replied"])).returnDate?.iso8601
        }
        let text = "I am out of the office and will be back on 04/05/2026."
        #expect(day(text, "Wed, 04 Mar 2026 09:45:18 -0500") == "2026-04-05")
        #expect(day(text, "Wed, 04 Mar 2026 09:45:18 +0100") == "2026-05-04")
        #expect(day("I am out of the office until 10/09/2026. You wrote on 10/01/2026.", "Thu, 01 Oct 2026 09:45:18 +0100") == "2026-10-09")
        #expect(day("I am out of the office and back on 05/01.", "Mon, 21 Dec 2026 09:45:18 +0100") == "2027-01-05")
    }

    static let others: [(String, [String], MessageClass)] = [
        (
            "We have received your request and will respond within two business days. Your ticket number is 4711.",
            ["Auto-Submitted: auto-generated"], .autoAcknowledgement
        ),
        ("Ihre Anfrage ist bei uns eingegangen und wird bearbeitet.", ["Precedence: auto_reply"], .autoAcknowledgement),
        ("Bo Buyer no longer works here. Please contact Cy Clerk <cy@example.com>.", ["Auto-Submitted: auto-replied"], .leftCompany),
        ("Ich bin nicht mehr im Unternehmen tätig.", ["X-Autoreply: yes"], .leftCompany),
        ("Bo Buyer hat uns zum 30.09.2026 verlassen. Neue Ansprechpartnerin ist Cy Clerk.", ["X-Autoreply: yes"], .leftCompany),
        ("ขณะนี้ฉันลาพักร้อน", ["X-Autoreply: yes"], .outOfOffice),
        (
            "To deliver your message, please confirm that you are human: click here to confirm your message.",
            ["Auto-Submitted: auto-replied"], .challenge
        ),
        ("Thank you for contacting us.", ["X-Autorespond: yes", "Precedence: bulk"], .autoAcknowledgement),
    ]

    @Test("other automatic mail", arguments: others)
    func other(_ text: String, _ headers: [String], _ expected: MessageClass) {
        let result = classifier.classify(Mail.message(text, subject: "Your message", headers: headers))
        #expect(result.messageClass == expected, "\(result.evidence)")
        #expect(result.automatic)
    }

    @Test("a subject of an automatic reply above words of a mailbox that nobody reads says nobody is away")
    func unread() {
        func read(_ text: String) -> MessageClass {
            classifier.classify(Mail.message(text, subject: "Automatic reply: Your message", headers: ["Auto-Submitted: auto-replied"]))
                .messageClass
        }
        #expect(read("This mailbox is not monitored. Please use the form on our website.") == .autoAcknowledgement)
        #expect(read("This mailbox is not monitored until I am back on Monday.") == .outOfOffice)
        #expect(read("Thank you for your message.") == .outOfOffice)
    }

    @Test("a successor and a stand-in are named")
    func standIn() {
        let left = classifier.classify(Mail.message(Self.others[2].0, headers: Self.others[2].1))
        #expect(left.referredTo.map(\.address?.text) == ["cy@example.com"])
        let away = classifier.classify(Mail.message(Self.absences[1].0, headers: ["Auto-Submitted: auto-replied"]))
        #expect(away.referredTo.map(\.address?.text) == ["bo@example.com"])
    }

    @Test("an absence note from postmaster with a null reverse-path is no bounce")
    func postmasterAbsence() {
        let result = classifier.classify(
            Mail.message(
                "I am out of the office until 20 March 2026 and will answer when I return.", subject: "Automatic reply: A quick question",
                from: "postmaster@example.com",
                headers: ["Return-Path: <>", "X-Auto-Response-Suppress: All", "Auto-Submitted: auto-replied"]))
        #expect(result.messageClass == .outOfOffice)
        #expect(result.bounces.isEmpty)
        #expect(result.returnDate?.iso8601 == "2026-03-20")
    }

    @Test("a person who speaks of an absence is a person")
    func personAway() {
        let result = classifier.classify(Mail.message("I'm out of the office this week, but let's talk next Tuesday.\n" + Mail.quote))
        #expect(!result.automatic)
        #expect(result.messageClass == .positive)
    }
}
