/// Who keeps the mailboxes of a recipient, for statistics.
package enum RecipientProvider {
    /// The name for those of whom nothing is known.
    package static let other = "other"

    /// The provider that was noted when the message was tried at its hosts, else the one whose own domain it is; `other` for the rest.
    ///
    /// - Parameters:
    ///   - noted: the provider's name, as provider files say it; nil: it went by a smarthost, or has not been tried.
    ///   - domain: of the recipient, lower case with A-labels.
    package static func name(noted: String?, domain: String) -> String {
        noted ?? domains[domain] ?? other
    }

    /// Domains in which the provider's own mailboxes are, by the names of conf/providers.toml.
    package static let domains: [String: String] = {
        let domains: [String: [String]] = [
            "google": ["gmail.com", "googlemail.com"],
            "outlook": [
                "outlook.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.it", "hotmail.com", "hotmail.de", "hotmail.fr",
                "hotmail.co.uk", "hotmail.it", "hotmail.es", "live.com", "live.de", "live.nl", "live.fr", "live.co.uk", "msn.com",
            ],
            "yahoo": [
                "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.co.uk", "yahoo.it", "yahoo.es", "yahoo.ca", "yahoo.com.br", "yahoo.co.in",
                "ymail.com", "rocketmail.com", "aol.com", "aol.de",
            ],
            "yahoo-japan": ["yahoo.co.jp", "ybb.ne.jp"],
            "apple": ["icloud.com", "me.com", "mac.com"],
            "gmx": ["gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "mail.com"],
            "comcast": ["comcast.net"],
            "orange": ["orange.fr", "wanadoo.fr"],
            "tencent": ["qq.com", "foxmail.com"],
            "netease": ["163.com", "126.com", "yeah.net"],
        ]
        return Dictionary(domains.flatMap { name, domains in domains.map { ($0, name) } }) { $1 }
    }()
}
