import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: SegmentStore {
    package func contacts(in query: SegmentQuery, workspace: WorkspaceID, at now: Timestamp, after: Contact.ID?, limit: Int)
        async throws(StoreError) -> [Contact]
    {
        try await read { ledger in
            var statement = SegmentStatement(query, at: now)
            let sql = statement.sql
            if statement.asksForHashes { try ledger.addHashFunction() }
            return try ledger.db.records(
                sql,
                statement.arguments + [
                    "workspace": workspace.rawValue, "after": after?.rawValue ?? 0, "limit": max(0, limit),
                ]
            ).map(Contact.init)
        }
    }

    package func unknown(_ mentions: [SegmentQuery.Mention], workspace: WorkspaceID) async throws(StoreError) -> [SegmentQuery.Mention] {
        try await read { ledger in try mentions.filter { try !ledger.isKnown($0, in: workspace) } }
    }
}

extension Ledger {
    fileprivate func isKnown(_ mention: SegmentQuery.Mention, in workspace: WorkspaceID) throws -> Bool {
        let scope: Arguments = ["workspace": workspace.rawValue]
        switch mention.kind {
        case .field:
            return try db.exists(
                "SELECT 1 FROM contact WHERE workspace_id = :workspace AND json_extract(fields, :path) IS NOT NULL LIMIT 1",
                scope + ["path": SegmentStatement.path(mention.text)])
        case .tag, .list:
            guard let kind = ContactGroup.Kind(rawValue: mention.kind.rawValue), let name = try? ContactGroup.Name(kind, mention.text)
            else {
                return false
            }
            return try db.exists(
                "SELECT 1 FROM contact_group WHERE workspace_id = :workspace AND kind = :kind AND name_key = :key",
                scope + ["kind": kind.rawValue, "key": name.key])
        case .sequence:
            return try db.exists(
                "SELECT 1 FROM sequence WHERE workspace_id = :workspace AND name = :name", scope + ["name": mention.text.storable])
        }
    }

    /// Lets statements of this connection ask for the hash under which somebody stays suppressed who was forgotten.
    fileprivate func addHashFunction() throws {
        let seed = try seed()
        db.add(
            function: DatabaseFunction("suppression_hash", argumentCount: 1, pure: true) { values in
                String.fromDatabaseValue(values[0]).map { Suppression.Subject.hash(ofKey: $0, seed: seed).text }
            })
    }
}

/// The one statement that a query becomes; whatever a person wrote is a value of it and never its text.
struct SegmentStatement {
    private let query: SegmentQuery
    private let now: Timestamp
    private var pairs: [(name: String, value: StoredValue)] = []
    private(set) var asksForHashes = false

    init(_ query: SegmentQuery, at now: Timestamp) {
        self.query = query
        self.now = now
    }

    var arguments: Arguments { Arguments(pairs: pairs) }

    var sql: String {
        mutating get {
            """
            SELECT contact.* FROM contact
            WHERE contact.workspace_id = :workspace AND contact.id > :after AND contact.erased_at IS NULL AND \(condition(query.root))
            ORDER BY contact.id LIMIT :limit
            """
        }
    }

    /// The path of a field in the JSON of a contact.
    static func path(_ field: String) -> String { "$.\"\(field)\"" }

    private mutating func bind(_ value: StoredValue) -> String {
        let name = "p\(pairs.count)"
        pairs.append((name, value))
        return ":\(name)"
    }

    private mutating func condition(_ node: Expression<SegmentQuery.Test>) -> String {
        switch node {
        case .all(let nodes): return joined(nodes, " AND ")
        case .any(let nodes): return joined(nodes, " OR ")
        case .not(let node): return "(NOT \(condition(node)))"
        case .test(let test): return "(\(condition(test)))"
        }
    }

    private mutating func joined(_ nodes: [Expression<SegmentQuery.Test>], _ word: String) -> String {
        var parts: [String] = []
        for node in nodes { parts.append(condition(node)) }
        return "(\(parts.joined(separator: word)))"
    }

    private mutating func condition(_ test: SegmentQuery.Test) -> String {
        switch test {
        case .isIn(let name):
            return """
                EXISTS (SELECT 1 FROM contact_group_member AS member WHERE member.contact_id = contact.id AND member.group_id = (
                    SELECT id FROM contact_group
                    WHERE workspace_id = :workspace AND kind = \(bind(.text(name.kind.rawValue))) AND name_key = \(bind(.text(name.key)))))
                """
        case .suppressed:
            asksForHashes = true
            let moment = bind(.integer(now.milliseconds))
            let ways = [
                "kind = 'address' AND subject = contact.address_key", "kind = 'domain' AND subject = contact.address_domain",
                "kind = 'pattern' AND contact.address_key GLOB subject",
                "kind = 'hash' AND subject = suppression_hash(contact.address_key)",
            ]
            return ways.map { way in
                """
                EXISTS (SELECT 1 FROM suppression
                    WHERE workspace_id IN (0, :workspace) AND \(way) AND (expires_at IS NULL OR expires_at > \(moment)))
                """
            }.joined(separator: " OR ")
        case .enrolled(let sequence): return "EXISTS (\(enrollments(sequence)))"
        case .replied(let replyClass):
            let classes = replyClass.map { [$0] } ?? ReplyClass.allCases.filter(\.isHuman)
            var places: [String] = []
            for one in classes { places.append(bind(.text(one.rawValue))) }
            return """
                EXISTS (SELECT 1 FROM reply
                    WHERE contact_id = contact.id AND COALESCE(label, effective_class) IN (\(places.joined(separator: ", ")))
                        AND certainty IN ('medium', 'high') AND duplicate_of IS NULL AND is_own = 0)
                """
        case .mailed(let what, let sequence): return "EXISTS (\(messages(what, sequence)))"
        case .given(let text):
            switch text {
            // Every enrollment has a state, and those without a cause just go on.
            case .state(let sequence): return "EXISTS (\(enrollments(sequence)))"
            case .cause(let sequence): return "EXISTS (\(enrollments(sequence)) AND cause IS NOT NULL)"
            default: return "\(expression(text)) <> ''"
            }
        case .compare(let text, let comparison):
            switch text {
            case .state(let sequence): return "EXISTS (\(enrollments(sequence)) AND \(compare("state", comparison)))"
            case .cause(let sequence): return "EXISTS (\(enrollments(sequence)) AND \(compare("cause", comparison)))"
            default: return compare(expression(text), comparison)
            }
        case .created(let order, let moment): return compare("contact.created_at", order, moment)
        case .consented(let order, let moment):
            // Where nothing is known the opposite of a comparison holds, too.
            let when = order.map { " AND " + compare("contact.consent_at", $0, moment) } ?? ""
            return "contact.consent_at IS NOT NULL\(when)"
        case .imported(let order, let moment):
            let when = order.map { " AND " + compare("contact_import.at", $0, moment) } ?? ""
            return """
                EXISTS (SELECT 1 FROM contact_import_row AS row CROSS JOIN contact_import ON contact_import.id = row.import_id
                    WHERE row.contact_id = contact.id\(when))
                """
        }
    }

