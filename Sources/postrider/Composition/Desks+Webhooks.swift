import HTTPFetch
import MailTransport
import Mailroom
import Outreach
import Settings

/// Other systems that steps of sequences hand contacts over to, as conf says them.
extension Desks {
    static func webhooks(_ settings: Settings) throws(Failure) -> WebhookCaller.Desk {
        var webhooks: [String: WebhookCaller.Desk.Webhook] = [:]
        for section in settings.webhooks {
            webhooks[section.name] = .init(
                target: target(section), secret: try read(section.secretFile), waits: section.retrySchedule)
        }
        return WebhookCaller.Desk(webhooks: webhooks, safety: try safety(settings))
    }

    static func target(_ section: WebhookSettings) -> WebhookPoster.Target {
        WebhookPoster.Target(
            url: section.url, allowsPrivate: section.allowPrivate, time: section.timeout,
            trust: section.tlsCAFile.map { .caFile($0) } ?? .system)
    }

    /// What plans may name.
    static func webhookBook(_ settings: Settings) -> WebhookBook {
        WebhookBook(Dictionary(settings.webhooks.map { ($0.name, $0.url) }) { first, _ in first })
    }
}
