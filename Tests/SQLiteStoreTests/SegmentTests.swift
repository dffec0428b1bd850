import InternetMessage
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

/// The statement that a query becomes, against a judgement of the same contacts that knows neither parser nor statement.
@Suite("segments in the database")
struct SegmentTests {
    private static let start = StoreWorld<SQLiteStore>.start
    private static let day: Int64 = 86_400
    private static let texts = ["Acme", "acme GmbH", "ÄRGER", "5", "-3.50", "10", "1-2", ".", "x'; DROP TABLE contact; --", "100%", ""]
    private static let groupNames = ["VIP", "hot lead", "größe", "never given"]
    private static let sequences = ["intro", "nurture", "unknown"]

    /// A contact with all that is known of it.
    private struct Person {
        let contact: Contact
        var groups: Set<ContactGroup.Name> = []
        var enrollments: [(sequence: String, state: Enrollment.State, cause: Enrollment.Cause?)] = []
        var replies: [(replyClass: ReplyClass, counts: Bool)] = []
        var imports: [Timestamp] = []
        var provider: String?
        var begun: [(sequence: String, enrollment: Enrollment.ID)] = []
        /// Of each message: its sequence, whether it was sent, and what a person did with it.
        var mail: [(sequence: String?, isSent: Bool, isOpened: Bool, isClicked: Bool)] = []
        var isSuppressed = false

        var key: String { contact.address.suppressionKey }

        func text(_ name: String) -> String {
            switch name {
            case "email": contact.address.text
            case "domain": contact.address.asciiDomain ?? contact.address.domain
            case "name": contact.displayName ?? ""
            case "time_zone": contact.timeZone ?? ""
            case "consent_source": contact.consent.source ?? ""
            case "provider":
                RecipientProvider.name(noted: provider, domain: contact.address.asciiDomain ?? contact.address.domain)
            default: contact.fields[name] ?? ""
            }
        }
    }

    /// A query as it is written, and what it means.
    private struct Meant {
        let text: String
        let holds: (Person) -> Bool
    }

    private static func folded(_ text: String) -> [UInt8] { text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }

    private static func has(_ part: [UInt8], in whole: [UInt8]) -> Bool {
        whole.indices.contains { whole[$0...].starts(with: part) }
    }

    // MARK: The people

    private func people(_ store: SQLiteStore, _ random: inout SeededRandom) async throws -> [Person] {
        let world = StoreWorld(store: store)
        let domains = ["gmail.com", "example.com", "bücher.example", "GMX.de", "sub.example.com"]
        var people: [Person] = []
        for number in 0..<80 {
            let address = try #require(EmailAddress("p\(number)@\(domains.randomElement(using: &random) ?? "")"))
            var fields: [String: String] = [:]
            for name in ["company", "city", "budget"] where Int.random(in: 0..<3, using: &random) > 0 {
                fields[name] = Self.texts.randomElement(using: &random)
            }
            let contact = Contact(
                id: world.ids.next(), address: address, displayName: Bool.random(using: &random) ? "Ann \(number % 7)" : nil,
                fields: fields,
                timeZone: number % 5 == 0 ? "Europe/Berlin" : nil,
                consent: Consent(
                    source: Int.random(in: 0..<3, using: &random) == 0 ? nil : Self.texts.dropLast().randomElement(using: &random),
                    at: Bool.random(using: &random) ? nil : Self.start - .seconds(Self.day * Int64.random(in: 0...40, using: &random))),
                createdAt: Self.start + .seconds(Self.day * Int64.random(in: -40...0, using: &random)))
            people.append(Person(contact: contact))
        }
        _ = try await store.save(people.map(\.contact))
        for index in people.indices {
            let id = people[index].contact.id
            for kind in ContactGroup.Kind.allCases {
                for text in Self.groupNames.dropLast() where Int.random(in: 0..<3, using: &random) == 0 {
                    let name = try ContactGroup.Name(kind, text)
                    people[index].groups.insert(name)
                    _ = try await store.regroup([.init(contact: id, name: name, isMember: true, at: Self.start)])
                }
            }
            for sequence in Self.sequences.dropLast() where Bool.random(using: &random) {
                let enrollment = try await world.enrolled(people[index].contact.address.text, sequence: sequence)
                people[index].begun.append((sequence, enrollment.id))
                let state = Enrollment.State.allCases.randomElement(using: &random) ?? .active
                let cause = Bool.random(using: &random) ? Enrollment.Cause.allCases.randomElement(using: &random) : nil
                people[index].enrollments.append((sequence, state, cause))
                let due = state == .active || state == .held ? "5" : "NULL"
                try await store.execute(
                    """
                    UPDATE enrollment SET state = '\(state.rawValue)', cause = \(cause.map { "'\($0.rawValue)'" } ?? "NULL"), due_at = \(due)
                    WHERE id = \(enrollment.id.rawValue)
                    """)
            }
            if Int.random(in: 0..<3, using: &random) == 0 { try await reply(to: &people[index], number: index, store, &random) }
            if Int.random(in: 0..<3, using: &random) == 0 { try await mail(to: &people[index], number: index, store, &random) }
        }
        try await imports(&people, world, &random)
        try await suppressions(&people, world)
        return people
    }

