package import InternetMessage

/// A person we write to.
package struct Contact: Sendable, Equatable {
    package typealias ID = RecordID<Contact>

    package let id: ID
    package let workspace: WorkspaceID
    package var address: EmailAddress
    /// The name for the To field; nil when unknown.
    package var displayName: String?
    /// Values for template tags by name (`first_name`, `company`, ...).
    package var fields: [String: String]
    /// IANA name of the contact's own time zone; nil when unknown, then the sender's window counts.
    package var timeZone: String?
    package var consent: Consent
    package let createdAt: Timestamp

    package init(
        id: ID, workspace: WorkspaceID, address: EmailAddress, displayName: String? = nil, fields: [String: String] = [:],
        timeZone: String? = nil, consent: Consent = Consent(), createdAt: Timestamp
    ) {
        self.id = id
        self.workspace = workspace
        self.address = address
        self.displayName = displayName
        self.fields = fields
        self.timeZone = timeZone
        self.consent = consent
        self.createdAt = createdAt
    }
}

/// What became of a further address that a contact was to have.
package enum FurtherAddressVerdict: Sendable, Equatable {
    /// - Parameter isSuppressed: one of the person's addresses is suppressed for a reason of the person, and now all of them are.
    case added(isSuppressed: Bool)
    /// It is the contact's already.
    case known
    /// It is an address of that other contact.
    case taken(Contact.ID)
    /// The contact has as many as there is room for.
    case tooMany
    case noSuchContact
}

/// What an import or a save did with one contact.
package enum ContactVerdict: Sendable, Equatable {
    case created(Contact.ID)
    /// A contact with the same suppression key was there; its name and fields were brought up to date.
    case updated(Contact.ID)
    /// The address or its domain is suppressed; nothing was stored.
    case suppressed(reason: String)
}
