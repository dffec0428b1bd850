import InternetMessage
import Testing

@testable import Outreach

@Suite("how often one person and one company are written to")
struct FrequencyTests {
    private let now = Timestamp(seconds: 1_790_000_000)
    private let day = Duration.seconds(86_400)

    private func companies(shared: [String] = []) -> CompanyBook {
        CompanyBook(lists: AddressLists(roles: [], freeMail: Array("gmail.com\n".utf8), disposable: []), shared: shared)
    }

    private func cap(_ count: Int, _ days: Int) throws -> FrequencyCap { try #require(FrequencyCap(count, in: day * days)) }

    @Test(
        "a company is a domain, in whatever letters, unless mail of it is for everybody",
        arguments: [
            ("ann@example.com", "example.com"), ("ann@EXAMPLE.com", "example.com"), ("ann@b\u{FC}cher.example", "xn--bcher-kva.example"),
            ("ann@sub.example.com", "sub.example.com"), ("ann@gmail.com", nil), ("ann@mail.gmail.com", nil), ("ann@hosting.example", nil),
            ("ann@eu.hosting.example", nil), ("ann@nothosting.example", "nothosting.example"),
        ] as [(String, String?)])
    func company(address: String, company: String?) throws {
        let address = try #require(EmailAddress(address))
        #expect(companies(shared: ["hosting.example"]).company(of: address) == company)
        #expect(CompanyBook.none.company(of: address) == nil)
    }

    @Test("without caps there is nothing to count, and free mail has no cap of a company")
    func rules() throws {
        let (one, five) = (try cap(1, 1), try cap(5, 1))
        let (ann, free) = (try #require(EmailAddress("ann@example.com")), try #require(EmailAddress("ann@gmail.com")))
        #expect(FrequencyPolicy(companies: companies()).rule(for: ann) == nil)
        let onlyCompany = FrequencyPolicy(perCompany: [five], companies: companies())
        #expect(onlyCompany.rule(for: free) == nil)
        #expect(onlyCompany.rule(for: ann)?.clauses == [.init(subject: .company("example.com"), cap: five)])
        let both = FrequencyPolicy(perContact: [one], perCompany: [five], companies: companies())
        #expect(both.rule(for: free)?.clauses.map(\.subject) == [.contact])
        #expect(both.rule(for: ann)?.clauses.map(\.subject) == [.contact, .company("example.com")])
        #expect(FrequencyCap(0, in: day) == nil && FrequencyCap(1, in: .zero) == nil)
        #expect(FrequencyCap(3, in: .seconds(129_660))?.words == "3 in 1d12h1m")
    }

    @Test("the cap that lifts last binds, at the moment at which the oldest message leaves its window")
    func binding() throws {
        let rule = FrequencyRule(
            clauses: [.init(subject: .contact, cap: try cap(1, 1)), .init(subject: .company("example.com"), cap: try cap(5, 2))])
        func hold(_ contact: Timestamp?, _ company: Timestamp?) -> Postponement? {
            rule.hold(at: now) { $0.subject == .contact ? contact : company }
        }
        #expect(hold(nil, nil) == nil)
        #expect(hold(now - .seconds(60), nil)?.until == now - .seconds(60) + day)
        let both = try #require(hold(now - .seconds(60), now - .seconds(120)))
        #expect(both.until == now - .seconds(120) + day * 2)
        #expect(both.heldBy == "frequency cap of 5 in 2d for the company example.com, over all sequences, is reached")
    }

    @Test("a clock that was set back holds nobody for longer than a window, and a month is looked at by the week")
    func clocks() throws {
        let short = FrequencyRule(clauses: [.init(subject: .contact, cap: try cap(1, 1))])
        #expect(short.hold(at: now) { _ in now + day * 300 }?.until == now + day)
        let long = FrequencyRule(clauses: [.init(subject: .contact, cap: try cap(1, 30))])
        let hold = try #require(long.hold(at: now) { _ in now })
        #expect(hold.until == now + day * 7)
        #expect(hold.heldBy.hasSuffix("is reached, not before \((now + day * 30).iso8601)"))
    }
}
