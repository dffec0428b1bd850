/// What must hold between keys and between sections, once each value alone is right.
struct Relations {
    let settings: Settings
    /// Sections that have faults of their own; what would only follow from those is not said.
    private let broken: Set<String>
    /// Whether every file was parsed; if not, what seems to be missing may stand behind the syntax error.
    private let isComplete: Bool
    private(set) var findings: [(path: [String], key: String?, message: String, remedy: String?)] = []

    init(settings: Settings, broken: Set<String>, isComplete: Bool) {
        self.settings = settings
        self.broken = broken
        self.isComplete = isComplete
    }

    mutating func check() {
        guard isComplete else { return }
        for route in settings.routes where isWhole(["route", route.name]) { check(route) }
        for mailbox in settings.mailboxes where isWhole(["mailbox", mailbox.name]) { check(mailbox) }
        for oauth in settings.oauths where isWhole(["oauth", oauth.name]) { check(oauth) }
        for policy in settings.tlsPolicies where isWhole(["tls_policy", policy.domain]) {
            let keys = (level: "level", match: "match", fingerprints: "fingerprints")
            for finding in TLSRules.findings(policy.level, policy.match, policy.fingerprints, keys: keys) {
                find(["tls_policy", policy.domain], finding.key, finding.message, finding.remedy)
            }
            checkTwin(of: policy)
        }
        for rotation in settings.rotations where isWhole(["rotation", rotation.name]) { check(rotation) }
        for identity in settings.identities where isWhole(["identity", identity.name]) { check(identity) }
        for key in settings.dkimKeys where isWhole(["dkim", "key", key.domain]) { check(key) }
        checkRouting()
        if let listener = settings.smtpListener, isWhole(["listener", "smtp"]) { check(listener, at: ["listener", "smtp"]) }
        if let listener = settings.lmtpListener, isWhole(["listener", "lmtp"]) { check(listener, at: ["listener", "lmtp"]) }
        checkListenAddresses()
        for source in settings.sources where isWhole(["source", source.name]) { check(source.warmup, at: ["source", source.name]) }
        for guardrail in settings.guardrails where isWhole(["guardrail", guardrail.name]) { check(guardrail) }
        for webhook in settings.webhooks where isWhole(["webhook", webhook.name]) { check(webhook) }
        checkWorkday()
        checkQueue()
        checkUnsubscribe()
        checkLaws()
        checkTracking()
        checkAlerts()
        if case .unix? = settings.http?.listen {
            find(["http"], "listen", "the web listener takes no UNIX socket", "write an address such as \"127.0.0.1:8025\"")
        }
    }

    func isWhole(_ path: [String]) -> Bool { !broken.contains(TomlText.path(path)) }

    mutating func find(_ path: [String], _ key: String?, _ message: String, _ remedy: String? = nil) {
        findings.append((path, key, message, remedy))
    }

    private mutating func check(_ guardrail: GuardrailSettings) {
        let path = ["guardrail", guardrail.name]
        if guardrail.effectiveMetric == nil {
            find(path, nil, "a guardrail that is not built in needs 'metric'", "add metric = \"bounce\", or another rate")
        }
        if guardrail.effectiveThreshold == nil {
            find(path, nil, "a guardrail that is not built in needs 'threshold'", "add threshold = 0.05, or another share")
        }
        if guardrail.window.components.seconds % 86_400 != 0 {
            find(path, "window", "the window must be whole days", "write it as in \"7d\"")
        }
    }

    private mutating func check(_ webhook: WebhookSettings) {
        guard !webhook.allowPrivate else { return }
        let path = ["webhook", webhook.name]
        if !webhook.isSecure {
            find(path, "url", "http:// is for private addresses with allow_private = true", "write https://, or set allow_private")
        } else if webhook.host.utf8.elementsEqual("localhost".utf8) || IPText.isLoopback(webhook.host) {
            find(path, "url", "it is on this machine, and allow_private is not set", "set allow_private = true")
        }
    }