    private func reply(to person: inout Person, number: Int, _ store: SQLiteStore, _ random: inout SeededRandom) async throws {
        let replyClass = ReplyClass.allCases.randomElement(using: &random) ?? .neutral
        let label = Bool.random(using: &random) ? ReplyClass.allCases.randomElement(using: &random) : nil
        let certainty = ["low", "medium", "high"].randomElement(using: &random) ?? ""
        let isOwn = Int.random(in: 0..<5, using: &random) == 0
        person.replies.append((label ?? replyClass, certainty != "low" && !isOwn))
        try await store.execute(
            """
            INSERT INTO intake (id, way, received_at, forward_paths, origin, state, attempts) VALUES (\(number + 1), 'smtp', 0, '[]', '', 'sorted', 0)
            """)
        try await store.execute(
            """
            INSERT INTO reply (intake_id, sorted_at, contact_id, certainty, proofs, sender, subject, body_hash, class, effective_class, label,
                confidence, evidence, text, bounces, requires_response, authentication, is_own)
            VALUES (\(number + 1), 0, \(person.contact.id.rawValue), '\(certainty)', '[]', '', '', '', 'neutral', '\(replyClass.rawValue)',
                \(label.map { "'\($0.rawValue)'" } ?? "NULL"), 1, '[]', '', '[]', 0, '', \(isOwn ? 1 : 0))
            """)
    }

    private func mail(to person: inout Person, number: Int, _ store: SQLiteStore, _ random: inout SeededRandom) async throws {
        for (place, provider) in ["outlook", "google", nil].shuffled(using: &random).enumerated() {
            if let provider { person.provider = provider }
            let begun = person.begun.randomElement(using: &random)
            let isSent = Bool.random(using: &random)
            let touches = [0, 7].filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            let byHuman = Int.random(in: 0...1, using: &random)
            person.mail.append(
                (begun?.sequence, isSent, touches.contains(0) && byHuman > 0, touches.contains(7) && byHuman > 0))
            try await store.execute(
                """
                INSERT INTO outbox (id, enrollment_id, workspace_id, contact_id, step, occurrence, identity, route, reverse_path, recipient, recipient_key,
                    recipient_domain, message_id, subject, created_at, budget_day, state, reason, attempts, final_dot_at, provider)
                VALUES (\(number * 10 + place + 1), \(begun.map { "\($0.enrollment.rawValue)" } ?? "NULL"), 1,
                    \(person.contact.id.rawValue), \(place), 0, 'sales', 'r', '', 'x@y.z', 'x@y.z', 'y.z',
                    'm\(number).\(place)@z', '', 0, 0, '\(isSent ? "sent" : "bounced")', '', 1, 1,
                    \(provider.map { "'\($0)'" } ?? "NULL"))
                """)
            for link in touches {
                try await store.execute(
                    """
                    INSERT INTO touch (outbox_id, link_id, by_human, human_at, by_machine, machine_at)
                    VALUES (\(number * 10 + place + 1), \(link), \(byHuman), \(byHuman > 0 ? "5" : "NULL"), 1, 5)
                    """)
            }
        }
    }

