import InternetMessage
import Testing

@testable import MailClassifier

@Suite("threats, and wishes in many languages")
struct WishTests {
    let classifier: Classifier

    init() throws { classifier = try #require(Mail.classifier) }

    static let threats = [
        "We will report you to the authorities if you continue.",
        "Wir werden Sie anzeigen, wenn Sie weiter machen.",
        "Looking forward to not hearing from you.",
        "If you contact me again I will sue you.",
        "If you write again I will sue.",
        "One more email and I'll report you to the ICO.",
        "I have filed a complaint with the data protection authority about your company.",
        "You will hear from my lawyer.",
        "This is harassment. I will take legal action.",
        "Next time my lawyer will send you a cease and desist letter.",
        "I'm reporting you to Spamhaus.",
        "Keep this up and I'll see you in court.",
        "I will report this email to the FTC.",
        "I shall complain to the Information Commissioner.",
        "Any further contact will be passed to our solicitors.",
        "Ich schalte meinen Anwalt ein.",
        "Bei der nächsten Mail erhalten Sie eine Abmahnung.",
        "Wir behalten uns rechtliche Schritte vor.",
        "Ich werde Sie bei der Datenschutzbehörde melden.",
        "Noch eine Mail und ich erstatte Anzeige.",
        "Sie hören von meinem Anwalt!",
        "Je vais porter plainte contre vous.",
        "Si vous continuez, je saisis la CNIL.",
        "Vous aurez des nouvelles de mon avocat.",
        "Nous allons vous poursuivre en justice.",
        "Si me vuelve a escribir, le voy a denunciar.",
        "Pondré una denuncia ante la Agencia de Protección de Datos.",
        "Tendrá noticias de mi abogado.",
        "Tomaremos acciones legales.",
        "Se mi scrive ancora la denuncio.",
        "Farò una segnalazione al Garante della privacy.",
        "Sentirà il mio avvocato.",
        "Procederò per vie legali.",
        "Als u nog een keer mailt, doe ik aangifte.",
        "Ik meld u bij de Autoriteit Persoonsgegevens.",
        "U hoort van mijn advocaat.",
        "Wij ondernemen juridische stappen.",
        "Vou denunciar a sua empresa à CNPD.",
        "Vou processar a sua empresa.",
        "Terá notícias do meu advogado.",
        "Tomaremos medidas legais.",
        "Zgłoszę to do UODO.",
        "Jeśli napiszecie jeszcze raz, pozwę was do sądu.",
        "Skieruję sprawę do prawnika.",
        "Podejmiemy kroki prawne.",
        "Jag kommer att polisanmäla er.",
        "Vi vil anmelde jer til Datatilsynet.",
        "Dere hører fra advokaten min.",
        "Podám na vás trestní oznámení.",
        "Я подам на вас в суд.",
        "Я пожалуюсь на вас в Роскомнадзор.",
        "Bir daha yazarsanız sizi dava ederim.",
        "We will pursue legal action if this does not stop.",
        "If I get one more mail from you I will forward it to our lawyer.",
        "I have reported your email as spam.",
        "If you do not stop we will report you to the authorities.",
        "Stop this or you'll be hearing from our attorneys.",
        "Ich habe Sie bei der Bundesnetzagentur gemeldet.",
        "Nous déposerons une plainte contre votre société.",
        "Un'altra mail e vi denuncio.",
        "Mi rivolgerò al mio avvocato.",
        "Nog één mail en ik dien een klacht in bij de AP.",
        "Kolejny mail i zgłaszam sprawę na policję.",
    ]

    @Test("a threat is a wish to hear no more", arguments: threats)
    func threat(_ text: String) {
        for suffix in ["", "\n" + Mail.quote] {
            let result = classifier.classify(Mail.message(text + suffix))
            #expect(result.messageClass == .unsubscribe, "\(result.evidence)")
            #expect(result.confidence >= 0.9)
            #expect(result.evidence.contains { $0.rule.hasPrefix("builtin:classify/") })
        }
    }

    static let harmless = [
        "My lawyer will look at the contract, send it over.",
        "I will forward it to our legal team for review.",
        "Our attorney will check the terms, then we can sign.",
        "Sounds good, we will report back next week.",
        "Interesting. I'll report to my manager and get back to you.",
        "Thanks for the report you sent, can we talk on Tuesday?",
        "Sue will join the call, does Monday at 10 suit?",
        "I spoke to Sue, you can send us the offer.",
        "Well, Sue is very interested, please call her.",
        "Will Sue be at the demo?",
        "Looking forward to hearing from you.",
        "We must report our emissions to the authorities every year. Can your tool do that?",
        "Are you a law firm? We look for a lawyer.",
        "We are lawyers and would like to see a demo.",
        "Can your product handle legal action letters for debt collection?",
        "Our legal team will review it, please send the contract.",
        "Unser Anwalt prüft den Vertrag, schicken Sie ihn bitte.",
        "Wir möchten Anzeigen schalten. Was kostet das?",
        "Können Sie mir die Zahlen im Bericht anzeigen?",
        "Klingt gut, ich melde mich bei Ihnen am Montag.",
        "Mon avocat va relire le contrat, envoyez-le moi.",
        "Êtes-vous conforme aux règles de la CNIL ?",
        "Mi abogado revisará el contrato, envíelo por favor.",
        "Il mio avvocato guarderà il contratto, me lo mandi.",
        "Mijn advocaat bekijkt het contract, stuur het maar op.",
        "O meu advogado vai ver o contrato, envie por favor.",
        "Nasz prawnik sprawdzi umowę, proszę ją przesłać.",
        "Thanks for the report, you made a good point. Let's talk.",
        "I will report your findings to the board, looks promising.",
        "Wir hatten letztes Jahr eine Abmahnung wegen Schriftarten. Was kostet Ihre Prüfung?",
        "Ich gebe den Vertrag an unseren Anwalt weiter und melde mich.",
        "Do you report to the ICO yourself when there is a breach?",
        "We will not sue you, don't worry. Send us the offer, we are interested.",
        "Kunt u ook de btw-aangifte doen?",
        "I'll see you in Court Street on Tuesday at 10.",
    ]

    @Test("lawyers, reports and people called Sue are no threat", arguments: harmless)
    func noThreat(_ text: String) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass != .unsubscribe && result.messageClass != .negative, "\(result.evidence)")
    }

    static let wishes = [
        "Не пишите мне больше.",
        "Больше мне не пишите, пожалуйста.",
        "Прошу удалить мой адрес из вашей базы.",
        "Не пишіть мені більше.",
        "Видаліть мою адресу зі списку.",
        "请不要再给我发邮件。",
        "请不要再联系我。",
        "請不要再寄信給我。",
        "请把我从名单中删除。",
        "Va rog sa ma dezabonati.",
        "Vă rog să mă dezabonați.",
        "Nu ma mai contactati.",
        "Nu-mi mai scrieți.",
        "Scoateți-mă din listă.",
        "أزلني من القائمة",
        "لا تراسلني مرة أخرى",
        "הסר אותי מהרשימה",
        "אל תכתבו לי יותר",
        "Μη μου ξαναγράψετε.",
        "Αφαιρέστε με από τη λίστα.",
        "Μην μου στέλνετε άλλα email.",
        "Не ми пишете повече.",
        "Премахнете ме от списъка.",
        "Nemojte mi više pisati.",
        "Uklonite me s popisa.",
        "Ne pišite mi više.",
        "Избришите ме са листе.",
        "Немојте ми више писати.",
        "Už mi nepíšte.",
        "Odstráňte ma zo zoznamu.",
        "Ne pišite mi več.",
        "Odstranite me s seznama.",
        "Daugiau man nerašykite.",
        "Pašalinkite mane iš sąrašo.",
        "Lūdzu, vairs nerakstiet man.",
        "Izņemiet mani no saraksta.",
        "Palun ärge mulle rohkem kirjutage.",
        "Eemaldage mind nimekirjast.",
        "Skriv ikke til mig mere.",
        "Slet mig fra listen.",
        "Ikke skriv til meg mer.",
        "Fjern meg fra listen.",
        "もうメールを送らないでください。",
        "リストから削除してください。",
        "더 이상 메일을 보내지 마세요.",
        "명단에서 삭제해 주세요.",
        "Đừng gửi email cho tôi nữa.",
        "Vui lòng xóa tôi khỏi danh sách.",
        "Tolong jangan kirim email lagi.",
        "Hapus saya dari daftar.",
        "กรุณาอย่าส่งอีเมลมาอีก",
        "ลบฉันออกจากรายชื่อ",
        "कृपया मुझे दोबारा ईमेल न करें।",
        "मुझे सूची से हटा दें।",
        "Ne írjon nekem többet.",
        "Kérem, vegyenek le a listáról.",
        "Schreiben Sie mir nicht mehr.",
        "Skriv inte till mig mer.",
        "Älkää kirjoittako minulle enää.",
        "Nepište mi už.",
        "Bana bir daha yazmayın.",
        "Proszę do mnie więcej nie pisać.",
        "Хватит мне писать!",
        "Прошу больше не присылать мне писем.",
        "Прошу исключить мой адрес из рассылки.",
        "الرجاء إزالة عنواني من القائمة",
        "תפסיקו לשלוח לי מיילים",
        "Mohon hapus email saya dari daftar Anda.",
    ]

    @Test("write no more, remove me: in languages without a file of their own as well", arguments: wishes)
    func wish(_ text: String) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass == .unsubscribe, "\(result.evidence)")
        #expect(result.confidence >= 0.9)
    }

    static let moved = [
        "Не пишите на старый адрес, мой новый ivan@example.com.",
        "Не пишіть на стару адресу, моя нова olena@example.com.",
        "请不要再用旧邮箱，我的新邮箱是 li@example.com。",
        "Nu mai scrieți la adresa veche, noua mea adresă este ion@example.com.",
        "لا تراسلني على العنوان القديم، عنواني الجديد ali@example.com",
        "אל תכתבו לי לכתובת הישנה, הכתובת החדשה שלי dan@example.com",
        "Μη γράφετε στην παλιά διεύθυνση, η νέα μου είναι nikos@example.com.",
        "Не ми пишете на стария адрес, новият е ivo@example.com.",
        "Nemojte pisati na staru adresu, nova je ana@example.com.",
        "Nepíšte na starú adresu, moja nová je jan@example.com.",
        "Ne pišite na stari naslov, moj novi je ana@example.com.",
        "Nerašykite senuoju adresu, mano naujas yra jonas@example.com.",
        "Nerakstiet uz veco adresi, mana jaunā ir janis@example.com.",
        "Ärge kirjutage vanale aadressile, minu uus on jaan@example.com.",
        "Skriv ikke til min gamle adresse, den nye er bo@example.com.",
        "Ikke skriv til den gamle adressen, den nye er ola@example.com.",
        "古いアドレスには送らず、新しいアドレス taro@example.com にお願いします。",
        "예전 주소로 보내지 마시고 새 주소 kim@example.com 으로 보내 주세요.",
        "Đừng gửi vào địa chỉ cũ, địa chỉ mới của tôi là an@example.com.",
        "Jangan kirim ke alamat lama, alamat baru saya budi@example.com.",
        "อย่าส่งไปที่อยู่เก่า ที่อยู่ใหม่คือ som@example.com",
        "पुराने पते पर ईमेल न करें, मेरा नया पता ram@example.com है।",
        "Ne a régi címre írjon, az új címem bela@example.com.",
        "Пишите мне в сентябре.",
        "Не пишите мне до сентября, я в отпуске.",
        "Не удаляйте меня из списка, мне интересно.",
        "请再给我发一次资料。",
        "Tolong kirim email lagi dengan penawaran.",
        "Pišite mi više o tome.",
        "자료를 보내 주세요.",
        "שלחו לי עוד פרטים בבקשה",
    ]

    @Test("write to my other address, or later, or more: no such wish", arguments: moved)
    func other(_ text: String) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass != .unsubscribe, "\(result.evidence)")
    }
}