    private mutating func enrollments(_ sequence: String?) -> String {
        let all = "SELECT id FROM enrollment WHERE contact_id = contact.id"
        guard let sequence else { return all }
        return all
            + " AND sequence_id = (SELECT id FROM sequence WHERE workspace_id = :workspace AND name = \(bind(.text(sequence.storable))))"
    }

    /// The messages to a contact of which that is so.
    private mutating func messages(_ what: SegmentQuery.Mail, _ sequence: String?) -> String {
        var tests = ["outbox.contact_id = contact.id"]
        if sequence != nil { tests.append("outbox.enrollment_id IN (\(enrollments(sequence)))") }
        switch what {
        case .sent: return "SELECT 1 FROM outbox WHERE state = 'sent' AND \(tests.joined(separator: " AND "))"
        case .opened, .clicked:
            if what == .clicked { tests.append("touch.link_id > 0") }
            return """
                SELECT 1 FROM outbox CROSS JOIN touch ON touch.outbox_id = outbox.id
                WHERE touch.by_human > 0 AND \(tests.joined(separator: " AND "))
                """
        }
    }

    /// The text that a contact has; empty where it has none.
    private mutating func expression(_ text: SegmentQuery.Text) -> String {
        switch text {
        case .field(let name): "COALESCE(json_extract(contact.fields, \(bind(.text(Self.path(name))))), '')"
        case .email: "contact.address"
        case .domain: "contact.address_domain"
        case .name: "COALESCE(contact.display_name, '')"
        case .timeZone: "COALESCE(contact.time_zone, '')"
        case .consentSource: "COALESCE(contact.consent_source, '')"
        case .provider: Self.provider
        case .state, .cause: "''"
        }
    }

    /// Whose servers the latest message was tried at, else whose own domain it is.
    private static let provider: String = {
        let cases = RecipientProvider.domains.sorted { $0.key < $1.key }.map { "WHEN '\($0.key)' THEN '\($0.value)'" }
        return """
            COALESCE(
                (SELECT provider FROM outbox WHERE contact_id = contact.id AND provider IS NOT NULL ORDER BY id DESC LIMIT 1),
                CASE contact.address_domain \(cases.joined(separator: " ")) ELSE '\(RecipientProvider.other)' END)
            """
    }()

    private mutating func compare(_ expression: String, _ comparison: SegmentQuery.Comparison) -> String {
        switch comparison {
        case .oneOf(let texts):
            var places: [String] = []
            for text in texts { places.append(bind(.text(text.storable))) }
            return "lower(\(expression)) IN (\(places.joined(separator: ", ")))"
        case .contains(let text): return "instr(lower(\(expression)), \(bind(.text(text.storable)))) > 0"
        case .startsWith(let text):
            let place = bind(.text(text.storable))
            return "substr(lower(\(expression)), 1, length(\(place))) = \(place)"
        case .endsWith(let text):
            let place = bind(.text(text.storable))
            return "substr(lower(\(expression)), -length(\(place))) = \(place)"
        case .number(let order, let number):
            // As `SegmentNumber` reads them.
            return """
                (SELECT length(n.text) BETWEEN 1 AND \(SegmentNumber.longest) AND n.text NOT GLOB '*[^-0-9.]*' AND n.text NOT GLOB '?*-*'
                    AND n.text NOT GLOB '*.*.*' AND n.text GLOB '*[0-9]*' AND CAST(n.text AS REAL) \(order.rawValue) \(bind(.real(number)))
                FROM (SELECT \(expression) AS text) AS n)
                """
        }
    }

    private mutating func compare(_ column: String, _ order: SegmentQuery.Order, _ moment: SegmentQuery.Moment) -> String {
        let span = moment.span(at: now)
        let (first, end) = (StoredValue.integer(span.lowerBound.milliseconds), StoredValue.integer(span.upperBound.milliseconds))
        switch order {
        case .less: return "\(column) < \(bind(first))"
        case .atMost: return "\(column) < \(bind(end))"
        case .more: return "\(column) >= \(bind(end))"
        case .atLeast: return "\(column) >= \(bind(first))"
        case .same: return "(\(column) >= \(bind(first)) AND \(column) < \(bind(end)))"
        }
    }
}
