import ArgumentParser
import InternetMessage
import MailTransport
import Outreach
import SQLiteStore
import Settings

struct ConfExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show which route, source, limits, hours, TLS policy and DKIM key apply to an address, and which line says so.",
        discussion: """
            For each identity, or the one that is named. Of a pool every route is shown with its share; the mail of one contact in one sequence \
            takes one of them. DNS is not asked: limits of the recipient's provider and its MTA-STS policy come on top at delivery. \
            Where there is a database, what it knows of the address is shown, too: a stop, a suppression, pauses, and where the contact stands \
            in its sequences, held by what and until when.
            """)

    @OptionGroup var conf: ConfOption
    @Argument(help: "The recipient.") var address: String
    @Option(help: "As whom; unset: every identity of the conf.") var identity: String?
    @Flag(help: "One JSON object per identity and route.") var json = false

    func run() async throws {
        try await reportingFailures {
            let settings = try conf.load()
            guard let recipient = EmailAddress(address) else {
                throw Failure(.badInput, "'\(TerminalText.line(address))' is not an email address; give one like ann@example.com")
            }
            var identities = settings.identities
            if let identity {
                guard let one = settings.identity(named: identity) else {
                    let names = identities.map(\.name).joined(separator: ", ")
                    throw Failure(.badInput, "there is no [identity.\(TerminalText.line(identity))]; there are \(names)")
                }
                identities = [one]
            }
            guard !identities.isEmpty else { throw Failure(.badInput, "the conf has no identity; add an [identity.NAME]") }
            let state = try await Installation.openPresent(settings)
            var isFirst = true
            for section in identities {
                var standing: Standing?
                if let state, let workspace = state.workspaces.workspace(named: section.workspace) {
                    standing = try await Standing(of: recipient, in: workspace.id, state)
                }
                for explanation in try RouteExplanation.all(for: recipient, as: section, settings, standing) {
                    if json {
                        JSONLine.write(explanation.json)
                    } else {
                        if !isFirst { Console.out("") }
                        isFirst = false
                        explanation.write()
                    }
                }
            }
            try state?.store.close()
        }
    }
}

/// What applies to mail of one identity to one recipient on one route, each with the place in the conf that says so.
struct RouteExplanation {
    struct Fact {
        let name: String
        let value: String
        /// `file:line` or `database`; nil for a default.
        let origin: String?
    }

    let facts: [Fact]

    /// One for each route that the mail could take.
    ///
    /// - Parameter standing: what the database says of it; nil when there is none.
    static func all(for recipient: EmailAddress, as section: IdentitySettings, _ settings: Settings, _ standing: Standing?) throws(Failure)
        -> [RouteExplanation]
    {
        let plan = Desks.routePlan(settings)
        let way = settings.wayOut(of: section) ?? ""
        let choice = plan.choice(for: recipient, named: way, draw: 0)
        let target = choice.pool ?? choice.route
        let named = settings.origin(of: ["identity", section.name, "route"]) ?? settings.origin(of: ["transport", "default"])
        var mapped: String?
        if let rule = choice.rule, let map = settings.transport.map, map.entries.indices.contains(rule) {
            mapped = "\(map.path):\(map.entries[rule].line)"
        }
        let because = mapped ?? named?.description
        let routes = settings.routes(of: target)
        guard !routes.isEmpty else { throw Failure(.configuration, "[identity.\(section.name)] has no route") }
        let weights = settings.pool(named: target)?.members ?? []
        let total = weights.reduce(0) { $0 + $1.weight }
        var all: [RouteExplanation] = []
        for route in routes {
            var facts = [
                Fact(name: "recipient", value: recipient.text, origin: nil),
                Fact(
                    name: "identity", value: "\(section.name) (\(section.from.text))",
                    origin: settings.origin(of: ["identity", section.name])?.description),
            ]
            if let pool = choice.pool {
                let weight = weights.first { $0.route.utf8.elementsEqual(route.name.utf8) }?.weight ?? 0
                facts.append(Fact(name: "pool", value: pool, origin: because))
                facts.append(
                    Fact(
                        name: "share", value: "\(weight) of \(total)", origin: settings.origin(of: ["pool", pool, "members"])?.description))
            }
            let drawn = settings.origin(of: ["route", route.name])?.description
            facts.append(Fact(name: "route", value: route.name, origin: choice.pool == nil ? because : drawn))
            facts += try self.facts(of: route, to: recipient, settings)
            facts += try signing(section, settings)
            facts += limits(section, route, settings)
            facts += try frequency(of: recipient, settings)
            facts += try hours(of: section, settings)
            if let standing { facts += try self.facts(of: standing, section, route, settings) }
            all.append(RouteExplanation(facts: facts))
        }
        return all
    }

