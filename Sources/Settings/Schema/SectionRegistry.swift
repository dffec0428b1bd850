internal import Toml

/// One kind of section, with its type forgotten: what the loader and the printers work with.
struct SectionKind: Sendable {
    /// A key as printers need it.
    struct Key: Sendable {
        var name: String
        var form: String
        var doc: String
        var isRequired: Bool
        /// As TOML, nil when there is none.
        var defaultText: String?
    }

    /// A section as it stands in some settings, with its non-default values as TOML.
    struct Shown: Sendable {
        var path: [String]
        var pairs: [(key: String, text: String)]
    }

    /// The header without the NAME; empty for the keys before the first section.
    let path: [String]
    /// What stands in place of the NAME in documentation, nil when sections of this kind have no name.
    let placeholder: String?
    let doc: String
    let keys: [Key]
    /// Whether its required keys are asked for even when the section is not written.
    let isAlwaysThere: Bool
    let read: @Sendable (MergedSection, inout Settings, ReadingContext) -> [(key: String, complaint: Complaint)]
    let shown: @Sendable (Settings) -> [Shown]

    func matches(_ candidate: [String]) -> Bool {
        guard candidate.count == path.count + (placeholder == nil ? 0 : 1) else { return false }
        return zip(path, candidate).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Whether a table at this path is on the way to such a section.
    func isBelow(_ candidate: [String]) -> Bool {
        candidate.count < path.count + (placeholder == nil ? 0 : 1) && zip(path, candidate).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// `route.NAME`, for documentation.
    var header: String { TomlText.path(path) + (placeholder.map { (path.isEmpty ? "" : ".") + $0 } ?? "") }

    private init<Section: ConfSection>(
        _ type: Section.Type, _ path: [String], placeholder: String? = nil, isAlwaysThere: Bool = false, _ doc: String,
        store: @escaping @Sendable (Section, inout Settings) -> Void, all: @escaping @Sendable (Settings) -> [(String?, Section)]
    ) {
        self.path = path
        self.placeholder = placeholder
        self.doc = doc
        self.isAlwaysThere = isAlwaysThere
        let fresh = Section(name: "")
        self.keys = Section.fields.map {
            Key(name: $0.name, form: $0.form, doc: $0.doc, isRequired: $0.isRequired, defaultText: $0.isRequired ? nil : $0.text(fresh))
        }
        self.read = { merged, settings, context in
            var section = Section(name: placeholder == nil ? "" : merged.path.last ?? "")
            var complaints: [(key: String, complaint: Complaint)] = []
            for field in Section.fields {
                if let value = merged.keys.first(where: { $0.name.utf8.elementsEqual(field.name.utf8) })?.value {
                    complaints += field.apply(value, &section, context).map { (field.name, $0) }
                } else if field.isRequired {
                    complaints.append(("", Complaint("'\(field.name)' is missing in \(merged.title)", "add \(field.name) = \(field.form)")))
                }
            }
            store(section, &settings)
            return complaints
        }
        self.shown = { settings in
            all(settings).map { name, section in
                let pairs = Section.fields.filter { !$0.isDefault(section) }
                    .compactMap { field in field.text(section).map { (key: field.name, text: $0) } }
                return Shown(path: path + (name.map { [$0] } ?? []), pairs: pairs)
            }
        }
    }

    static func always<Section: ConfSection>(
        _ path: [String], _ member: any WritableKeyPath<Settings, Section> & Sendable, _ doc: String
    ) -> SectionKind {
        SectionKind(Section.self, path, isAlwaysThere: true, doc) {
            $1[keyPath: member] = $0
        } all: {
            [(nil, $0[keyPath: member])]
        }
    }

    static func optional<Section: ConfSection>(
        _ path: [String], _ member: any WritableKeyPath<Settings, Section?> & Sendable, _ doc: String
    ) -> SectionKind {
        SectionKind(Section.self, path, doc) {
            $1[keyPath: member] = $0
        } all: {
            $0[keyPath: member].map { [(nil, $0)] } ?? []
        }
    }

    static func named<Section: ConfSection>(
        _ path: [String], placeholder: String = "NAME", _ member: any WritableKeyPath<Settings, [Section]> & Sendable,
        name: any KeyPath<Section, String> & Sendable, _ doc: String
    ) -> SectionKind {
        SectionKind(Section.self, path, placeholder: placeholder, doc) {
            $1[keyPath: member].append($0)
        } all: {
            $0[keyPath: member].map { ($0[keyPath: name], $0) }
        }
    }

    /// Every section that exists, in the order of documentation.
    static let all: [SectionKind] = [
        .always([], \.root, "Before the first section."),
        .always(["main"], \.main, "This machine."),
        .always(["dns"], \.dns, "Which DNS servers are asked."),
        .always(["log"], \.log, "What is logged, and how."),
        .named(["source"], \.sources, name: \.name, "A local address that mail leaves from, with its EHLO name."),
        .named(["route"], \.routes, name: \.name, "A way out for mail."),
        .named(["pool"], \.pools, name: \.name, "Routes that share mail by weight."),
        .always(["transport"], \.transport, "Which route takes what."),
        .named(["oauth"], \.oauths, name: \.name, "An authorization server that gives access tokens for logins."),
        .always(["secrets"], \.secrets, "What the secrets in the database are sealed with."),
        .named(
            ["tls_policy"], placeholder: "\"DOMAIN\"", \.tlsPolicies, name: \.domain,
            "What TLS must give on the way to one destination, in place of what its route says."),
        .always(["mta_sts"], \.mtaSTS, "Whether the MTA-STS policies of recipient domains are kept to."),
        .always(["queue"], \.queue, "How often and how long delivery is tried, and the timeouts of the SMTP client."),
        .always(["safety"], \.safety, "What keeps mail in, whatever else would let it out."),
        .always(["limits"], \.limits, "What may leave in which time."),
        .always(["frequency"], \.frequency, "How often one person or company is written to, over all sequences."),
        .always(["shaping"], \.shaping, "How the mail sites of the recipients are treated."),
        .always(["window"], \.window, "When sequence mail may leave."),
        .optional(
            ["recipients"], \.recipients,
            "The hours of those who are written to, by their own clocks; without this section only [window] counts."),
        .always(["workday"], \.workday, "The hours of those identities that say workday = true."),
        .always(["warmup"], \.warmup, "What makes a warm-up step back."),
        .always(["retention"], \.retention, "How long text is kept whose facts stay."),
        .named(["guardrail"], \.guardrails, name: \.name, "Figures that must not be passed, such as a bounce rate."),
        .always(["alerts"], \.alerts, "Who is written to when something stands still."),
        .always(["bounce"], \.bounce, "What the refusals of mail servers mean."),
        .always(["classify"], \.classify, "How people's words are read."),
        .always(["dkim"], \.dkim, "What holds for all DKIM signatures."),
        .named(["dkim", "key"], placeholder: "\"DOMAIN\"", \.dkimKeys, name: \.domain, "The keys that sign for a domain."),
        .named(["identity"], \.identities, name: \.name, "Somebody that mail is sent as."),
        .named(["rotation"], \.rotations, name: \.name, "Identities that share those who are enrolled."),
        .always(["contacts"], \.contacts, "Which addresses an import takes."),
        .named(["webhook"], \.webhooks, name: \.name, "Another system that steps of sequences hand contacts over to."),
        .named(["segment"], \.segments, name: \.name, "Contacts that are meant together, for --segment."),
        .named(["mailbox"], \.mailboxes, name: \.name, "An IMAP account that is read for replies."),
        .optional(["listener", "smtp"], \.writtenSMTPListener, "The SMTP listener for replies and bounces; there is no relay."),
        .optional(
            ["listener", "lmtp"], \.writtenLMTPListener, "The LMTP listener, for a mail server on this machine that hands mail over."),
        .always(["tokens"], \.tokens, "Signed reply and bounce addresses."),
        .optional(["unsubscribe"], \.unsubscribe, "The way out for recipients; without this section mail carries no List-Unsubscribe."),
        .always(["tracking"], \.tracking, "Whether opens and clicks are counted; off by default, and mind the law of the recipients."),
        .always(["compliance"], \.compliance, "What the law of the recipients asks for."),
        .optional(["http"], \.http, "The web listener; without this section there is none."),
    ]
}

/// One section put together from all files.
struct MergedSection {
    struct Key {
        var name: String
        var value: TomlValue
        /// The file that set it, by its place in the order of files.
        var document: Int
    }

    var path: [String]
    var keys: [Key] = []
    /// The file in which the section was first met.
    var document: Int

    /// How faults name it.
    var title: String { path.isEmpty ? "the head of the file" : "[\(TomlText.path(path))]" }
}