    private func imports(_ people: inout [Person], _ world: StoreWorld<SQLiteStore>, _ random: inout SeededRandom) async throws {
        for days in [-20, -2] {
            let at = Self.start + .seconds(Self.day * Int64(days))
            let run = ContactImport(id: world.ids.next(), workspace: .default, file: "f", person: "eve", at: at)
            try await world.store.begin(run)
            for index in people.indices where Int.random(in: 0..<3, using: &random) == 0 {
                let contact = people[index].contact
                people[index].imports.append(at)
                _ = try await world.store.take(
                    [.init(line: index + 2, contact: Contact(id: world.ids.next(), address: contact.address, createdAt: Self.start))],
                    into: run.id)
            }
        }
    }

    private func suppressions(_ people: inout [Person], _ world: StoreWorld<SQLiteStore>) async throws {
        let hashed = people[9].key
        try await world.store.suppress([
            try world.suppression(of: people[3].contact.address.text), world.suppression(.domain("sub.example.com")),
            world.suppression(.pattern("p1?@*")), world.suppression(Suppression.Subject.hash(ofKey: hashed, seed: StoreFolder.seed)),
            try world.suppression(of: people[4].contact.address.text, until: 50),
        ])
        for index in people.indices {
            let key = Array(people[index].key.utf8)
            let isPattern = key.count > 3 && key.starts(with: Array("p1".utf8)) && key[3] == UInt8(ascii: "@")
            people[index].isSuppressed =
                index == 3 || index == 9 || isPattern || Self.has(Array("@sub.example.com".utf8), in: key)
        }
        // What a suppression stopped is stopped in the judgement, too.
        for index in people.indices {
            people[index].enrollments = []
            for enrollment in try await world.store.enrollments(contact: people[index].contact.id) {
                let name = try await world.store.sequence(id: enrollment.sequence)?.plan.name ?? ""
                people[index].enrollments.append((name, enrollment.state, enrollment.cause))
            }
        }
    }

    // MARK: The queries

    private func quoted(_ text: String) -> String { text.utf8.contains(UInt8(ascii: "'")) ? "\"\(text)\"" : "'\(text)'" }