    private static func facts(of route: RouteSettings, to recipient: EmailAddress, _ settings: Settings) throws(Failure) -> [Fact] {
        func origin(_ key: String) -> String? {
            (settings.origin(of: ["route", route.name, key]) ?? settings.origin(of: ["route", route.name]))?.description
        }
        var facts = [Fact(name: "type", value: route.type.rawValue, origin: origin("type"))]
        let domain = recipient.asciiDomain ?? recipient.domain
        switch route.type {
        case .submission, .lmtp:
            let place = route.host?.place(route.effectivePort) ?? ""
            facts.append(Fact(name: "next host", value: place, origin: origin("host")))
        case .mx:
            facts.append(
                Fact(name: "next host", value: "the mail exchangers of \(domain), port \(route.effectivePort)", origin: origin("type")))
        case .sink:
            let why =
                route.isImplied ? "NOTHING LEAVES, for the conf has no [route.NAME]; mail counts as sent all the same" : "nothing leaves"
            return facts + [Fact(name: "next host", value: "none: \(why)", origin: origin("type"))]
        case .maildir: return facts + [Fact(name: "folder", value: route.path ?? "", origin: origin("path"))]
        }
        if let auth = route.auth {
            facts.append(
                Fact(
                    name: "login",
                    value: "\(settings.user(of: auth) ?? "") (\(auth.oauth.map { "oauth \($0)" } ?? auth.mechanism.rawValue))",
                    origin: origin("auth")))
        }
        let source = route.source.flatMap { settings.source(named: $0) }
        facts.append(
            Fact(
                name: "source", value: source.map { "\($0.name) (\($0.address))" } ?? "as the system chooses",
                origin: route.source == nil ? nil : origin("source")))
        facts.append(
            Fact(
                name: "EHLO name", value: source?.helo ?? settings.main.myhostname,
                origin: (source?.helo.flatMap { _ in source.flatMap { settings.origin(of: ["source", $0.name, "helo"]) } }
                    ?? settings.origin(of: ["main", "myhostname"]))?.description))
        facts.append(try tls(route, domain, settings))
        let fallbacks = Desks.fallbacks(settings).chain(behind: route.name)
        if !fallbacks.isEmpty {
            facts.append(Fact(name: "fallback", value: fallbacks.joined(separator: ", then "), origin: origin("fallback")))
        }
        return facts
    }

    private static func tls(_ route: RouteSettings, _ domain: String, _ settings: Settings) throws(Failure) -> Fact {
        var destination = domain
        var isSocket = false
        if route.type != .mx {
            switch route.host {
            case .name(let host)?, .ip(let host)?: destination = host
            case .unix?: isSocket = true
            case nil: break
            }
        }
        if !isSocket, let section = settings.tlsPolicy(for: destination) {
            return Fact(
                name: "TLS", value: "\(section.level.rawValue), for \(section.domain)",
                origin: settings.origin(of: ["tls_policy", section.domain])?.description)
        }
        var value = route.effectiveSecurityLevel.rawValue
        if route.type == .mx, settings.mtaSTS.enabled, [.may, .encrypt, .dane].contains(route.effectiveSecurityLevel) {
            value += ", or more where an MTA-STS policy of \(domain) asks for it"
        }
        return Fact(
            name: "TLS", value: value,
            origin: (settings.origin(of: ["route", route.name, "tls_security_level"]) ?? settings.origin(of: ["route", route.name, "tls"]))?
                .description)
    }