    // MARK: Mail out

    private mutating func check(_ route: RouteSettings) {
        let path = ["route", route.name]
        switch (route.type, route.host) {
        case (.mx, .some): find(path, "host", "a route of type mx takes no host", "remove it; the recipient's domain names the hosts")
        case (.mx, nil): break
        case (.sink, _), (.maildir, _): return checkUnconnected(route, at: path)
        case (_, nil): find(path, nil, "a route of type \(route.type.rawValue) needs 'host'", "add host = \"...\"")
        case (.submission, .unix): find(path, "host", "only a route of type lmtp takes a UNIX socket", "write a host name")
        default: break
        }
        if route.path != nil { find(path, "path", "only a route of type maildir writes to a folder", "remove it") }
        if case .unix? = route.host, route.port != nil { find(path, "port", "a UNIX socket has no port", "remove it") }
        if route.type == .lmtp, case let host? = route.host, route.effectivePort == 25, !isSocket(host) {
            find(path, "port", "LMTP is never spoken on port 25 (RFC 2033)", "use port 24 or a UNIX socket")
        }
        if route.type == .mx, route.tls == .implicit { find(path, "tls", "mail exchangers do not speak implicit TLS", "use \"starttls\"") }
        if route.tls == TLSMode.none, let level = route.tlsSecurityLevel, level != .none {
            find(path, "tls", "tls = \"none\" contradicts tls_security_level = \"\(level.rawValue)\"", "remove one of them")
        }
        if let tls = route.tls, tls != .none, route.tlsSecurityLevel == TLSSecurityLevel.none {
            find(path, "tls_security_level", "tls = \"\(tls.rawValue)\" contradicts tls_security_level = \"none\"", "remove one of them")
        }
        let keys = (level: "tls_security_level", match: "tls_match", fingerprints: "tls_fingerprints")
        for finding in TLSRules.findings(route.effectiveSecurityLevel, route.tlsMatch, route.tlsFingerprints, keys: keys) {
            find(path, finding.key, finding.message, finding.remedy)
        }
        if let auth = route.auth {
            checkLogin(of: route, at: path)
            check(auth, at: path)
        }
        if case .unix? = route.host, route.source != nil {
            find(path, "source", "a UNIX socket is not connected to from an address", "remove it")
        }
        if let source = route.source, settings.source(named: source) == nil {
            let nearest = Suggestion.nearest(to: source, among: settings.sources.map(\.name))
            find(
                path, "source", "there is no [source.\(source)]",
                nearest.map { "did you mean '\($0)'?" } ?? "add a section [source.\(source)]")
        }
    }

    func isSocket(_ host: HostAddress) -> Bool {
        if case .unix = host { true } else { false }
    }

    private mutating func checkLogin(of route: RouteSettings, at path: [String]) {
        if route.type != .submission {
            find(path, "auth", "a route of type \(route.type.rawValue) takes no login", "remove it, or use type submission")
        }
        // What is asked for in clear, and does not leave this machine, nobody else can hear.
        let isClear = route.tls == TLSMode.none && route.host?.isLocal == true
        if !route.effectiveSecurityLevel.provesServer, !isClear {
            find(path, "auth", "a login is sent only over TLS with a verified certificate", "set tls_security_level = \"verify\"")
        }
        guard let host = route.host, !isSocket(host), !isClear, let policy = settings.tlsPolicy(for: host.description),
            !policy.level.provesServer, policy.level != .none || !host.isLocal
        else { return }
        find(
            ["tls_policy", policy.domain], "level", "it takes the login of [route.\(route.name)] away, which needs a verified certificate",
            "give \(host) a policy of its own with level = \"verify\"")
    }

    private mutating func checkTwin(of policy: TLSPolicySettings) {
        let first = settings.tlsPolicies.first { other in
            guard let name = other.destination, let own = policy.destination else { return false }
            return name.utf8.elementsEqual(own.utf8)
        }
        guard let first, !first.domain.utf8.elementsEqual(policy.domain.utf8) else { return }
        find(["tls_policy", policy.domain], nil, "it is for the same as [tls_policy.\"\(first.domain)\"]", "remove one of them")
    }

