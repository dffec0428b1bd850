import InternetMessage
import Testing

@testable import MailClassifier

@Suite("whom a reply points to")
struct ContactTests {
    static let named: [(String, String?)] = [
        ("Please talk to our CTO Maria Keller about this.", "Maria Keller"),
        ("You should speak with Dr. Henning Voss, he decides.", "Dr. Henning Voss"),
        ("Not my area. Try Samuel O'Brien in purchasing.", "Samuel O'Brien"),
        ("Mary-Jane Watson looks after our vehicles.", "Mary-Jane Watson"),
        ("My replacement is Ludwig van der Meer.", "Ludwig van der Meer"),
        ("Hi Bo, my colleague Petra handles that, best ask her.", "Petra"),
        ("Tom Reed has left the company, Laura Finch has taken over his accounts.", "Laura Finch"),
        ("Bitte wenden Sie sich an unsere Einkaufsleiterin Sabine Kurz.", "Sabine Kurz"),
        ("Da bin ich nicht zuständig, das macht Frau Özdemir.", "Frau Özdemir"),
        ("Meine Vertretung ist Herr Lukas Brandt.", "Herr Lukas Brandt"),
        ("Veuillez contacter Madame Élodie Marchand.", "Madame Élodie Marchand"),
        ("C'est Karim Benali qui s'occupe de cela.", "Karim Benali"),
        ("Merci, c'est le siège qui s'en occupe. Contactez Mme Dupont.", "Mme Dupont"),
        ("Le ruego que hable con Lucía Ferrer.", "Lucía Ferrer"),
        ("Per questo deve sentire Giulia De Santis.", "Giulia De Santis"),
        ("Daarvoor kun je het beste Pieter de Vries benaderen, vraag Pieter de Vries.", "Pieter de Vries"),
        ("Fale com a Joana Prates.", "Joana Prates"),
        ("Kontakta Björn Åkesson på inköp.", "Björn Åkesson"),
        ("Du kan kontakte Mette Holm.", "Mette Holm"),
        ("Asiaa hoitaa Pekka Laine.", "Pekka Laine"),
        ("Proszę pisać do Anna Nowak.", "Anna Nowak"),
        ("今後は営業部の佐藤までご連絡ください。", "営業部の佐藤"),
        ("Hello Bo, thanks for writing. Ann", nil),
        ("Ask again in March or on Monday.", nil),
        ("I am no longer with Northern Freight.", nil),
        ("Sarah Poole left in May and nobody has the post.", nil),
        ("Ask our IT department.", nil),
        ("Dear Bo Sender, please ask somebody else.", nil),
    ]

    @Test("by name", arguments: named)
    func name(_ text: String, _ expected: String?) throws {
        let finder = ContactFinder(words: try ContactWords.builtin.get(), dates: try DateWords.builtin())
        let found = finder.contacts(in: text, addresses: [], known: ["Ann Writer", "Bo Sender"], needsCue: true)
        #expect(found.first?.name == expected)
        #expect(found.count == (expected == nil ? 0 : 1))
    }

    private func read(_ header: String, _ body: String) throws -> Classification {
        try #require(Mail.classifier).classify(
            Message(
                parsing: Array(
                    "From: Ann Writer <ann@example.com>\nTo: Bo Sender <bo@example.org>\n\(header)Subject: Re: Hello\n\n\(body)\n".utf8)))
    }

    @Test("a name and its address belong together, over a line end as well; who is in the copy is found by name")
    func address() throws {
        let wrapped = try read("", "I am the wrong person for this, please contact Laura Finch\n<laura.finch@example.com> about it.")
        #expect(wrapped.messageClass == .referral)
        #expect(wrapped.referredTo.map(\.name) == ["Laura Finch"])
        let asked = try read("", "I am the wrong person for this. Ask Laura Finch (laura.finch@example.com), please.")
        #expect(asked.referredTo.map(\.name) == ["Laura Finch"])
        #expect(wrapped.referredTo.map(\.address?.text) == ["laura.finch@example.com"])
        let copied = try read(
            "Cc: Laura Finch <laura@example.com>\n",
            "I'm the wrong person for this. Please talk to Laura Finch in purchasing, she is in cc.")
        #expect(copied.referredTo.map(\.address?.text) == ["laura@example.com"])
    }

    @Test("passed on inside the house to nobody by name points nowhere")
    func passedOn() throws {
        #expect(try read("", "I've forwarded this to the responsible team.").messageClass == .neutral)
        #expect(try read("", "Das habe ich an die Fachabteilung weitergeleitet.").messageClass == .neutral)
    }

    @Test("any cut of a text names nobody who is not in it")
    func cuts() throws {
        let finder = ContactFinder(words: try ContactWords.builtin.get(), dates: try DateWords.builtin())
        for (text, _) in Self.named {
            let bytes = Array(text.utf8)
            for end in bytes.indices {
                let cut = String(decoding: bytes[..<end], as: UTF8.self)
                for contact in finder.contacts(in: cut, addresses: [], known: [], needsCue: false) {
                    let words = contact.name?.utf8.split(separator: 0x20) ?? []
                    #expect(words.allSatisfy { Array(cut.utf8).firstRange(of: Array($0.drop { $0 == 0x2E })) != nil || $0.last == 0x2E })
                }
            }
        }
    }

    @Test(
        "an address of which somebody says that mail to it failed is nobody to turn to",
        arguments: [
            ("Your last mail to bob@example.com bounced with 550 5.1.1, did you mean Rob? I can pass it on.", []),
            ("Mail to bob@example.com bounced, please write to rob@example.com instead.", ["rob@example.com"]),
            ("Please write to rob@example.com instead.", ["rob@example.com"]),
            ("They rejected the offer, please write to rob@example.com.", ["rob@example.com"]),
        ] as [(String, [String])])
    func failedAddress(_ text: String, _ addresses: [String]) throws {
        let classifier = try #require(Mail.classifier)
        #expect(classifier.classify(Mail.message(text)).referredTo.compactMap { $0.address?.text } == addresses)
    }
}
