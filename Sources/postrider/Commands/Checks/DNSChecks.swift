import DNS
import InternetMessage
import MailAuthentication
import MailTransport
import OpenSSL
import Settings

/// Something that a check of the world outside found.
struct CheckFinding {
    /// `file:line: what; what to do`.
    let text: String
    /// Nobody answered, so that nothing is known.
    var isUnknown = false

    /// - Parameter path: of the section or key in the conf.
    init(_ path: [String], _ settings: Settings, _ what: String, isUnknown: Bool = false) {
        var place = path
        while settings.origin(of: place) == nil, place.count > 1 { place.removeLast() }
        let origin = settings.origin(of: place).map { "\($0): " } ?? ""
        text = "\(origin)\(what)"
        self.isUnknown = isUnknown
    }
}

/// What DNS says of the names in the conf.
struct DNSChecks {
    let settings: Settings
    let resolver: any Resolver

    func findings() async -> [CheckFinding] {
        var found: [CheckFinding] = []
        found += await name(settings.main.myhostname, ["main", "myhostname"])
        for source in settings.sources { found += await reverse(source) }
        for route in settings.routes {
            if case .name(let host)? = route.host { found += await name(host, ["route", route.name, "host"]) }
        }
        for mailbox in settings.mailboxes {
            if case .name(let host) = mailbox.host { found += await name(host, ["mailbox", mailbox.name, "host"]) }
        }
        for webhook in settings.webhooks { found += await place(of: webhook) }
        for domain in settings.acceptDomains { found += await exchangers(of: domain) }
        for key in settings.dkimKeys { found += await records(of: key) }
        var seen: Set<String> = []
        for identity in settings.identities where seen.insert(identity.from.domain).inserted { found += await senderPolicy(of: identity) }
        return found
    }

    /// Calls to a webhook are refused where its host has no address that may be called.
    private func place(of webhook: WebhookSettings) async -> [CheckFinding] {
        let path = ["webhook", webhook.name, "url"]
        if IPAddress(webhook.host) == nil, !webhook.host.utf8.elementsEqual("localhost".utf8) {
            let missing = await name(webhook.host, path)
            guard missing.isEmpty else { return missing }
        }
        guard case .closed(let why) = await WebhookPoster.ways(to: Desks.target(webhook), resolver: resolver) else { return [] }
        return [CheckFinding(path, settings, why)]
    }

    private func name(_ name: String, _ path: [String]) async -> [CheckFinding] {
        let ascii = DomainName.toASCII(name) ?? name
        switch await resolver.addresses(of: ascii) {
        case .addresses: return []
        case .none: return [CheckFinding(path, settings, "\(name) has no address in DNS; publish an A or AAAA record, or correct the name")]
        case .failure(let failure): return [unknown(path, ascii, failure)]
        }
    }

    private func unknown(_ path: [String], _ name: String, _ failure: DNSFailure) -> CheckFinding {
        CheckFinding(path, settings, "DNS gives no answer about \(name): \(failure); try again, or see to [dns] resolvers", isUnknown: true)
    }

    /// The address's PTR record names the EHLO name, which leads back to it: receivers refuse mail for less.
    private func reverse(_ source: SourceSettings) async -> [CheckFinding] {
        let path = ["source", source.name, "address"]
        guard let address = IPAddress(source.address), address.isPublic else { return [] }
        let helo = source.helo ?? settings.main.myhostname
        let ascii = DomainName.toASCII(helo) ?? helo
        let answer = await resolver.lookup(address.reverseName, .ptr)
        if let failure = answer.failure { return [unknown(path, address.reverseName, failure)] }
        guard answer.names.contains(where: { $0.utf8.elementsEqual(ascii.utf8) }) else {
            let names = answer.names.isEmpty ? "no PTR record" : "a PTR record for \(answer.names.joined(separator: ", "))"
            return [CheckFinding(path, settings, "\(source.address) has \(names); let it name \(helo), which is said in EHLO")]
        }
        switch await resolver.addresses(of: ascii) {
        case .addresses(let all, _) where all.contains(address): return []
        case .failure(let failure): return [unknown(path, ascii, failure)]
        case .addresses, .none:
            return [CheckFinding(path, settings, "\(helo) does not lead back to \(source.address); publish an address record for it")]
        }
    }

    private func exchangers(of domain: String) async -> [CheckFinding] {
        let path = ["listener", settings.smtpListener == nil ? "lmtp" : "smtp", "accept_domains"]
        let ascii = DomainName.toASCII(domain) ?? domain
        let answer = await resolver.lookup(ascii, .mx)
        if let failure = answer.failure { return [unknown(path, ascii, failure)] }
        let hosts = answer.mailExchangers.map(\.host).filter { $0 != "." }
        guard hosts.isEmpty else { return [] }
        return [
            CheckFinding(
                path, settings,
                "\(domain) has no MX record, so replies and bounces do not come here; publish one for \(settings.main.myhostname)")
        ]
    }

    private func records(of section: DKIMKeySettings) async -> [CheckFinding] {
        let path = ["dkim", "key", section.domain]
        let domain = DomainName.toASCII(section.domain) ?? section.domain
        var found: [CheckFinding] = []
        for (selector, file) in section.keyFiles {
            let name = DKIMRecordName(domain: domain, selector: selector)
            guard let key = try? PrivateKey(pemFile: file.path) else { continue }
            let check = DKIMRecordCheck(await resolver.textAnswer(name.text), for: key, named: name)
            if let complaint = check.complaint(key, named: name) {
                found.append(CheckFinding(path, settings, complaint, isUnknown: check == .noAnswer))
            }
        }
        return found
    }

    private func senderPolicy(of identity: IdentitySettings) async -> [CheckFinding] {
        let path = ["identity", identity.name, "from"]
        let domain = DomainName.toASCII(identity.from.domain) ?? identity.from.domain
        switch await resolver.textAnswer(domain) {
        case .temporaryFailure:
            return [
                CheckFinding(path, settings, "DNS gives no answer about \(domain); try again, or see to [dns] resolvers", isUnknown: true)
            ]
        case .none: return [missingPolicy(path, domain)]
        case .records(let texts):
            let count = texts.count { Array($0).starts(with: "v=spf1".utf8) }
            if count == 0 { return [missingPolicy(path, domain)] }
            return count == 1 ? [] : [CheckFinding(path, settings, "\(domain) has \(count) SPF records, which counts as none; keep one")]
        }
    }

    private func missingPolicy(_ path: [String], _ domain: String) -> CheckFinding {
        CheckFinding(path, settings, "\(domain) has no SPF record; publish a TXT record such as \"v=spf1 ip4:... -all\"")
    }
}