    private mutating func checkQueue() {
        guard isWhole(["queue"]), let first = settings.queue.retrySchedule.first, settings.queue.maxQueueLifetime < first else { return }
        find(
            ["queue"], "max_queue_lifetime", "the queue lifetime is shorter than the first wait of retry_schedule",
            "nothing would ever be retried")
    }

    private mutating func check(_ key: DKIMKeySettings) {
        let path = ["dkim", "key", key.domain]
        switch (key.keyFile, key.ed25519KeyFile) {
        case (nil, nil): find(path, nil, "[\(TomlText.path(path))] names no key", "add key_file = \"/path\"")
        case (.some, .some):
            if key.ed25519Selector.map({ $0.utf8.elementsEqual(key.selector.utf8) }) ?? true {
                find(path, "ed25519_key_file", "two keys cannot be published under one selector", "give ed25519_selector a name of its own")
            }
        default: break
        }
        if key.ed25519Selector != nil, key.ed25519KeyFile == nil { find(path, "ed25519_selector", "there is no ed25519_key_file for it") }
        switch (key.nextSelector, key.nextKeyFile) {
        case (.some, nil): find(path, "next_selector", "there is no next_key_file for it")
        case (nil, .some): find(path, "next_key_file", "it needs a next_selector", "no two keys are published under one selector")
        case (let selector?, .some):
            let taken = [key.keyFile == nil && key.ed25519Selector != nil ? nil : key.selector, key.ed25519Selector]
            if taken.contains(where: { $0?.utf8.elementsEqual(selector.utf8) == true }) {
                find(path, "next_selector", "the selector '\(selector)' is in use", "two keys cannot be published under one selector")
            }
        case (nil, nil): break
        }
    }

    private mutating func check(_ warmup: WarmUpSettings?, at path: [String]) {
        guard let warmup, warmup.start > warmup.ceiling else { return }
        find(path, "warmup", "the warm-up starts above its ceiling", "give start a number up to \(warmup.ceiling)")
    }

    private mutating func checkWorkday() {
        let day = settings.workday
        let path = ["workday"]
        guard isWhole(path) else { return }
        if day.start.endMinute > day.lunch.startMinute { find(path, "lunch", "lunch may begin before the day does", "begin it later") }
        if day.lunch.endMinute > day.end.startMinute { find(path, "lunch", "lunch may end after the day does", "end it earlier") }
        if day.lunchMin > day.lunchMax { find(path, "lunch_min", "lunch_min is longer than lunch_max") }
        if day.lunchMax > .seconds(60 * (day.lunch.endMinute - day.lunch.startMinute)) {
            find(path, "lunch_max", "lunch_max is longer than the time that lunch lies in")
        }
    }

    private mutating func check(_ identity: IdentitySettings) {
        let path = ["identity", identity.name]
        check(identity.warmup, at: path)
        if Names.equalFolded(identity.workspace, "instance") {
            find(path, "workspace", "'\(identity.workspace)' stands for all workspaces together", "give it another name")
        }
        let others = settings.workspaces + [IdentitySettings.defaultWorkspace]
        let twin = others.first { Names.equalFolded($0, identity.workspace) && !$0.utf8.elementsEqual(identity.workspace.utf8) }
        if let twin {
            find(
                path, "workspace", "workspace '\(identity.workspace)' differs from '\(twin)' by the case of letters alone",
                "write both alike, or give one another name")
        }
        if let name = identity.route {
            checkWay(name, at: path, "route")
        } else if settings.wayOut(of: identity) == nil {
            find(
                path, nil, "no route for [identity.\(identity.name)]",
                settings.routes.isEmpty ? "add a section [route.NAME]" : "add route = \"...\", or default in [transport]")
        }
        for (key, uses) in [("reply_to", identity.replyTo == .token), ("return_path", identity.returnPath == .bounce)] where uses {
            checkTokens(for: path, key)
        }
        checkForwarding(of: identity, at: path)
    }