    private func test(_ random: inout SeededRandom) -> Meant {
        func any(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }
        let names = ["company", "city", "budget", "nothing", "email", "domain", "name", "time_zone", "consent_source", "provider"]
        let values = Self.texts + ["google", "p7@gmail.com", "gmail.com", "xn--bcher-kva.example", "Europe/berlin", "ann 3"]
        let name = any(names)
        let value = any(values)
        let sequence = any(Self.sequences)
        switch Int.random(in: 0..<19, using: &random) {
        case 0:
            let kind = ContactGroup.Kind.allCases.randomElement(using: &random) ?? .tag
            let text = any(Self.groupNames)
            let written = String(decoding: Self.folded(text), as: UTF8.self)
            return Meant(text: "\(kind.rawValue):\(quoted(written))") { person in
                person.groups.contains { $0.kind == kind && Self.folded($0.text) == Self.folded(text) }
            }
        case 1: return Meant(text: "suppressed") { $0.isSuppressed }
        case 2: return Meant(text: "enrolled:\(sequence)") { $0.enrollments.contains { $0.sequence == sequence } }
        case 3: return Meant(text: "enrolled") { !$0.enrollments.isEmpty }
        case 4:
            let state = Enrollment.State.allCases.randomElement(using: &random) ?? .active
            return Meant(text: "state:\(sequence) != \(state.rawValue)") {
                !$0.enrollments.contains { $0.sequence == sequence && $0.state == state }
            }
        case 5:
            let cause = Enrollment.Cause.allCases.randomElement(using: &random) ?? .replied
            return Meant(text: "cause in (\(cause.rawValue), replied)") {
                $0.enrollments.contains { $0.cause == cause || $0.cause == .replied }
            }
        case 6:
            let replyClass = ReplyClass.allCases.randomElement(using: &random) ?? .neutral
            return Meant(text: "replied:\(replyClass.rawValue)") { $0.replies.contains { $0.counts && $0.replyClass == replyClass } }
        case 7: return Meant(text: "replied") { $0.replies.contains { $0.counts && $0.replyClass.isHuman } }
        case 8:
            let days = Int.random(in: 0...40, using: &random)
            let bound = Self.start - .seconds(Self.day * Int64(days))
            return Meant(text: "created >= P\(days)D ago") { $0.contact.createdAt >= bound }
        case 9:
            // The moment at which everything starts is 2026-09-21T14:13:20Z.
            guard let date = CivilDate(year: 2026, month: 9, day: Int.random(in: 1...30, using: &random)) else { break }
            let end = date.adding(days: 1).startOfDayUTC
            return Bool.random(using: &random)
                ? Meant(text: "imported > \(date.iso8601)") { $0.imports.contains { $0 >= end } }
                : Meant(text: "created = \(date.iso8601)") { $0.contact.createdAt >= date.startOfDayUTC && $0.contact.createdAt < end }
        case 10: return Meant(text: "imported") { !$0.imports.isEmpty }
        case 11:
            let number = Double(Int.random(in: -5...12, using: &random))
            return Meant(text: "budget < \(Int(number))") { person in
                guard ["5", "-3.50", "10"].contains(person.text("budget")), let own = Double(person.text("budget")) else { return false }
                return own < number
            }
        case 14: return Meant(text: "consent_date") { $0.contact.consent.at != nil }
        case 15:
            let days = Int.random(in: 0...40, using: &random)
            let bound = Self.start - .seconds(Self.day * Int64(days))
            return Meant(text: "consent_date < P\(days)D ago") { $0.contact.consent.at.map { $0 < bound } ?? false }
        case 16: return Meant(text: "sent:\(sequence)") { $0.mail.contains { $0.isSent && $0.sequence == sequence } }
        case 17: return Meant(text: "opened") { $0.mail.contains { $0.isOpened || $0.isClicked } }
        case 18:
            return Meant(text: "sent and not clicked:\(sequence)") {
                $0.mail.contains { $0.isSent } && !$0.mail.contains { $0.isClicked && $0.sequence == sequence }
            }
        case 12:
            let part = Self.folded(value)
            guard !part.isEmpty else { return Meant(text: name) { !$0.text(name).utf8.isEmpty } }
            switch Int.random(in: 0..<3, using: &random) {
            case 0: return Meant(text: "\(name) contains \(quoted(value))") { Self.has(part, in: Self.folded($0.text(name))) }
            case 1: return Meant(text: "\(name) starts_with \(quoted(value))") { Self.folded($0.text(name)).starts(with: part) }
            default:
                return Meant(text: "\(name) ends_with \(quoted(value))") {
                    Self.folded($0.text(name)).reversed().starts(with: part.reversed())
                }
            }
        default: break
        }
        let other = any(values)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return Meant(text: "\(name) = \(quoted(value))") { Self.folded($0.text(name)) == Self.folded(value) }
        case 1: return Meant(text: "\(name) != \(quoted(value))") { Self.folded($0.text(name)) != Self.folded(value) }
        default:
            return Meant(text: "\(name) not in (\(quoted(value)), \(quoted(other)))") {
                Self.folded($0.text(name)) != Self.folded(value) && Self.folded($0.text(name)) != Self.folded(other)
            }
        }
    }

    private func query(_ depth: Int, _ random: inout SeededRandom) -> Meant {
        guard depth > 0, Int.random(in: 0..<4, using: &random) > 0 else { return test(&random) }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let inner = query(depth - 1, &random)
            return Meant(text: "not (\(inner.text))") { !inner.holds($0) }
        }
        let (first, second, third) = (query(depth - 1, &random), query(depth - 1, &random), test(&random))
        // What binds closer is said by parentheses around the parts alone.
        return Bool.random(using: &random)
            ? Meant(text: "(\(first.text)) and (\(second.text)) or \(third.text)") {
                first.holds($0) && second.holds($0) || third.holds($0)
            }
            : Meant(text: "\(third.text) or (\(first.text)) and not (\(second.text))") {
                third.holds($0) || first.holds($0) && !second.holds($0)
            }
    }

    @Test("the database finds whom a query means", arguments: 0..<4)
    func finds(seed: Int) async throws {
        var random = SeededRandom(seed: UInt64(seed) &+ 1)
        let folder = StoreFolder()
        let store = try folder.open()
        let people = try await people(store, &random)
        let now = Self.start + .seconds(100)
        var sizes: Set<Int> = []
        for _ in 0..<150 {
            let meant = query(3, &random)
            // Moments in queries stand for the start of the world.
            let isOfPast = meant.text.contains(" ago")
            let parsed = try SegmentQuery(meant.text)
            let found = try await store.contacts(
                in: parsed, workspace: .default, at: isOfPast ? Self.start : now, after: nil, limit: 1000)
            let wanted = people.filter { person in
                // Before its end, the one suppression that has one holds.
                var person = person
                if isOfPast, person.key == people[4].key { person.isSuppressed = true }
                return meant.holds(person)
            }
            #expect(found.map(\.id) == wanted.map(\.contact.id), "\(meant.text)")
            sizes.insert(wanted.count)
        }
        #expect(sizes.count > 20, "the queries tell people apart")
    }

    @Test("pages go on where the last one ended, workspaces are apart, who was forgotten is nobody")
    func pages() async throws {
        let folder = StoreFolder()
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let all = try (0..<5).map { try world.contact("c\($0)@example.com", fields: ["n": "\($0 % 2)"]) }
        _ = try await store.save(all)
        let query = try SegmentQuery("n = 0")
        func page(_ after: Contact.ID?, _ limit: Int, _ workspace: WorkspaceID = .default) async throws -> [Contact.ID] {
            try await store.contacts(in: query, workspace: workspace, at: Self.start, after: after, limit: limit).map(\.id)
        }
        #expect(try await page(nil, 2) == [all[0].id, all[2].id])
        #expect(try await page(all[2].id, 2) == [all[4].id])
        #expect(try await page(nil, 9, WorkspaceID(rawValue: 2)).isEmpty)
        _ = try await store.erase(Erasure(workspace: .default, address: all[0].address, person: "eve", at: Self.start))
        #expect(try await page(nil, 9) == [all[2].id, all[4].id])
        let odd = try SegmentQuery("n = 1 or m = 1 or tag:x or list:y or enrolled:z")
        #expect(try await store.unknown(odd.mentions, workspace: .default).map(\.text) == ["m", "x", "y", "z"])
    }

    @Test("the longest and deepest query that is read is also run, and no text of it becomes a part of the statement")
    func limits() async throws {
        let folder = StoreFolder()
        let store = try folder.open()
        _ = try await StoreWorld(store: store).savedContact("ann@example.com")
        let wide = try SegmentQuery(Array(repeating: "a=1", count: 200).joined(separator: " or "))
        // As many as SQLite's own parser must keep at once.
        let nests = SegmentQuery.deepest - 1
        for leaf in ["state:x = active", "tag:x", "provider > 5", "imported > 2026-01-01", "a = 1"] {
            let source = String(repeating: "\(leaf) or \(leaf) and not (", count: nests) + leaf + String(repeating: ")", count: nests)
            let nested = try SegmentQuery(source)
            _ = try await store.contacts(in: nested, workspace: .default, at: Self.start, after: nil, limit: 9)
        }
        let deep = try SegmentQuery(String(repeating: "(not ", count: nests) + "not not suppressed" + String(repeating: ")", count: nests))
        #expect(try await store.contacts(in: wide, workspace: .default, at: Self.start, after: nil, limit: 9).isEmpty)
        #expect(try await store.contacts(in: deep, workspace: .default, at: Self.start, after: nil, limit: 9).count == 1)
        let evil = "a-zz = 'zzq' or tag:'zzq' or enrolled:'zzq' or zzq contains 'zzq' or domain in ('zzq') or field.zzq > 5"
        var statement = SegmentStatement(try SegmentQuery(evil), at: Self.start)
        #expect(!statement.sql.contains("zz"))
    }
}