    private static func signing(_ section: IdentitySettings, _ settings: Settings) throws(Failure) -> [Fact] {
        let domain = DomainName.toASCII(section.from.domain) ?? section.from.domain
        guard let key = settings.dkimKeys.first(where: { DomainName.toASCII($0.domain)?.utf8.elementsEqual(domain.utf8) ?? false }) else {
            return [Fact(name: "DKIM", value: "none: no [dkim.key.\"\(domain)\"]", origin: nil)]
        }
        return key.keyFiles.map { selector, file in
            Fact(
                name: "DKIM", value: "\(selector)._domainkey.\(domain), \(file.path)",
                origin: settings.origin(of: ["dkim", "key", key.domain])?.description)
        }
    }

    private static func limits(_ section: IdentitySettings, _ route: RouteSettings, _ settings: Settings) -> [Fact] {
        var facts: [Fact] = []
        func add(_ what: String, _ value: String?, _ path: [String]) {
            if let value { facts.append(Fact(name: "limit", value: "\(what): \(value)", origin: settings.origin(of: path)?.description)) }
        }
        func add(_ what: String, _ rates: [SendingRate], _ path: [String]) {
            add(what, rates.isEmpty ? nil : rates.map(\.description).joined(separator: ", "), path)
        }
        let identity = ["identity", section.name]
        add("the identity", "\(section.dailyLimit)/day", identity + ["daily_limit"])
        add("the identity", section.hourlyLimit.map { "\($0)/h" }, identity + ["hourly_limit"])
        add("the identity, first messages of sequences", section.dailyStarts.map { "\($0)/day" }, identity + ["daily_starts"])
        add("the instance", "\(settings.safety.instanceDailyLimit)/day", ["safety", "instance_daily_limit"])
        add("the instance", settings.limits.instance, ["limits", "instance"])
        add("each workspace", settings.limits.workspace, ["limits", "workspace"])
        add("each identity, at delivery", settings.limits.identity, ["limits", "identity"])
        add("each recipient domain", settings.limits.recipientDomain, ["limits", "recipient_domain"])
        add("the route", route.rate, ["route", route.name, "rate"])
        if let source = route.source.flatMap({ settings.source(named: $0) }) {
            add("the source", source.rate, ["source", source.name, "rate"])
        }
        return facts
    }

    private static func frequency(of recipient: EmailAddress, _ settings: Settings) throws(Failure) -> [Fact] {
        var facts: [Fact] = []
        func add(_ what: String, _ caps: [SendingFrequency], _ key: String) {
            guard !caps.isEmpty else { return }
            facts.append(
                Fact(
                    name: "limit", value: "\(what), over all sequences: \(caps.map(\.description).joined(separator: ", "))",
                    origin: settings.origin(of: ["frequency", key])?.description))
        }
        add("the contact", settings.frequency.perContact, "per_contact")
        if let company = try Desks.companies(settings).company(of: recipient) {
            add("the company \(company)", settings.frequency.perCompany, "per_company")
        }
        return facts
    }

    private static func facts(of standing: Standing, _ section: IdentitySettings, _ route: RouteSettings, _ settings: Settings)
        throws(Failure) -> [Fact]
    {
        var facts = standing.stops
        facts += standing.pauses(identity: section.name, route: route.name).map { ("paused", $0) }
        if let contact = standing.contact, let zone = try zone(of: contact, settings) { facts.append(("recipient's zone", zone)) }
        facts += standing.enrollments.filter { $0.identity.utf8.elementsEqual(section.name.utf8) }.map { ("sequence", $0.words) }
        return facts.map { Fact(name: $0.name, value: $0.value, origin: "database") }
    }

    /// One line for each fact, with its place in brackets.
    func write() {
        let width = facts.map(\.name.utf8.count).max() ?? 0
        for fact in facts {
            let name = fact.name + String(repeating: " ", count: width - fact.name.utf8.count)
            Console.out("\(name)  \(TerminalText.line(fact.value))  [\(fact.origin ?? "default")]")
        }
    }

    var json: JSONValue {
        func named(_ name: String) -> JSONValue { .text(facts.first { $0.name.utf8.elementsEqual(name.utf8) }?.value) }
        return [
            "recipient": named("recipient"), "identity": named("identity"), "route": named("route"), "pool": named("pool"),
            "facts": .array(
                facts.map { ["name": .string($0.name), "value": .string($0.value), "origin": .text($0.origin)] }),
        ]
    }
}
