import InternetMessage
import Outreach
import Settings

extension Desks {
    /// Who writes to whom when something is out of order; nil when nobody is to be told.
    ///
    /// - Throws: `Failure` for an address that is none.
    static func alertWriter(_ installation: Installation, _ identities: [String: SenderIdentity]) throws(Failure) -> AlertWriter? {
        let settings = installation.settings
        guard !settings.alerts.mailTo.isEmpty, let name = settings.alerts.identity ?? settings.identities.first?.name,
            let identity = identities[name]
        else { return nil }
        var recipients: [EmailAddress] = []
        for section in settings.alerts.mailTo {
            guard let address = EmailAddress(section.address) else {
                throw Failure(.configuration, "[alerts] mail_to: '\(section.address)' is not an email address")
            }
            recipients.append(address)
        }
        return AlertWriter(
            recipients: recipients, identity: identity, hostname: settings.main.myhostname, routes: routePlan(settings),
            chance: installation.chance, ids: installation.ids)
    }
}