    private mutating func check(_ rotation: RotationSettings) {
        let path = ["rotation", rotation.name]
        if settings.identity(named: rotation.name) != nil {
            find(
                path, nil, "there is an [identity.\(rotation.name)] too, and --identity means one of them", "give the rotation another name"
            )
        }
        for (index, member) in rotation.members.enumerated() {
            if settings.identity(named: member.identity) == nil {
                let names = settings.identities.map(\.name)
                let nearest = Suggestion.nearest(to: member.identity, among: names)
                find(
                    path, "members", "there is no [identity.\(UnknownKey.printable(member.identity))]",
                    nearest.map { "did you mean '\($0)'?" } ?? "identities: \(names.joined(separator: ", "))")
            }
            if rotation.members[..<index].contains(where: { $0.identity.utf8.elementsEqual(member.identity.utf8) }) {
                find(path, "members", "'\(member.identity)' stands here twice", "write it once, with the sum of its weights")
            }
        }
        let known = rotation.members.compactMap { settings.identity(named: $0.identity) }
        if let other = known.first(where: { !$0.workspace.utf8.elementsEqual(known[0].workspace.utf8) }) {
            find(
                path, "members",
                "'\(known[0].name)' is of workspace '\(known[0].workspace)' and '\(other.name)' of '\(other.workspace)', and nobody is a contact of both",
                "make a rotation for each workspace")
        }
        if rotation.members.allSatisfy({ $0.weight == 0 }) {
            find(path, "members", "no identity of the rotation has a weight", "give at least one a weight of 1 or more")
        }
    }

    private mutating func checkForwarding(of identity: IdentitySettings, at path: [String]) {
        guard let target = identity.forwardRepliesTo else {
            if identity.forwardRepliesAs != nil {
                find(path, "forward_replies_as", "it has no effect without forward_replies_to", "add it, or remove this")
            }
            return
        }
        guard isWhole(["listener", "smtp"]), isWhole(["listener", "lmtp"]) else { return }
        if settings.smtpListener == nil, settings.lmtpListener == nil {
            find(
                path, "forward_replies_to", "no listener takes replies in; those of a mailbox are not sent on, for they lie in one already",
                "remove it, or add a section [listener.smtp] or [listener.lmtp]")
        }
        let domain = target.domain.lowercased()
        if settings.acceptDomains.contains(where: { $0.lowercased().utf8.elementsEqual(domain.utf8) }) {
            find(
                path, "forward_replies_to", "mail for \(target.domain) is taken in by a listener here",
                "name the mailbox in which the person reads")
        }
    }

    private mutating func checkTokens(for path: [String], _ key: String) {
        guard isWhole(["tokens"]) else { return }
        if settings.tokens.keyFiles.isEmpty {
            find(path, key, "signed addresses need a key", "add key_files to [tokens]")
        }
        if settings.tokenDomain == nil, isWhole(["listener", "smtp"]), isWhole(["listener", "lmtp"]) {
            find(path, key, "signed addresses need a domain", "set domain in [tokens], or accept_domains in a listener")
        }
    }

    private mutating func checkUnsubscribe() {
        guard let unsubscribe = settings.unsubscribe, isWhole(["unsubscribe"]) else { return }
        if unsubscribe.listUnsubscribe != .https { checkTokens(for: ["unsubscribe"], "list_unsubscribe") }
        guard unsubscribe.listUnsubscribe != .mailto else { return }
        if unsubscribe.oneClickURL == nil {
            find(["unsubscribe"], "list_unsubscribe", "one-click needs a URL", "add one_click_url = \"https://...\"")
        }
        if settings.tokens.keyFiles.isEmpty, unsubscribe.listUnsubscribe == .https, isWhole(["tokens"]) {
            find(["unsubscribe"], "list_unsubscribe", "one-click links are signed and need a key", "add key_files to [tokens]")
        }
        if settings.http == nil, isWhole(["http"]) {
            find(["unsubscribe"], "list_unsubscribe", "one-click needs the web listener", "add a section [http]")
        }
    }

