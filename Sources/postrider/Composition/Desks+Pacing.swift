import DNS
import Embedded
import Foundation
import InternetMessage
import MailTransport
import Mailroom
import Outreach
import Settings

/// Limits, sites and seat belts as conf and provider files say them.
extension Desks {
    static func safety(_ settings: Settings) throws(Failure) -> SendingSafety {
        var patterns: [BytePattern] = []
        for text in settings.safety.allowRecipients {
            do {
                patterns.append(try BytePattern(text))
            } catch {
                throw Failure(.configuration, "[safety] allow_recipients: '\(text)' is no regular expression: \(error)")
            }
        }
        return SendingSafety(
            isDryRun: settings.safety.dryRun, allowed: patterns, dailyLimit: settings.safety.instanceDailyLimit,
            batchLimit: settings.safety.batchLimit)
    }

    static func frequency(_ settings: Settings, _ companies: CompanyBook) -> FrequencyPolicy {
        func caps(_ written: [SendingFrequency]) -> [FrequencyCap] { written.compactMap { FrequencyCap($0.count, in: $0.window) } }
        return FrequencyPolicy(
            perContact: caps(settings.frequency.perContact), perCompany: caps(settings.frequency.perCompany),
            companies: companies)
    }

    /// What is known of providers: the files of the conf before the one that the binary carries.
    static func providers(_ settings: Settings) throws(Failure) -> ProviderBook {
        var files: [(name: String, bytes: [UInt8])] = []
        for path in settings.shaping.files {
            guard let data = FileManager.default.contents(atPath: path) else { throw Failure(.configuration, "\(path): cannot be read") }
            files.append((path, [UInt8](data)))
        }
        let name = "pacing/providers.toml"
        guard let builtin = EmbeddedFile.named(name) else {
            throw Failure(.internalError, "builtin:\(name): the binary does not carry this file; build it again")
        }
        files.append(("builtin:\(name)", builtin.bytes))
        do throws(ProviderBook.Faults) {
            return try ProviderBook(files: files)
        } catch {
            throw Failure(.configuration, error.faults.map(\.description).joined(separator: "\n"))
        }
    }

    static func deliveryPolicy(_ settings: Settings, resolver: any Resolver) throws(Failure) -> DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.safety = try safety(settings)
        policy.providers = try providers(settings)
        policy.finder = MailSiteFinder(resolver: resolver)
        policy.exchangerRoutes = Set(settings.routes.filter { $0.type == .mx }.map(\.name))
        policy.relayRoutes = Set(settings.routes.filter { $0.type == .submission || $0.type == .lmtp }.map(\.name))
        policy.sinkRoutes = Set(settings.routes.filter(\.type.leadsNowhere).map(\.name))
        policy.rests = settings.queue.retrySchedule
        policy.fallbacks = fallbacks(settings)
        for route in settings.routes where !route.effectivePreservesMessageID {
            policy.renamingRoutes[route.name] = .some(route.messageIDDomain)
        }
        var limits = DeliveryLimits()
        limits.instance = settings.limits.instance.compactMap(Rate.init)
        if let daily = Rate(settings.safety.instanceDailyLimit, per: .day) { limits.instance.append(daily) }
        limits.workspace = settings.limits.workspace.compactMap(Rate.init)
        limits.identity = settings.limits.identity.compactMap(Rate.init)
        limits.recipientDomain = settings.limits.recipientDomain.compactMap(Rate.init)
        for route in settings.routes {
            limits.routes[route.name] = route.rate.compactMap(Rate.init)
            limits.sourceOfRoute[route.name] = route.source
        }
        for source in settings.sources {
            limits.sources[source.name] = source.rate.compactMap(Rate.init)
            guard let ramp = try warmUp(source.warmup, settings, at: "[source.\(source.name)]") else { continue }
            let senders = settings.identities.filter { identity in
                guard let way = settings.wayOut(of: identity) else { return false }
                return settings.routes(of: way).contains { $0.source?.utf8.elementsEqual(source.name.utf8) ?? false }
            }
            policy.ramps.append(DeliveryPolicy.Ramp(source: source.name, identities: senders.map(\.name), warmUp: ramp))
        }
        policy.limits = limits
        return policy
    }

    static func retention(_ settings: Settings) -> Caretaker.Retention {
        Caretaker.Retention(
            messages: settings.retention.messages, replies: settings.retention.replies, events: settings.retention.events)
    }

    /// The guardrails of the conf, and those that are built in where it does not name them.
    static func guardrails(_ settings: Settings) -> [GuardrailRule] {
        let written = settings.guardrails
        let builtIn = GuardrailSettings.builtIn.filter { own in !written.contains { $0.name.utf8.elementsEqual(own.name.utf8) } }
        return (builtIn + written).filter(\.isEnabled).compactMap { section in
            guard let metric = section.effectiveMetric.flatMap({ RateName(rawValue: $0.rawValue) }),
                let threshold = section.effectiveThreshold,
                let comparison = GuardrailRule.Comparison(rawValue: section.effectiveComparison.rawValue),
                let action = GuardrailRule.Action(rawValue: section.action.rawValue)
            else { return nil }
            return GuardrailRule(
                name: section.name, origin: settings.origin(of: ["guardrail", section.name])?.description ?? "built in", metric: metric,
                comparison: comparison, threshold: threshold, minimumSends: section.minimumSends,
                days: Int(section.window.components.seconds / 86_400),
                scopes: section.scope.compactMap { GuardrailRule.Scope(rawValue: $0.rawValue) }, action: action, lasts: section.lasts)
        }
    }

    static func warmUp(_ section: WarmUpSettings?, _ settings: Settings, at place: String) throws(Failure) -> WarmUp? {
        guard let section else { return nil }
        let signals = WarmUp.Signals(
            bounceShare: settings.warmup.bounceShare, complaintShare: settings.warmup.complaintShare, sample: settings.warmup.sample,
            days: settings.warmup.days)
        guard let ramp = WarmUp(start: section.start, increase: section.increase, ceiling: section.ceiling, signals: signals) else {
            throw Failure(.configuration, "\(place) warmup: start must be 1 or more and not above ceiling")
        }
        return ramp
    }

    /// The hours of a person; nil when they contradict each other, which the conf was checked for.
    static func workday(_ settings: Settings) -> Workday? {
        let section = settings.workday
        func minutes(_ range: HourRange) -> ClosedRange<Int> { range.startMinute...range.endMinute }
        let shortest = Int(section.lunchMin.components.seconds / 60)
        let longest = Int(section.lunchMax.components.seconds / 60)
        guard shortest <= longest else { return nil }
        return Workday(
            start: minutes(section.start), end: minutes(section.end), lunch: minutes(section.lunch), lunchLength: shortest...longest)
    }
}

extension Rate {
    /// The same rate; nil never, for both know the same periods.
    fileprivate init?(_ rate: SendingRate) { self.init(rate.description) }
}
