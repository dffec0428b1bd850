/// `[contacts]`: which addresses an import takes, and the lists that it knows them by.
package struct ContactSettings: ConfSection, Equatable {
    /// What an address can be by its looks.
    package enum Trait: String, Sendable, CaseIterable {
        case role
        case freeMail = "free_mail"
        case disposable
    }

    package var refuse: [Trait] = [.disposable]
    /// Nil: the list that the binary carries, as for the other two.
    package var roleFile: String?
    package var freeMailFile: String?
    package var disposableFile: String?
    /// In lower case with A-labels or as written.
    package var sharedDomains: [String] = []

    init(name: String) {}

    static let fields: [Field<ContactSettings>] = [
        Field(
            "refuse", \.refuse, .list(.choice, count: 0...3),
            "Addresses that an import refuses: of an office (info@), of mail for everybody, to throw away. What is not refused is noted."),
        Field("role_file", \.roleFile, .file, "Local parts that name an office, one a line, in place of the built-in list."),
        Field("free_mail_file", \.freeMailFile, .file, "Domains of mail for everybody, one a line, in place of the built-in list."),
        Field("disposable_file", \.disposableFile, .file, "Domains of addresses to throw away, one a line, in place of the built-in list."),
        Field(
            "shared_domains", \.sharedDomains, .list(.domain, count: 0...1000),
            "Domains that are no company's, beside those of free mail: what counts for a company does not count for them."),
    ]
}
