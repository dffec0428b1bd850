/// The floors of the house: a target imports only targets of lower floors.
enum Floors {
    /// The floor of each target of `Sources/`.
    static let of: [String: Int] = [
        "COpenSSL": 0, "CSASL": 0, "CIDN2": 0, "CUnbound": 0, "CZlib": 0, "CEmbedded": 0,
        "Embedded": 1, "InternetMessage": 1, "SMTP": 1, "IMAP": 1, "DNS": 1, "Toml": 1, "HTTPFetch": 1, "SASL": 1, "OpenSSL": 1,
        "Outreach": 2, "MailTransport": 2, "MailAuthentication": 2, "MailClassifier": 2, "Settings": 2,
        "Mailroom": 3, "Rehearsal": 3,
        "SQLiteStore": 4, "WebInterface": 4,
        "postrider": 5,
    ]

    /// The one import inside a floor: the rehearsal winds the real services.
    static let sidewaysImports: Set<String> = ["Rehearsal -> Mailroom"]

    /// Targets that only the executable may import: they meet the others through protocols and values.
    static let executableOnly: Set<String> = ["SQLiteStore", "WebInterface", "Settings"]

    /// What a target may import at most of the house, where that is less than its floor allows.
    static let narrowViews: [String: Set<String>] = [
        "SQLiteStore": ["Outreach", "InternetMessage"],
        "Settings": ["InternetMessage", "Toml"],
    ]

    /// Who may import which module from outside; a module that is not listed here has no owner yet and is refused.
    static let owners: [String: Set<String>] = [
        "COpenSSL": ["OpenSSL"], "CSASL": ["SASL"], "CIDN2": ["InternetMessage"], "CUnbound": ["DNS"], "CZlib": ["InternetMessage"], "CEmbedded": ["Embedded"],
        "GRDB": ["SQLiteStore"], "GRDBSQLite": ["SQLiteStore"], "TOMLKit": ["Toml"], "ArgumentParser": ["postrider"], "UnixSignals": ["postrider"],
        "Mustache": ["Outreach", "WebInterface"],
        "Hummingbird": ["WebInterface"], "HummingbirdCore": ["WebInterface"], "HTTPTypes": ["WebInterface"],
        "AsyncHTTPClient": ["HTTPFetch"], "NIOHTTP1": ["HTTPFetch"], "NIOSSL": ["HTTPFetch"],
        "NIOCore": ["SMTP", "IMAP", "HTTPFetch", "OpenSSL", "MailTransport", "Rehearsal", "WebInterface", "postrider"],
        "NIOPosix": ["HTTPFetch", "MailTransport", "Rehearsal", "postrider"],
        "NIOConcurrencyHelpers": ["MailTransport", "Rehearsal"],
        "Logging": ["MailTransport", "Mailroom", "Rehearsal", "SQLiteStore", "WebInterface", "postrider"],
        "ServiceLifecycle": ["Mailroom", "Rehearsal", "WebInterface", "postrider"],
    ]

    /// Modules of the toolchain, open to every target.
    static let toolchain: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "FoundationInternationalization", "Glibc", "Synchronization", "Dispatch",
        "RegexBuilder",
    ]

    /// Targets whose machines do no input or output: of NIO they see the type `ByteBuffer` and nothing else.
    static let sansIO: Set<String> = ["SMTP", "IMAP"]

    /// Targets that wrap a C library, and so may hold unsafe pointers anywhere.
    static let wrappers: Set<String> = ["OpenSSL", "SASL", "DNS", "Embedded"]
}
