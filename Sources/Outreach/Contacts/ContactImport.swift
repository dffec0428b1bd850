package import InternetMessage

/// One file of contacts that was taken in; its id undoes it.
package struct ContactImport: Sendable, Equatable {
    package typealias ID = RecordID<ContactImport>

    /// How the rows of a file fared.
    package struct Counts: Sendable, Equatable {
        package var rows = 0
        package var created = 0
        package var updated = 0
        package var suppressed = 0
        package var refused = 0

        package init() {}

        package mutating func count(_ verdict: Verdict) {
            rows += 1
            switch verdict {
            case .created: created += 1
            case .updated: updated += 1
            case .suppressed: suppressed += 1
            case .refused, .duplicate: refused += 1
            }
        }
    }

    /// A row that can be taken.
    package struct Row: Sendable, Equatable {
        /// Its line in the file, from 1.
        package let line: Int
        package let contact: Contact
        /// Tags and lists that it comes into, each once.
        package let groups: [ContactGroup.Name]
        /// Other addresses of the person, each once and none of them the contact's own.
        package let furtherAddresses: [EmailAddress]

        package init(line: Int, contact: Contact, groups: [ContactGroup.Name] = [], furtherAddresses: [EmailAddress] = []) {
            self.line = line
            self.contact = contact
            self.groups = groups
            self.furtherAddresses = furtherAddresses
        }
    }

    package enum Verdict: Sendable, Equatable {
        /// nil in a dry run.
        case created(Contact.ID?)
        /// A contact with the same suppression key was there; what the row gives was brought up to date.
        case updated(Contact.ID)
        /// The address is suppressed, or another one of the person for a reason of theirs; nothing was stored.
        case suppressed(reason: String)
        /// The same file has the address on that line already.
        case duplicate(line: Int)
        /// Nothing was stored, for what is wrong with the row.
        case refused(String)
    }

    package let id: ID
    package let workspace: WorkspaceID
    /// The file, as the person named it.
    package let file: String
    package let person: String
    package let at: Timestamp
    /// nil: it was broken off, or goes on still.
    package let finishedAt: Timestamp?
    package let undoneAt: Timestamp?
    package let counts: Counts

    package init(
        id: ID, workspace: WorkspaceID, file: String, person: String, at: Timestamp, finishedAt: Timestamp? = nil,
        undoneAt: Timestamp? = nil, counts: Counts = Counts()
    ) {
        self.id = id
        self.workspace = workspace
        self.file = file
        self.person = person
        self.at = at
        self.finishedAt = finishedAt
        self.undoneAt = undoneAt
        self.counts = counts
    }
}

/// What the undoing of an import did with some of its rows.
package struct ContactImportUndo: Sendable, Equatable {
    /// A contact that stays, because more has come of it.
    package struct Kept: Sendable, Equatable {
        package let address: EmailAddress
        package let because: String

        package init(address: EmailAddress, because: String) {
            self.address = address
            self.because = because
        }
    }

    /// Contacts that the import had made.
    package var deleted = 0
    /// Contacts that have their values of before again, but where a value was changed since.
    package var restored = 0
    /// Tags and lists that contacts have no more.
    package var ungrouped = 0
    package var kept: [Kept] = []
    /// Whether rows of the import are left to be undone.
    package var hasMore = false

    package init() {}
}
