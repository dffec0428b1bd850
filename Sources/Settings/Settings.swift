package import struct Foundation.TimeZone

/// The whole conf as typed values; made only by ``load(_:files:)``, so whoever holds one holds a conf without faults.
///
/// Sections that may be absent are nil then; listeners are nil when they are not enabled, too. Named sections stand in
/// the order of the files. Names that refer to sections refer to sections that exist.
package struct Settings: Sendable {
    var root = RootSettings(name: "")
    package internal(set) var main = MainSettings(name: "")
    package internal(set) var dns = DNSSettings(name: "")
    package internal(set) var log = LogSettings(name: "")
    /// Where identities have none at all, the sink that stands in for it.
    package internal(set) var routes: [RouteSettings] = []
    package internal(set) var sources: [SourceSettings] = []
    package internal(set) var pools: [PoolSettings] = []
    package internal(set) var transport = TransportSettings(name: "")
    package internal(set) var tlsPolicies: [TLSPolicySettings] = []
    package internal(set) var mtaSTS = MTASTSSettings(name: "")
    package internal(set) var oauths: [OAuthSettings] = []
    package internal(set) var secrets = SecretsSettings(name: "")
    package internal(set) var queue = QueueSettings(name: "")
    package internal(set) var bounce = BounceSettings(name: "")
    package internal(set) var classify = ClassifySettings(name: "")
    package internal(set) var dkim = DKIMSettings(name: "")
    package internal(set) var dkimKeys: [DKIMKeySettings] = []
    package internal(set) var identities: [IdentitySettings] = []
    package internal(set) var rotations: [RotationSettings] = []
    package internal(set) var window = WindowSettings(name: "")
    /// Nil: the hours of recipients do not count.
    package internal(set) var recipients: RecipientSettings?
    package internal(set) var workday = WorkdaySettings(name: "")
    package internal(set) var warmup = WarmUpSignalSettings(name: "")
    package internal(set) var safety = SafetySettings(name: "")
    package internal(set) var limits = LimitSettings(name: "")
    package internal(set) var frequency = FrequencySettings(name: "")
    package internal(set) var shaping = ShapingSettings(name: "")
    package internal(set) var guardrails: [GuardrailSettings] = []
    package internal(set) var alerts = AlertSettings(name: "")
    package internal(set) var retention = RetentionSettings(name: "")
    package internal(set) var contacts = ContactSettings(name: "")
    package internal(set) var webhooks: [WebhookSettings] = []
    package internal(set) var segments: [SegmentSettings] = []
    package internal(set) var mailboxes: [MailboxSettings] = []
    var writtenSMTPListener: SMTPListenerSettings?
    var writtenLMTPListener: LMTPListenerSettings?
    package internal(set) var tokens = TokenSettings(name: "")
    package internal(set) var unsubscribe: UnsubscribeSettings?
    package internal(set) var tracking = TrackingSettings(name: "")
    package internal(set) var compliance = ComplianceSettings(name: "")
    package internal(set) var http: HTTPSettings?

    /// The files that were read, in order, the main one first.
    package internal(set) var files: [String] = []
    var origins: [String: Origin] = [:]

    package var configVersion: Int { root.configVersion }

    /// `[listener.smtp]`, nil when absent or not enabled.
    package var smtpListener: SMTPListenerSettings? { writtenSMTPListener.flatMap { $0.enabled ? $0 : nil } }

    /// `[listener.lmtp]`, nil when absent or not enabled.
    package var lmtpListener: LMTPListenerSettings? { writtenLMTPListener.flatMap { $0.enabled ? $0 : nil } }

    /// All domains that a listener takes mail for, each once.
    package var acceptDomains: [String] {
        var domains: [String] = []
        for domain in (smtpListener?.acceptDomains ?? []) + (lmtpListener?.acceptDomains ?? [])
        where !domains.contains(where: { $0.utf8.elementsEqual(domain.utf8) }) { domains.append(domain) }
        return domains
    }

    /// The domain of reply and bounce addresses: `tokens.domain`, else the first accepted one; nil when there is neither.
    package var tokenDomain: String? { tokens.domain ?? acceptDomains.first }

    /// The route or pool of identities that name none: `transport.default`, else the only route; nil when that does not settle it.
    private var defaultWayOut: String? { transport.defaultRoute ?? (routes.count == 1 ? routes.first?.name : nil) }

    /// The workspaces that identities name, each once; never empty.
    package var workspaces: [String] {
        var names: [String] = []
        for identity in identities where !names.contains(where: { $0.utf8.elementsEqual(identity.workspace.utf8) }) {
            names.append(identity.workspace)
        }
        return names.isEmpty ? [IdentitySettings.defaultWorkspace] : names
    }

    /// The workspace that a person means who names none: the only one of the identities, else `default`.
    package var workspaceMeant: String {
        let names = workspaces
        return names.count == 1 ? names[0] : IdentitySettings.defaultWorkspace
    }

    /// The identities of a workspace.
    package func identities(of workspace: String) -> [IdentitySettings] {
        identities.filter { $0.workspace.utf8.elementsEqual(workspace.utf8) }
    }

    /// The routes that the conf has itself.
    package var writtenRoutes: [RouteSettings] { routes.filter { !$0.isImplied } }

    package func route(named name: String) -> RouteSettings? { routes.first { $0.name.utf8.elementsEqual(name.utf8) } }
    package func oauth(named name: String) -> OAuthSettings? { oauths.first { $0.name.utf8.elementsEqual(name.utf8) } }
    package func source(named name: String) -> SourceSettings? { sources.first { $0.name.utf8.elementsEqual(name.utf8) } }
    package func identity(named name: String) -> IdentitySettings? { identities.first { $0.name.utf8.elementsEqual(name.utf8) } }

    package func rotation(named name: String) -> RotationSettings? { rotations.first { $0.name.utf8.elementsEqual(name.utf8) } }
    package func pool(named name: String) -> PoolSettings? { pools.first { $0.name.utf8.elementsEqual(name.utf8) } }

    /// The route or pool that the mail of an identity leaves by where the transport map says nothing; never nil for an identity of these
    /// settings.
    package func wayOut(of identity: IdentitySettings) -> String? { identity.route ?? defaultWayOut }

    /// The routes that a route or pool stands for.
    package func routes(of way: String) -> [RouteSettings] {
        if let pool = pool(named: way) { return pool.members.compactMap { route(named: $0.route) } }
        return route(named: way).map { [$0] } ?? []
    }

    /// The time zone of an identity's day and window.
    package func timezone(of identity: IdentitySettings) -> TimeZone { identity.timezone ?? window.timezone ?? main.timezone }

    /// Whose law the messages of an identity keep.
    package func law(of identity: IdentitySettings) -> MessageLaw { identity.law ?? compliance.law }

    /// What stands under the messages of an identity; nil: nothing.
    package func postalAddress(of identity: IdentitySettings) -> String? { identity.postalAddress ?? compliance.postalAddress }

    /// How to get no more messages of an identity, as they say themselves; nil: only what their texts say of it.
    package func optOut(of identity: IdentitySettings) -> String? { identity.optOut ?? compliance.optOut }

    /// Where a section (`["route", "office"]`) or a key (`["route", "office", "host"]`) was written; nil for defaults.
    package func origin(of path: [String]) -> Origin? { origins[TomlText.path(path)] }
}