    private mutating func checkAlerts() {
        let alerts = settings.alerts
        if let name = alerts.identity, settings.identity(named: name) == nil, isWhole(["identity", name]) {
            let names = settings.identities.map(\.name)
            find(["alerts"], "identity", "there is no [identity.\(name)]", "identities: \(names.joined(separator: ", "))")
        }
        if !alerts.mailTo.isEmpty, settings.identities.isEmpty {
            find(["alerts"], "mail_to", "there is nobody whom alerts could come from", "add a section [identity.NAME]")
        }
    }

    private mutating func checkTracking() {
        let tracking = settings.tracking
        guard isWhole(["tracking"]) else { return }
        guard tracking.baseURL != nil else {
            if tracking.opens || tracking.clicks {
                find(["tracking"], tracking.opens ? "opens" : "clicks", "tracking needs a URL", "add base_url = \"https://...\"")
            }
            return
        }
        checkTokens(for: ["tracking"], "base_url")
        if settings.http == nil, isWhole(["http"]) {
            find(["tracking"], "base_url", "tracking needs the web listener", "add a section [http]")
        }
    }

    // MARK: Mail in

    private mutating func check(_ mailbox: MailboxSettings) {
        let path = ["mailbox", mailbox.name]
        check(mailbox.auth, at: path)
        if isSocket(mailbox.host) { find(path, "host", "a mailbox takes no UNIX socket", "write a host name") }
        if mailbox.tls == .none, !mailbox.host.isLocal {
            find(path, "tls", "a login is sent only over TLS with a verified certificate", "use \"implicit\" or \"starttls\"")
        }
    }

    private mutating func check(_ listener: some ListenerSettings, at path: [String]) {
        if listener.acceptDomains.isEmpty {
            find(path, nil, "[\(TomlText.path(path))] takes mail for no domain", "add accept_domains = [\"r.example.com\"]")
        }
        switch (listener.tlsCertFile, listener.tlsKeyFile) {
        case (.some, nil): find(path, "tls_cert_file", "a certificate needs its key", "add tls_key_file")
        case (nil, .some): find(path, "tls_key_file", "a key needs its certificate", "add tls_cert_file")
        default: break
        }
        if listener.limits.softErrorLimit > listener.limits.hardErrorLimit {
            find(path, "soft_error_limit", "soft_error_limit is larger than hard_error_limit")
        }
        if listener.limits.idleTimeout > listener.limits.sessionLimit {
            find(path, "session_limit", "session_limit is shorter than idle_timeout")
        }
        for address in listener.listen {
            switch address {
            case .unix where path.last == "smtp": find(path, "listen", "SMTP is not served on a UNIX socket", "use [listener.lmtp]")
            case .ip(_, 25) where path.last == "lmtp":
                find(path, "listen", "LMTP is never spoken on port 25 (RFC 2033)", "use port 24 or a UNIX socket")
            default: break
            }
        }
    }

    private mutating func checkListenAddresses() {
        var taken: [(address: ListenAddress, by: String)] = []
        func all() -> [([String], [ListenAddress])] {
            [
                (["listener", "smtp"], settings.smtpListener?.listen ?? []), (["listener", "lmtp"], settings.lmtpListener?.listen ?? []),
                (["http"], settings.http.map { [$0.listen] } ?? []),
            ]
        }
        for (path, addresses) in all() where isWhole(path) {
            for address in addresses {
                if let other = taken.first(where: { $0.address == address }) {
                    find(path, "listen", "\(address) is already taken by [\(other.by)]", "use another port")
                } else {
                    taken.append((address, TomlText.path(path)))
                }
            }
        }
    }
}
