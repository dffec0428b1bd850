import InternetMessage
import Outreach

/// An answer that ends what runs for the other people of a company.
extension Ledger {
    func add(_ stop: CompanyStop) throws {
        let others = try db.records(
            SQLiteStore.companySQL,
            [
                "workspace": stop.workspace.rawValue, "company": stop.company, "answered": stop.answered.rawValue,
                "version": stop.sequence?.rawValue,
            ]
        ).map(Enrollment.init)
        var facts = ["class": stop.replyClass.rawValue, "company": stop.company]
        facts["reply"] = stop.reply?.description
        let answered = try db.record(
            """
            SELECT enrollment.contact_id, sequence.name FROM enrollment JOIN sequence ON sequence.id = enrollment.sequence_id
            WHERE enrollment.id = :answered
            """, ["answered": stop.answered.rawValue])
        let author: Contact.ID? = try answered?.id("contact_id")
        let own = try answered.map { stop.ownWords(of: try $0.text("name")) } ?? stop.words
        for enrollment in others {
            try self.stop(enrollment, cause: .company, because: enrollment.contact == author ? own : stop.words, at: stop.at, facts)
        }
    }
}

extension SQLiteStore {
    static let companySQL = """
        SELECT enrollment.*
        FROM contact INDEXED BY contact_domain
            CROSS JOIN enrollment INDEXED BY enrollment_running ON enrollment.contact_id = contact.id
        WHERE contact.workspace_id = :workspace AND contact.address_domain = :company
            AND enrollment.state NOT IN ('finished', 'stopped') AND enrollment.id <> :answered
            AND (:version IS NULL OR enrollment.sequence_id = (SELECT sequence_id FROM sequence_version WHERE id = :version))
        ORDER BY +enrollment.id
        """
}
