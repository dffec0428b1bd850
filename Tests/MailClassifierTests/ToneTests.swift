import InternetMessage
import Testing

@testable import MailClassifier

@Suite("what people say")
struct ToneTests {
    let classifier: Classifier

    init() throws { classifier = try #require(Mail.classifier) }

    static let replies: [(String, MessageClass)] = [
        ("Sounds good, send me more about it.", .positive),
        ("Happy to talk. Does Tuesday at 10:00 suit?", .positive),
        ("Let's set up a call next week.", .positive),
        ("What does it cost for a team of ten?", .question),
        ("How does this work with a server on our own premises?", .question),
        ("Thanks, but we are not interested.", .negative),
        ("No thank you.", .negative),
        ("We already use another product and are happy with it.", .negative),
        ("Not right now. Please try again in October.", .notNow),
        ("The timing is bad, get back to me in three months.", .notNow),
        ("I am not the right person for this, please contact Bo Buyer <bo@example.com>.", .referral),
        ("unsubscribe", .unsubscribe),
        ("STOP", .unsubscribe),
        ("Please take me off your list.", .unsubscribe),
        ("I ask you to delete all my data under the GDPR.", .unsubscribe),
        ("Sounds interesting, but please remove me from your mailing list.", .unsubscribe),
        ("Klingt spannend, schicken Sie mir bitte Unterlagen.", .positive),
        ("Kein Interesse, danke.", .negative),
        ("Bitte nehmen Sie mich aus dem Verteiler.", .unsubscribe),
        ("Derzeit nicht, melden Sie sich bitte im Herbst wieder.", .notNow),
        ("Was kostet das im Monat?", .question),
        ("Ça m'intéresse, appelez-moi demain.", .positive),
        ("Non merci, nous ne sommes pas intéressés.", .negative),
        ("Merci de me retirer de votre liste.", .unsubscribe),
        ("Combien ça coûte pour dix personnes ?", .question),
        ("Me interesa, ¿podemos hablar el martes a las 10?", .positive),
        ("No nos interesa, gracias.", .negative),
        ("Denme de baja, por favor.", .unsubscribe),
        ("Non ci interessa, grazie.", .negative),
        ("Vi prego di cancellarmi dalla vostra lista.", .unsubscribe),
        ("Klinkt goed, bel me morgen even.", .positive),
        ("Geen interesse, bedankt.", .negative),
        ("Schrijf mij uit alstublieft.", .unsubscribe),
        ("Não temos interesse, obrigado.", .negative),
        ("Remova meu endereço da sua lista.", .unsubscribe),
        ("Vi är inte intresserade, tack.", .negative),
        ("Ta bort mig från er lista.", .unsubscribe),
        ("Vi er ikke interesserede, tak.", .negative),
        ("Nie jesteśmy zainteresowani.", .negative),
        ("Proszę usunąć mój adres z listy mailingowej.", .unsubscribe),
        ("配信停止をお願いします。", .unsubscribe),
        ("The weather was fine on Sunday.", .neutral),
    ]

    @Test("a reply is read as its writer means it, our quoted words left out", arguments: replies)
    func reply(_ text: String, _ expected: MessageClass) {
        for suffix in ["", "\n" + Mail.quote] {
            let result = classifier.classify(Mail.message(text + suffix))
            #expect(result.messageClass == expected, "\(result.evidence)")
            #expect(!result.automatic)
            #expect(result.replyText.utf8.elementsEqual(text.utf8))
            if expected != .neutral {
                #expect(result.confidence >= Classifier.actionThreshold)
                #expect(!result.evidence.isEmpty)
            }
        }
    }

    static let inOtherLanguages: [(String, MessageClass)] = [
        ("Спасибо, нам это не нужно.", .negative), ("Нам интересно, пришлите коммерческое предложение.", .positive),
        ("Сколько это стоит?", .question), ("Сейчас не актуально, напишите позже.", .notNow), ("Köszönjük, nem érdekel minket.", .negative),
        ("Nu suntem interesați, mulțumim.", .negative), ("Sună interesant, trimiteți-mi detalii.", .positive),
        ("Ευχαριστούμε, δεν ενδιαφερόμαστε.", .negative), ("不需要，谢谢。", .negative), ("我们感兴趣，请发资料。", .positive),
        ("관심 없습니다.", .negative), ("관심 있습니다. 자료를 보내주세요.", .positive), ("Nemáme záujem, ďakujeme.", .negative),
        ("Zvuči zanimljivo, pošaljite nam ponudu.", .positive), ("Tidak tertarik, terima kasih.", .negative),
        ("Спасибо, получил.", .neutral),
        ("收到，谢谢。", .neutral),
    ]

    @Test("in languages that the model has not learnt the phrases alone decide", arguments: inOtherLanguages)
    func otherLanguages(_ text: String, _ expected: MessageClass) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass == expected, "\(result.evidence)")
    }

    @Test("words that are no words are neutral, and nobody is sure of it", arguments: ["qzx vrrk plonk", "~"])
    func unknown(_ text: String) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass == .neutral)
        #expect(result.confidence < 0.65)
    }

    static let negatives: [(String, MessageClass)] = [
        ("Please do not unsubscribe me, I like to read you.", .unsubscribe),
        ("I would unsubscribe if this were not so useful to us ;)", .unsubscribe),
        ("I am not interested.", .positive),
        ("We would be interested.", .negative),
        ("I was out of the office last week, sorry. Let's talk on Tuesday.", .outOfOffice),
        ("Don't remove me from the list yet, I want to hear more.", .unsubscribe),
        ("Fixed it, mate.", .question),
        ("Nicht schlecht, das interessiert uns sehr.", .negative),
    ]

    @Test("words of one class in a text that means another", arguments: negatives)
    func hardNegative(_ text: String, _ wrong: MessageClass) {
        #expect(classifier.classify(Mail.message(text)).messageClass != wrong)
    }

    static let wishes: [(Bool, String)] = [
        (false, "Please do not unsubscribe me, I read every issue."),
        (false, "I did not ask to be removed, but since you mention it, what does it cost?"),
        (false, "Your mail says 'reply unsubscribe to opt out'. Is that really how it works?"),
        (false, "Don't take me off the list yet, we may need you in autumn."),
        (false, "Are you GDPR compliant?"),
        (false, "Sind Sie DSGVO-konform?"),
        (false, "Bitte nicht abmelden, ich lese das gern."),
        (false, "Ne me désabonnez surtout pas, j'attends la suite."),
        (false, "Können Sie den zweiten Punkt aus der Liste löschen und das Angebot neu schicken?"),
        (false, "We stopped using them last year, so tell me more about yours."),
        (false, "I unsubscribed from three tools like this last year. Why is yours different?"),
        (false, "Please write me again in September."),
        (false, "We block you on the calendar for Tuesday at 10, ok?"),
        (false, "Can your tool unsubscribe customers automatically?"),
        (false, "How do you handle the right to be forgotten?"),
        (false, "We would never ask you to stop, this is great."),
        (false, "No me den de baja, por favor."),
        (false, "Non cancellatemi dalla lista, mi interessa."),
        (false, "How do I remove a user from the trial account?"),
        (false, "Stop by our office on Monday, we'd like to see it."),
        (false, "Stop, wait! Before you go on: yes please."),
        (true, "Kindly take my name off whatever list you bought."),
        (true, "unsubscibe pls"),
        (true, "Not interested and please remove me."),
        (true, "Interesting product, but please don't write to me again."),
        (true, "I have asked twice. Remove this address or I will complain to your provider."),
        (true, "Entfernen Sie mich bitte aus Ihrem Verteiler."),
        (true, "Kein Interesse. Bitte keine weiteren E-Mails."),
        (true, "Ich widerspreche der Nutzung meiner Daten zu Werbezwecken nach Art. 21 DSGVO."),
        (true, "Merci de ne plus m'écrire."),
        (true, "Veuillez supprimer mon adresse de vos fichiers."),
        (true, "Por favor, quítenme de la lista."),
        (true, "Non scrivetemi più, grazie."),
        (true, "Haal me van die lijst af."),
        (true, "Retire o meu email da lista, por favor."),
        (true, "Ta bort mig från listan."),
        (true, "Fjern mig fra listen, tak."),
        (true, "Vennligst slett meg fra listen."),
        (true, "Poistakaa minut postituslistalta."),
        (true, "Proszę mnie wypisać z listy."),
        (true, "Prosím o vyřazení z databáze."),
        (true, "Beni listeden çıkarın lütfen."),
        (true, "今後メールの送信は不要です。リストから外してください。"),
        (true, "Under Article 17 GDPR I demand that you erase all personal data you hold on me."),
        (true, "STOP"),
        (true, "opt-out"),
        (true, "Please can you stop sending these, I never signed up."),
        (true, "I am not the right person, contact sales@example.com, and please take me off your list."),
        (true, "Leave me alone!"),
        (true, "That's spam. Next one goes to the authorities."),
        (true, "We don't want any more emails from your company."),
    ]

    @Test("a wish to hear no more, and what only sounds like one", arguments: wishes)
    func wish(_ isWish: Bool, _ text: String) {
        #expect((classifier.classify(Mail.message(text)).messageClass == .unsubscribe) == isWish)
    }

    @Test("our own quoted sentence decides nothing")
    func quotedSentence() {
        for own in ["", "Fine.", "?"] {
            let result = classifier.classify(Mail.message(own + "\n" + Mail.quote))
            #expect(result.messageClass != .unsubscribe)
            #expect(result.messageClass != .outOfOffice)
            #expect(result.messageClass != .negative)
        }
    }

    @Test("interest names its intent, and a referral its person")
    func details() {
        #expect(classifier.classify(Mail.message("Let's schedule a call.")).intent == .readyToMeet)
        #expect(classifier.classify(Mail.message("I'm interested, tell me more.")).intent == .interested)
        #expect(classifier.classify(Mail.message("No thanks.")).intent == .notInterested)
        #expect(classifier.classify(Mail.message("How much is it?")).intent == .needMoreInfo)
        let referral = classifier.classify(
            Mail.message("Wrong person. Please write to Bo Buyer <bo@example.com> instead of ann@example.com."))
        #expect(referral.referredTo.map(\.address?.text) == ["bo@example.com"])
        #expect(referral.referredTo.first?.name == "Bo Buyer")
    }

    static let later: [(String, String)] = [
        ("Not now, try again in October.", "2026-10-01"),
        ("Not right now, contact me again in three months.", "2026-06-04"),
        ("Too early for us, ask again next quarter.", "2026-04-01"),
        ("Bitte nicht jetzt, derzeit nicht. Melden Sie sich im September wieder.", "2026-09-01"),
        ("Not now. Write to us again on 5 May.", "2026-05-05"),
        ("This is not a good time for us. Please get back to me in September.", "2026-09-01"),
        // Mail is broken at the end of its lines, wherever that falls.
        ("Not now, this is the wrong season. Try again in\nSeptember.", "2026-09-01"),
        ("Not right now, contact me again in\nthree\nmonths.", "2026-06-04"),
        ("Not now, ask again in Q3.", "2026-07-01"), ("Not now, ask again in Q1.", "2027-01-01"),
        ("Not now. We plan for Q2 next year, ask again then.", "2027-04-01"),
        ("Not now, ask again in the 4th quarter of 2027.", "2027-10-01"),
        ("Bitte nicht jetzt, derzeit nicht. Melden Sie sich im 3. Quartal wieder.", "2026-07-01"),
        ("Not now, budgets are frozen until the end of Q2. Please ask again at the start of July.", "2026-07-01"),
        ("Not now please. I am back on the 24th, ask me again then.", "2026-03-24"),
        ("Not now please, try again at the end of May.", "2026-05-31"), ("Not now, ask again in mid June.", "2026-06-15"),
        ("Not now, ask again at the end of March.", "2026-03-31"), ("Not now, ask again in early June.", "2026-06-01"),
        ("Melden Sie sich bitte Ende April noch einmal, jetzt passt es nicht.", "2026-04-30"),
        ("Not now, we are busy until the end of May. Please ask again in June.", "2026-06-01"),
        ("Ce n'est pas le bon moment, peut-être en juin ?", "2026-06-01"), ("Teraz nie mam czasu, może w czerwcu?", "2026-06-01"),
        ("Non è il momento giusto, possiamo sentirci a giugno?", "2026-06-01"),
        ("Not now please. Maybe June?", "2026-06-01"),
    ]

    @Test("not now: when to come back", arguments: later)
    func comeBack(_ text: String, _ day: String) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass == .notNow)
        #expect(result.comeBackDate?.iso8601 == day)
    }

    @Test("who wrote only a subject said it there; a subject of ours says nothing")
    func subjectOnly() {
        #expect(classifier.classify(Mail.message("", subject: "unsubscribe")).messageClass == .unsubscribe)
        #expect(classifier.classify(Mail.message("", subject: "Re: unsubscribe")).messageClass == .neutral)
    }
}
