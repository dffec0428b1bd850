package import struct Foundation.TimeZone

/// `[identity.NAME]`: somebody that mail is sent as.
package struct IdentitySettings: ConfSection, Equatable {
    package enum ReplyTo: String, Sendable, CaseIterable {
        /// Replies go to the From address.
        case own = "self"
        /// Replies go to a `reply+token@` address.
        case token
    }

    package enum ReturnPath: String, Sendable, CaseIterable {
        /// Bounces go to a `bounce+token@` address.
        case bounce
        /// Bounces go to the From address.
        case own = "self"
    }

    package enum Forwarding: String, Sendable, CaseIterable {
        /// In a message of ours that tells of it.
        case attached
        /// With another Reply-To.
        case asIs = "as-is"
    }

    package let name: String
    package var from = SenderAddress(text: "", displayName: "", localPart: "", domain: "")
    /// The NAME of a route or pool, nil: see ``Settings/wayOut(of:)``.
    package var route: String?
    package var replyTo = ReplyTo.own
    package var returnPath = ReturnPath.own
    /// Messages in a day of the identity's time zone.
    package var dailyLimit = 40
    /// Messages in any hour, nil: as many as the day allows.
    package var hourlyLimit: Int?
    /// People who get their first message of a sequence in a day, nil: as many as the day allows.
    package var dailyStarts: Int?
    /// Between two messages.
    package var minGap = Duration.seconds(90)
    /// Up to so much is added to each gap.
    package var gapJitter = Duration.seconds(60)
    /// Whether it keeps the hours of `[workday]`.
    package var workday = false
    package var warmup: WarmUpSettings?
    /// Text set under each message, nil: none.
    package var signature: String?
    /// Nil: that of `[compliance]`; see ``Settings/law(of:)``.
    package var law: MessageLaw?
    /// Nil: that of `[compliance]`; see ``Settings/postalAddress(of:)``.
    package var postalAddress: String?
    /// Nil: that of `[compliance]`; see ``Settings/optOut(of:)``.
    package var optOut: String?
    /// Nil: replies are not sent on.
    package var forwardRepliesTo: SenderAddress?
    /// Nil: attached.
    package var forwardRepliesAs: Forwarding?
    /// Replies sent on in a day of the identity's time zone.
    package var forwardDailyLimit = 200
    /// The same, of the conversations with one contact.
    package var forwardContactDailyLimit = 20
    package var workspace = defaultWorkspace
    /// Nil: the time zone of `[window]`, else of `[main]`; see ``Settings/timezone(of:)``.
    package var timezone: TimeZone?

    /// The workspace that every installation has.
    static let defaultWorkspace = "default"

    init(name: String) { self.name = name }

    static let fields: [Field<IdentitySettings>] = [
        Field("from", \.from, .sender, required: true, "The From address."),
        Field("route", \.route, .name(of: "route"), "The route its mail leaves by. Unset: the default of [transport]."),
        Field(
            "reply_to", \.replyTo, .choice, "Where replies go: the From address, or a signed reply+ address that names the conversation."),
        Field("return_path", \.returnPath, .choice, "Where bounces go: a signed bounce+ address, or the From address."),
        Field("daily_limit", \.dailyLimit, .integer(1...10_000), "Messages a day."),
        Field("hourly_limit", \.hourlyLimit, .integer(1...10_000), "Messages in any hour. Unset: as many as the day allows."),
        Field(
            "daily_starts", \.dailyStarts, .integer(1...10_000),
            "People who get the first message of a sequence in a day; the rest of daily_limit is for follow-ups. Unset: no cap."),
        Field("min_gap", \.minGap, .duration(.zero...(.seconds(86_400))), "The least time between two messages."),
        Field(
            "gap_jitter", \.gapJitter, .duration(.zero...(.seconds(86_400))),
            "Up to so much is added to each gap that is not 0s, differently each time."),
        Field("workday", \.workday, .flag, "Keep the hours of [workday], too."),
        Field(
            "warmup", \.warmup, .table("a table such as { start = 10, increase = 5, ceiling = 50 }"),
            "A daily limit that grows with each day on which something was sent. Unset: daily_limit alone."),
        Field("signature", \.signature, .mailText("text"), "Text set under each message."),
        Field("law", \.law, .choice, "Whose law its messages keep. Unset: that of [compliance]."),
        Field(
            "postal_address", \.postalAddress, .mailText("an address"),
            "Its postal address, set under each message. Unset: that of [compliance]."),
        Field("opt_out", \.optOut, .optOut, "How to get no more mail, set under each message. Unset: that of [compliance]."),
        Field(
            "forward_replies_to", \.forwardRepliesTo, .sender,
            "A mailbox that people's replies are sent on to when they come in by a listener. Unset: none."),
        Field(
            "forward_replies_as", \.forwardRepliesAs, .choice,
            "How: attached to a message that tells of it, or as-is with another Reply-To. Unset: attached."),
        Field("forward_daily_limit", \.forwardDailyLimit, .integer(1...10_000), "Replies sent on in a day; more stay in the inbox alone."),
        Field(
            "forward_contact_daily_limit", \.forwardContactDailyLimit, .integer(1...10_000),
            "The same, of the conversations with one contact."),
        Field(
            "workspace", \.workspace, .word("a name"),
            "The workspace whose people it writes to; one that is named for the first time is made."),
        Field("timezone", \.timezone, .timeZone, "Where its day begins and its window lies. Unset: that of [window]."),
    ]
}

