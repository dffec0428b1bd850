/// `[queue]`: how often and how long delivery is tried.
package struct QueueSettings: ConfSection, Equatable {
    /// What becomes of a message whose final dot may have left while no complete reply came.
    package enum OnUncertain: String, Sendable, CaseIterable {
        /// Kept for a person to decide: at most once on the wire.
        case hold
        /// Sent again, with the same Message-ID.
        case resend
    }

    /// The waits between attempts; the last one repeats. Never empty.
    package var retrySchedule: [Duration] = [
        .seconds(300), .seconds(900), .seconds(1800), .seconds(3600), .seconds(7200), .seconds(14_400),
    ]
    /// The part of a wait by which it is moved at random, both ways.
    package var retryJitter = 0.1
    package var maxQueueLifetime = Duration.seconds(2 * 86_400)
    package var onUncertain = OnUncertain.hold
    package var connectTimeout = Duration.seconds(30)
    package var heloTimeout = Duration.seconds(300)
    package var mailTimeout = Duration.seconds(300)
    package var rcptTimeout = Duration.seconds(300)
    package var dataInitTimeout = Duration.seconds(120)
    package var dataXferTimeout = Duration.seconds(180)
    package var dataDoneTimeout = Duration.seconds(600)

    init(name: String) {}

    private static let step = ConfType<Duration>.duration(.seconds(1)...(.seconds(3600)))

    static let fields: [Field<QueueSettings>] = [
        Field(
            "retry_schedule", \.retrySchedule, .list(.duration(.seconds(1)...(.seconds(7 * 86_400))), count: 1...50),
            "The waits after a deferred attempt; the last one repeats."),
        Field("retry_jitter", \.retryJitter, .number(0...0.5), "The part of each wait by which it is moved at random."),
        Field(
            "max_queue_lifetime", \.maxQueueLifetime, .duration(.seconds(60)...(.seconds(30 * 86_400))),
            "After this a message that is still deferred is given up."),
        Field(
            "on_uncertain", \.onUncertain, .choice,
            "What to do when a connection was lost between the final dot and its reply; resend: at most twice, then hold."),
        Field("connect_timeout", \.connectTimeout, step, "To open a connection."),
        Field("helo_timeout", \.heloTimeout, step, "For the greeting and the reply to EHLO."),
        Field("mail_timeout", \.mailTimeout, step, "For the reply to MAIL FROM."),
        Field("rcpt_timeout", \.rcptTimeout, step, "For the reply to RCPT TO."),
        Field("data_init_timeout", \.dataInitTimeout, step, "For the reply to DATA."),
        Field("data_xfer_timeout", \.dataXferTimeout, step, "For each block of the message to be taken."),
        Field("data_done_timeout", \.dataDoneTimeout, step, "For the reply to the final dot (RFC 5321 asks for ten minutes)."),
    ]
}

/// `[dkim]`: what holds for all signatures.
package struct DKIMSettings: ConfSection, Equatable {
    /// How long a signature is valid (`x=`).
    package var expiry = Duration.seconds(7 * 86_400)

    init(name: String) {}

    static let fields: [Field<DKIMSettings>] = [
        Field("expiry", \.expiry, .duration(.seconds(3600)...(.seconds(90 * 86_400))), "How long a signature is valid.")
    ]
}

/// `[dkim.key."DOMAIN"]`: the keys that sign for a domain.
package struct DKIMKeySettings: ConfSection, Equatable {
    /// The signing domain (`d=`).
    package let domain: String
    package var selector = ""
    /// An RSA key, PEM.
    package var keyFile: SecretFile?
    /// The selector of the Ed25519 key; nil only when there is no such key, or no RSA key beside it.
    package var ed25519Selector: String?
    /// An Ed25519 key, PEM.
    package var ed25519KeyFile: SecretFile?
    /// The selector of the key that is to take over.
    package var nextSelector: String?
    /// The key that takes the place of the one of its kind as soon as DNS publishes it.
    package var nextKeyFile: SecretFile?

    /// Every key with its selector, the next one last.
    package var keyFiles: [(selector: String, file: SecretFile)] {
        [(selector, keyFile), (ed25519Selector ?? selector, ed25519KeyFile), (nextSelector ?? "", nextKeyFile)].compactMap {
            selector, file in
            file.map { (selector, $0) }
        }
    }

    init(name: String) { domain = name }

    static let fields: [Field<DKIMKeySettings>] = [
        Field("selector", \.selector, .selector, required: true, "The selector that the key is published under."),
        Field("key_file", \.keyFile, .secret(), "The RSA key (PEM)."),
        Field("ed25519_selector", \.ed25519Selector, .selector, "The selector of the second key; it must be another one."),
        Field("ed25519_key_file", \.ed25519KeyFile, .secret(), "An Ed25519 key (PEM) for a second signature."),
        Field("next_selector", \.nextSelector, .selector, "The selector of the key that is to take over."),
        Field(
            "next_key_file", \.nextKeyFile, .secret(),
            "The key (PEM) that takes the place of the one of its kind as soon as DNS publishes it."),
    ]
}
