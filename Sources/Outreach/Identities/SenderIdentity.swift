package import InternetMessage

/// Somebody we write as: an address, the way its mail leaves, and its pace.
package struct SenderIdentity: Sendable {
    /// Where answers go.
    package enum ReplyTo: Sendable, Equatable {
        /// To the From address; a mailbox of ours must be read there.
        case mailbox
        /// To a `reply+TOKEN@` address of ours.
        case token
    }

    /// Where reports of failed delivery go.
    package enum ReturnPath: Sendable, Equatable {
        /// To a `bounce+TOKEN@` address of ours.
        case token
        /// To the From address, for smarthosts that refuse another reverse-path.
        case mailbox
    }

    /// The name of its section in conf.
    package let name: String
    package let workspace: WorkspaceID
    /// What people call that workspace.
    package let workspaceName: String
    package let from: Mailbox
    /// A route or a pool of routes, for mail that the transport map says nothing about.
    package let route: String
    package let replyTo: ReplyTo
    package let returnPath: ReturnPath
    package let pacing: PacingGate.Policy
    /// Lines under every message; nil: none.
    package let signature: String?
    /// How to get no more mail, under every message; nil: only what texts say of it.
    package let optOut: MessageTemplate?
    /// Under every message; nil: none.
    package let postalAddress: String?
    /// Name of the law that wants each message to show how to get no more of them; nil: none does.
    package let law: String?
    /// Where people's replies are sent on to; nil: nowhere.
    package let forwarding: ReplyForwarding?

    package init(
        name: String, workspace: WorkspaceID, workspaceName: String, from: Mailbox, route: String, replyTo: ReplyTo,
        returnPath: ReturnPath,
        pacing: PacingGate.Policy, signature: String? = nil, optOut: MessageTemplate? = nil, postalAddress: String? = nil,
        law: String? = nil,
        forwarding: ReplyForwarding? = nil
    ) {
        self.name = name
        self.workspace = workspace
        self.workspaceName = workspaceName
        self.from = from
        self.route = route
        self.replyTo = replyTo
        self.returnPath = returnPath
        self.pacing = pacing
        self.signature = signature
        self.optOut = optOut
        self.postalAddress = postalAddress
        self.law = law
        self.forwarding = forwarding
    }

    /// The law that wants the texts of its messages to hold `{{unsubscribe_url}}`; nil: they need not.
    package var lawOnTexts: String? { optOut == nil ? law : nil }
}

/// What every message of an installation carries so that people can get out.
package struct UnsubscribePolicy: Sendable {
    /// Whether `List-Unsubscribe` names an `unsub+TOKEN@` address.
    package let mailto: Bool
    /// Base of the one-click link, ending in `/`; the token follows it. nil: no link.
    package let oneClickBase: String?

    package init(mailto: Bool, oneClickBase: String?) {
        self.mailto = mailto
        self.oneClickBase = oneClickBase
    }
}