/// `[rotation.NAME]`: identities that share those who are enrolled.
package struct RotationSettings: ConfSection, Equatable {
    package let name: String
    package var members: [RotationMember] = []

    init(name: String) { self.name = name }

    static let fields: [Field<RotationSettings>] = [
        Field(
            "members", \.members, .list(.table("{ identity = \"NAME\", weight = 1 }"), count: 1...500), required: true,
            "The identities, each with its share among the weights; who was written to already keeps who wrote.")
    ]
}

/// An identity of a rotation.
package struct RotationMember: ConfSection, Equatable {
    package var identity = ""
    package var weight = 1

    init(name: String) {}

    static let fields: [Field<RotationMember>] = [
        Field("identity", \.identity, .name(of: "identity"), required: true, "The identity."),
        Field("weight", \.weight, .integer(0...1_000_000), "Its share; 0: it is given nobody."),
    ]
}

/// `[window]`: when sequence mail may leave.
package struct WindowSettings: ConfSection, Equatable {
    package var days: [Weekday] = [.monday, .tuesday, .wednesday, .thursday, .friday]
    package var hours = HourRange(startMinute: 8 * 60 + 30, endMinute: 17 * 60 + 30)
    /// Empty: `days` and `hours`.
    package var week: [WeekSpan] = []
    package var quietHours: QuietRange?
    /// Countries (`DE`), parts of them (`DE-BY`), and paths of iCalendar files.
    package var holidays: [String] = []
    package var preferredHour: Int?
    /// Nil: that of `[main]`.
    package var timezone: TimeZone?

    init(name: String) {}

    static let fields: [Field<WindowSettings>] = [
        Field("days", \.days, .list(.choice, count: 1...7), "The days on which sequence mail may leave."),
        Field("hours", \.hours, .hours, "The hours in which it may leave."),
        Field(
            "week", \.week, .list(.weekSpan, count: 0...50),
            "Hours of the week in place of days and hours, several a day if you like. Empty: days and hours."),
        Field("quiet_hours", \.quietHours, .quietHours, "A part of each day in which nothing leaves, over midnight if you like."),
        Field(
            "holidays", \.holidays, .list(.line("a country such as \"DE\", a part such as \"DE-BY\", or an .ics file"), count: 0...50),
            "Days on which nothing leaves: of countries and their parts, and of iCalendar files."),
        Field(
            "preferred_hour", \.preferredHour, .integer(0...23),
            "From this hour on mail leaves on days that have hours after it. Unset: as soon as the window opens."),
        Field("timezone", \.timezone, .timeZone, "The time zone of the hours. Unset: that of [main]."),
    ]
}

/// `[recipients]`: the hours of those who are written to, by their own clocks.
package struct RecipientSettings: ConfSection, Equatable {
    /// How sure a time zone must be.
    package enum Certainty: String, Sendable, CaseIterable { case low, medium, high, stated }

    package var week: [WeekSpan] = []
    package var quietHours: QuietRange?
    package var preferredHour: Int?
    package var holidays = true
    package var certainty = Certainty.medium

    init(name: String) {}

    static let fields: [Field<RecipientSettings>] = [
        Field("week", \.week, .list(.weekSpan, count: 1...50), required: true, "The hours of the week in which they are written to."),
        Field("quiet_hours", \.quietHours, .quietHours, "A part of each of their days in which nothing leaves, over midnight if you like."),
        Field(
            "preferred_hour", \.preferredHour, .integer(0...23), "From this hour of theirs on mail leaves on days that have hours after it."
        ),
        Field("holidays", \.holidays, .flag, "Whether nothing leaves on the public holidays of their country."),
        Field(
            "certainty", \.certainty, .choice,
            "How sure their time zone must be: stated, a country with one zone, a phone number or domain, or the likeliest of a large country."
        ),
    ]
}

