import InternetMessage
import Testing

@testable import MailClassifier

@Suite("the tone model")
struct ToneModelTests {
    @Test("its file form is read back as it was written, and nothing cut or foreign is read")
    func encoding() throws {
        let model = try ToneModel.builtin()
        let bytes = model.encoded
        #expect(bytes.count < 2_000_000)
        #expect(ToneModel(parsing: bytes)?.encoded == bytes)
        #expect(ToneModel(parsing: Array(bytes.dropLast())) == nil)
        #expect(ToneModel(parsing: []) == nil)
        #expect(ToneModel(parsing: Array("PTM1".utf8)) == nil)
    }

    @Test("a few labels move the model, and what they say nothing about stays")
    func correction() throws {
        let shipped = try ToneModel.builtin()
        let odd = "We shall plonk the zorgle."
        let examples = (0..<8).map { ToneTraining.Example(text: odd, tone: .interested, group: $0) }
        let trained = try ToneTraining(examples, settings: .correction).model(from: shipped)
        let before = try Classifier(tone: shipped)
        let after = try Classifier(tone: trained)
        #expect(before.classify(Mail.message(odd)).messageClass != .positive)
        #expect(after.classify(Mail.message(odd)).messageClass == .positive)
        for (text, messageClass) in ToneTests.replies.prefix(18) {
            #expect(after.classify(Mail.message(text)).messageClass == messageClass)
        }
    }

    @Test("labels are learnt beside the built-in sentences, of which none is lost; labels that contradict the words are noticed")
    func labels() throws {
        let shipped = try ToneModel.builtin()
        let day = try #require(CivilDate(year: 2026, month: 11, day: 21))
        let odd = (0..<12).map { "We shall plonk the zorgle\($0 % 3 == 0 ? "" : ", dear Bo")." }
        let correction = try ToneCorrection(odd.map { .init(text: $0, tone: .interested) }, from: shipped, on: day)
        #expect(correction.before.all > 500 && !correction.isLoss, "\(correction.after)")
        let after = try Classifier(tone: correction.model)
        #expect(try Classifier(tone: shipped).classify(Mail.message(odd[1])).messageClass != .positive)
        #expect(after.classify(Mail.message(odd[1])).messageClass == .positive)
        for (text, messageClass) in ToneTests.replies {
            #expect(after.classify(Mail.message(text)).messageClass == messageClass, "\(text)")
        }
        #expect(correction.model.provenance == .init(base: shipped.fingerprint, labels: 12, day: day))

        // Somebody labels whatever comes, such as all refusals as interest.
        let refusals = try ToneExamples(ToneExamples.builtinSources()).examples.filter { $0.tone == .negative }.prefix(400)
        let wrong = try ToneCorrection(refusals.map { .init(text: $0.text, tone: .interested) }, from: shipped, on: day)
        #expect(wrong.isLoss, "\(wrong.before) \(wrong.after)")
    }

    @Test("a model of one's own says where it is from, and evidence names it")
    func provenance() throws {
        var model = try ToneModel.builtin()
        let day = try #require(CivilDate(year: 2026, month: 11, day: 21))
        model.provenance = .init(base: model.fingerprint, labels: 12, day: day)
        let read = try ToneModel.read(model.encoded, named: "/etc/own.model")
        #expect(read.provenance == model.provenance && read.fingerprint == model.fingerprint)
        #expect(read.name == "/etc/own.model#\(model.fingerprint)")
        let found = try Classifier(tone: read).classify(Mail.message("Sounds good, tell me more."))
        #expect(found.evidence.contains { $0.rule == "model:interested@/etc/own.model#\(model.fingerprint)" }, "\(found.evidence)")
        let builtin = try Classifier().classify(Mail.message("Sounds good, tell me more."))
        #expect(builtin.evidence.contains { $0.rule == "model:interested" })
    }

    @Test(
        "what is no model of this program is refused with its reason",
        arguments: [
            ([UInt8](), "is no tone model"), (Array("PTM2 from the future".utf8), "another version"), (Array("PTM1".utf8), "4 octets"),
            (Array("From: ann@example.com".utf8), "is no tone model"),
        ])
    func refused(bytes: [UInt8], words: String) {
        let error = #expect(throws: RuleError.self) { try ToneModel.read(bytes, named: "own.model") }
        #expect(error?.message.contains(words) == true && error?.file == "own.model", "\(String(describing: error))")
    }

    @Test("a model that is cut, too long, or of which the end is broken is refused")
    func damaged() throws {
        let whole = try ToneModel.builtin().encoded
        var faulty = [Array(whole.dropLast()), whole + Array("nonsense".utf8), whole + [UInt8](repeating: 0x41, count: 2000)]
        faulty.append(whole + Array("base 0123\nlabels 1\nday 2026-11-21\n".utf8))
        faulty.append(whole + Array("base 0123456789abcdef\nlabels 99999999999999999999\nday 2026-11-21\n".utf8))
        faulty.append(whole + Array("base 0123456789abcdef\nlabels 1\nday 2026-02-30\n".utf8))
        for bytes in faulty { #expect(throws: RuleError.self) { try ToneModel.read(bytes, named: "own.model") } }
    }

    @Test("a place of the model means what it meant: where this fails, raise the digit of the format and train the built-in model again")
    func places() throws {
        let book = try PhraseBook.builtin()
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for text in ["Not now, please write again in March!", "興味があります。", "Wer ist bei Ihnen zuständig? x@example.com", "Ça m'intéresse"] {
            for entry in ToneFeatures(text, tally: Tally(), book: book).entries {
                hash = (hash ^ UInt64(entry.place)) &* 0x0000_0100_0000_01B3
            }
        }
        #expect(hash == 1_676_615_603_626_872_869)
    }

    @Test("a file of sentences names its faults by line")
    func faults() {
        #expect(throws: RuleError.self) { try ToneExamples([.init(name: "xx", text: "[positively]\nyes\n")]) }
    }

    @Test("the same sentences give the same examples")
    func examples() throws {
        let source = ToneExamples.Source(name: "en", text: "[negative]\nNo thanks, {name}.\n[greeting]\nHi {name},\n")
        let first = try ToneExamples([source]).examples.map(\.text)
        #expect(first == (try ToneExamples([source]).examples.map(\.text)))
        #expect(first.count > 2)
        #expect(!first.contains { $0.contains("{") })
    }
}
