import Testing

@testable import MailClassifier

/// What mail gateways put above a message is not the person's.
@Suite("notes of mail gateways")
struct GatewayBannerTests {
    let book: PhraseBook

    init() throws { book = try #require(ReplyTextTests.builtin) }

    private func own(_ text: String) -> String { ReplyText(text, senderName: nil, book: book).own }

    static let notes = [
        """
        CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the \
        sender and know the content is safe.
        """,
        "CAUTION: This email originated from outside of the organization. Do not click links or open\nattachments unless you recognize the sender.",
        "[EXTERNAL]", "[EXTERN]", "*** EXTERNAL EMAIL ***", "EXTERNAL SENDER", "⚠ External sender. Be careful with links and attachments.",
        "________________________________\nCAUTION - EXTERNAL EMAIL: Do not open attachments or click links from unknown senders.\n________________________________",
        "[EXTERNAL EMAIL] DO NOT CLICK links or attachments unless you recognize the sender and know the content is safe.",
        "EXTERNAL EMAIL\n\nDo not click links or open attachments unless you recognize the sender.",
        "This message was sent from outside the company. Please do not click links or open attachments unless you trust the sender.",
        "You don't often get email from ann@example.com. Learn why this is important",
        "Sie erhalten nicht häufig E-Mails von ann@example.com. Erfahren Sie, warum dies wichtig ist",
        """
        Achtung: Diese E-Mail stammt von einem externen Absender. Bitte klicken Sie nicht auf Links und öffnen Sie keine Anhänge, wenn Sie \
        den Absender nicht kennen.
        """,
        "ATTENTION : courriel externe",
        """
        ATTENTION : Cet e-mail provient de l'extérieur de l'entreprise. Ne cliquez pas sur les liens et n'ouvrez pas les pièces jointes \
        sauf si vous reconnaissez l'expéditeur.
        """,
        "Cuidado: correo externo",
        """
        PRECAUCIÓN: Este correo electrónico se originó fuera de la organización. No haga clic en enlaces ni abra archivos adjuntos a menos \
        que reconozca al remitente.
        """,
        "ATTENZIONE: questa e-mail proviene da un mittente esterno. Non aprire link o allegati se non si è certi che il contenuto sia sicuro.",
        "CUIDADO: Este e-mail foi enviado de fora da organização. Não clique em links nem abra anexos a menos que reconheça o remetente.",
        "LET OP: Deze e-mail is afkomstig van buiten de organisatie. Klik niet op links en open geen bijlagen tenzij u de afzender herkent.",
        "VARNING: Detta mejl kommer från en extern avsändare. Klicka inte på länkar och öppna inte bilagor om du inte känner avsändaren.",
        "ADVARSEL: Denne e-mail er sendt fra en ekstern afsender. Klik ikke på links eller åbn vedhæftede filer.",
        "UWAGA: Ta wiadomość pochodzi spoza organizacji. Nie klikaj w linki i nie otwieraj załączników, jeśli nie znasz nadawcy.",
        "UPOZORNĚNÍ: Tento e-mail přišel z vnější sítě. Neklikejte na odkazy a neotevírejte přílohy, pokud odesílatele neznáte.",
        "VAROITUS: Tämä viesti tuli organisaation ulkopuolelta. Älä avaa liitteitä tai linkkejä, ellet tunnet lähettäjää.",
        "DİKKAT: Bu e-posta kurum dışından gönderildi. Göndereni tanımıyorsanız bağlantılara tıklamayın ve ekleri açmayın.",
        "【注意】このメールは社外から送信されています。リンクや添付ファイルを開く際は注意してください。",
    ]

    @Test("they are no own words, whether an empty line follows or none", arguments: notes)
    func dropped(_ note: String) {
        for gap in ["\n\n", "\n"] {
            #expect(own(note + gap + "Yes, let us talk.\nTuesday?") == "Yes, let us talk.\nTuesday?")
        }
    }

    @Test("a mark in front of own words goes alone")
    func mark() {
        #expect(own("[EXTERN] Kein Interesse.") == "Kein Interesse.")
        #expect(own("[Anna] Kein Interesse.") == "[Anna] Kein Interesse.")
    }

    @Test("in a frame of an HTML mail too")
    func framed() throws {
        let classifier = try #require(Mail.classifier)
        let html = """
            <table border="1"><tr><td><b>CAUTION:</b> This email originated from outside of the organization.<br>Do not click links or open \
            attachments unless you recognize the sender.</td></tr></table><div>Please take me off your list.</div>
            """
        let result = classifier.classify(Mail.message(html, headers: ["Content-Type: text/html; charset=utf-8"]))
        #expect(result.replyText == "Please take me off your list.")
        #expect(result.messageClass == .unsubscribe)
    }

    @Test(
        "what a person says of mail from outside stays",
        arguments: [
            "Caution is advised with external vendors, but yes, let us talk.",
            "We treat external email with caution, so please send no links. Otherwise happy to talk.",
            "Attention, our external mail provider is down. Please write to me next week.",
            "Your email came from an external sender and landed in spam, but I am interested.",
            "This external consultant handles our email, please ask him.",
            "Warning: I never open links from outside senders. Send me a PDF.",
            "External partners only. Not interested.", "External emails are blocked here, please call.",
            "Achtung, externe Anbieter nehmen wir nicht mehr auf. Bitte keine E-Mails mehr.",
            "Attention, nous ne travaillons pas avec des prestataires externes.",
            "Sorry, this mail came from an external system.",
            "Yes, let us talk.\n\nCAUTION: This email originated from outside of the organization. Is that note yours?",
        ])
    func kept(_ text: String) {
        #expect(own(text) == text)
    }
}