/// `warmup = { ... }`: a daily limit that grows.
package struct WarmUpSettings: ConfSection, Equatable {
    package var start = 10
    package var increase = 5
    package var ceiling = 50

    init(name: String) {}

    static let fields: [Field<WarmUpSettings>] = [
        Field("start", \.start, .integer(1...1_000_000), "Messages on the first day."),
        Field("increase", \.increase, .integer(0...1_000_000), "More on each further day on which something was sent."),
        Field("ceiling", \.ceiling, .integer(1...10_000_000), "It never grows beyond it."),
    ]
}

/// `[warmup]`: what makes a warm-up step back.
package struct WarmUpSignalSettings: ConfSection, Equatable {
    package var bounceShare = 0.05
    package var complaintShare = 0.001
    package var sample = 50
    package var days = 7

    init(name: String) {}

    static let fields: [Field<WarmUpSignalSettings>] = [
        Field("bounce_share", \.bounceShare, .number(0...1), "With a larger share of bounces the limit is that of half the days."),
        Field("complaint_share", \.complaintShare, .number(0...1), "With a larger share of complaints the limit is that of the first day."),
        Field("sample", \.sample, .integer(1...1_000_000), "With fewer messages no share counts."),
        Field("days", \.days, .integer(1...60), "How many days back they are counted."),
    ]
}

/// `[workday]`: the hours of a person, a little different each day.
package struct WorkdaySettings: ConfSection, Equatable {
    package var start = HourRange(startMinute: 9 * 60 + 3, endMinute: 9 * 60 + 27)
    package var end = HourRange(startMinute: 17 * 60 + 18, endMinute: 17 * 60 + 56)
    package var lunch = HourRange(startMinute: 12 * 60, endMinute: 13 * 60 + 30)
    package var lunchMin = Duration.seconds(1800)
    package var lunchMax = Duration.seconds(3600)

    init(name: String) {}

    static let fields: [Field<WorkdaySettings>] = [
        Field("start", \.start, .hours, "Between which times the day begins."),
        Field("end", \.end, .hours, "Between which times it ends."),
        Field("lunch", \.lunch, .hours, "Within which time lunch lies."),
        Field("lunch_min", \.lunchMin, .duration(.zero...(.seconds(14_400))), "The shortest lunch."),
        Field("lunch_max", \.lunchMax, .duration(.zero...(.seconds(14_400))), "The longest lunch."),
    ]
}

/// `[mailbox.NAME]`: an IMAP account that is read for replies.
package struct MailboxSettings: ConfSection, Equatable {
    package let name: String
    package var host = HostAddress.name("")
    /// As written; see ``effectivePort``.
    package var port: Int?
    package var tls = TLSMode.implicit
    /// Nil: the certificates that the system trusts.
    package var tlsCAFile: String?
    package var auth = AuthSettings(name: "")
    package var folders: [MailboxFolder] = [.named("INBOX"), .marked(.junk)]
    package var access = MailboxAccess.examine
    package var pollInterval = Duration.seconds(300)
    package var idleRefresh = Duration.seconds(540)
    package var fetchLimit = ByteCount.mebibytes(5)
    package var lookback = Duration.seconds(14 * 86_400)
    /// Nil: that of `[main]`.
    package var authservID: String?

    init(name: String) { self.name = name }

    static let fields: [Field<MailboxSettings>] = [
        Field("host", \.host, .host, required: true, "The IMAP server."),
        Field("port", \.port, .integer(1...65_535), "Unset: 993, or 143 when tls is not implicit."),
        Field("tls", \.tls, .choice, "How TLS starts; none only on this machine. The certificate is always verified."),
        Field("tls_ca_file", \.tlsCAFile, .file, "Certificates to trust in place of the system's."),
        Field("auth", \.auth, .table(AuthSettings.form), required: true, "The login."),
        Field(
            "folders", \.folders, .list(.folder, count: 1...20),
            "The folders to read, by name or by the use that the server marks them with; the first is watched, the others are polled."),
        Field(
            "access", \.access, .access,
            "What reading leaves behind: examine touches nothing, seen marks as read what is stored, move:Folder moves it there."),
        Field(
            "poll_interval", \.pollInterval, .duration(.seconds(1)...(.seconds(86_400))), "How often to look when the server has no IDLE."),
        Field(
            "idle_refresh", \.idleRefresh, .duration(.seconds(30)...(.seconds(29 * 60))),
            "How often IDLE is begun anew; servers end it after 30 minutes."),
        Field(
            "fetch_limit", \.fetchLimit, .size(.kibibytes(16)...(.mebibytes(200))),
            "Of messages larger than this only the beginning is fetched, 1 MB at most."),
        Field(
            "lookback", \.lookback, .duration(.zero...(.seconds(365 * 86_400))),
            "How far back to look when a folder is seen for the first time."),
        Field(
            "authserv_id", \.authservID, .line("a name, as it stands first in an Authentication-Results field"),
            "Whose Authentication-Results are believed of this mailbox's mail; unset: that of [main]."),
    ]

    package var effectivePort: Int { port ?? (tls == .implicit ? 993 : 143) }
}

/// `[tokens]`: signed reply and bounce addresses.
package struct TokenSettings: ConfSection, Equatable {
    /// The first signs, all verify.
    package var keyFiles: [SecretFile] = []
    package var replyValid = Duration.seconds(400 * 86_400)
    package var bounceValid = Duration.seconds(60 * 86_400)
    /// As written; see ``Settings/tokenDomain``.
    package var domain: String?

    init(name: String) {}

    static let fields: [Field<TokenSettings>] = [
        Field("key_files", \.keyFiles, .list(.secret(minimumBytes: 32), count: 0...8), "The keys; the first signs, all of them verify."),
        Field("reply_valid", \.replyValid, .duration(.seconds(86_400)...(.seconds(3650 * 86_400))), "How long a reply address is valid."),
        Field(
            "bounce_valid", \.bounceValid, .duration(.seconds(86_400)...(.seconds(3650 * 86_400))), "How long a bounce address is valid."),
        Field("domain", \.domain, .domain, "The domain of these addresses. Unset: the first accept_domains of a listener."),
    ]
}

/// `[unsubscribe]`: the way out for recipients.
package struct UnsubscribeSettings: ConfSection, Equatable {
    package enum Method: String, Sendable, CaseIterable { case mailto, https, both }

    package var listUnsubscribe = Method.mailto
    /// Nil only when the method is mailto.
    package var oneClickURL: String?

    init(name: String) {}

    static let fields: [Field<UnsubscribeSettings>] = [
        Field("list_unsubscribe", \.listUnsubscribe, .choice, "What the List-Unsubscribe header offers; https adds one-click (RFC 8058)."),
        Field(
            "one_click_url", \.oneClickURL, .webAddress, "The public URL that your reverse proxy hands to [http]; the token is added to it."
        ),
    ]
}

/// `[compliance]`: what the law of the recipients asks for.
package struct ComplianceSettings: ConfSection, Equatable {
    /// What stands in a text for the link that ends all mail to who got the message.
    package static let wayOutTag = "{{unsubscribe_url}}"

    package var law = MessageLaw.none
    /// Nil: messages show none.
    package var postalAddress: String?
    /// Nil: messages show what their texts say of it.
    package var optOut: String?

    init(name: String) {}

    static let fields: [Field<ComplianceSettings>] = [
        Field("law", \.law, .choice, "Whose law messages keep: what it asks of a message and is not there is refused."),
        Field("postal_address", \.postalAddress, .mailText("an address"), "The sender's postal address, set under each message."),
        Field("opt_out", \.optOut, .optOut, "How to get no more mail, set under each message; it may hold {{unsubscribe_url}}."),
    ]
}

/// Whose law says what a message must show; the words that conf names them by.
package enum MessageLaw: String, Sendable, CaseIterable {
    /// Nothing is asked for.
    case none
    /// Spam Act 2003, section 18.
    case australia = "au"
    /// CASL, section 6(2).
    case canada = "ca"
    /// Directive 2002/58/EC, article 13(4), and GDPR, article 21(4).
    case europeanUnion = "eu"
    /// PECR, regulation 23, and the registered office of a company's letters.
    case unitedKingdom = "uk"
    /// CAN-SPAM, 15 U.S.C. 7704(a)(3) and (5).
    case unitedStates = "us"

    /// Whether each message must show how to get no more of them.
    package var asksWayOut: Bool { self != .none }

    /// Whether each message must show where its sender is to be found.
    package var asksPostalAddress: Bool {
        switch self {
        case .canada, .unitedKingdom, .unitedStates: true
        case .none, .australia, .europeanUnion: false
        }
    }
}
