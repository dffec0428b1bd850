package import InternetMessage

/// A part of our side on which nothing leaves: because it is out of order (a route's login, certificate or quota; an identity's SPF, DKIM or
/// DMARC), or because a guardrail found its figures to be bad (an identity, a sequence, or all sequences).
///
/// The first kind ends by itself when a delivery gets through after `until`, the second when its figures are better at `until`; either by a
/// person.
package struct SendingPause: Sendable, Equatable {
    /// What is paused.
    package enum Subject: Sendable, Hashable {
        case route(String)
        case identity(String)
        /// Of that name in one workspace.
        case sequence(String, in: WorkspaceID)
        /// The mail of all sequences; what belongs to none goes on.
        case instance

        /// `route`, `identity`, `sequence` or `instance`.
        package var kind: String {
            switch self {
            case .route: "route"
            case .identity: "identity"
            case .sequence: "sequence"
            case .instance: "instance"
            }
        }

        package var name: String {
            switch self {
            case .route(let name), .identity(let name), .sequence(let name, in: _): name
            case .instance: "all"
            }
        }

        /// The one workspace that it is of; `.instance` when it is of none.
        package var workspace: WorkspaceID {
            switch self {
            case .sequence(_, in: let workspace): workspace
            case .route, .identity, .instance: .instance
            }
        }

        /// As a person names it: `route:office`.
        package var text: String { "\(kind):\(name)" }

        /// The same, and no other has it: `sequence:intro of workspace 2`.
        package var key: String {
            workspace == .instance || workspace == .default ? text : "\(text) of workspace \(workspace.rawValue)"
        }

        /// nil for a kind that is none of them.
        ///
        /// - Parameter workspace: the one that is meant when it is a sequence.
        package init?(kind: String, name: String, workspace: WorkspaceID) {
            if kind.utf8.elementsEqual("route".utf8) {
                self = .route(name)
            } else if kind.utf8.elementsEqual("identity".utf8) {
                self = .identity(name)
            } else if kind.utf8.elementsEqual("sequence".utf8) {
                self = .sequence(name, in: workspace)
            } else if kind.utf8.elementsEqual("instance".utf8), name.utf8.elementsEqual("all".utf8) {
                self = .instance
            } else {
                return nil
            }
        }

        /// Reads `route:office`, `identity:anna`, `sequence:intro` or `instance`, and `office` alone as a route; nil for another kind.
        ///
        /// - Parameter workspace: the one that is meant when it is a sequence.
        package init?(_ text: String, workspace: WorkspaceID) {
            let bytes = Array(text.utf8)
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                self = bytes.elementsEqual("instance".utf8) ? .instance : .route(text)
                return
            }
            self.init(
                kind: String(decoding: bytes[..<colon], as: UTF8.self), name: String(decoding: bytes[(colon + 1)...], as: UTF8.self),
                workspace: workspace)
        }
    }

    package let subject: Subject
    package let since: Timestamp
    /// From then on one delivery at a time tries whether it works again; where a guardrail paused it, the figures are looked at again.
    package let until: Timestamp
    /// The class of the failure, as the bounce rules name it, or `guardrail NAME`.
    package let failureClass: String
    /// What the server said, or what we found.
    package let reason: String
    /// How many deliveries failed in the same way after a pause was over, or how often its figures were no better.
    package let renewals: Int
    /// What it stands on where a guardrail paused it; nil: failures did.
    package var finding: Finding?

    /// The figures that led to a pause, as they were.
    package struct Finding: Sendable, Equatable {
        package let rule: String
        /// File and line, or `built in`.
        package let origin: String
        package let metric: String
        package let rate: SampledRate
        package let days: Int
        /// Whether only a person ends the pause.
        package let isOpenEnded: Bool

        package init(rule: String, origin: String, metric: String, rate: SampledRate, days: Int, isOpenEnded: Bool) {
            self.rule = rule
            self.origin = origin
            self.metric = metric
            self.rate = rate
            self.days = days
            self.isOpenEnded = isOpenEnded
        }
    }

    package init(subject: Subject, since: Timestamp, until: Timestamp, failureClass: String, reason: String, renewals: Int) {
        self.subject = subject
        self.since = since
        self.until = until
        self.failureClass = failureClass
        self.reason = reason
        self.renewals = renewals
    }

    /// Whether nothing at all leaves. No delivery finds out whether figures are better, so a guardrail's pause holds until it has ended.
    package func holds(at now: Timestamp) -> Bool { until > now || finding != nil }

    /// Why a message waits, for a person.
    package var words: String {
        let end = finding?.isOpenEnded == true ? "until a person ends it" : "until \(until.iso8601)"
        return "\(subject.beginning)\(end): \(reason) (\(failureClass))"
    }
}

/// What is paused. One method, one transaction.
package protocol PauseStore: Sendable {
    /// Pauses what failed at `at`, or renews its pause when a delivery that began after the pause was over failed again; other failures during
    /// a pause change nothing.
    ///
    /// - Parameters:
    ///   - began: when the delivery that failed began.
    ///   - rests: how long the pause lasts at first and after each renewal; the last one repeats. Never empty.
    /// - Returns: the pause as it stands, and whether this call began or renewed it.
    func pause(
        _ subject: SendingPause.Subject, failureClass: String, reason: String, began: Timestamp, at: Timestamp, rests: [Duration]
    ) async throws(StoreError) -> (pause: SendingPause, isNew: Bool)

    /// Ends a pause: what waited for it is due at once. False when there was none.
    ///
    /// - Parameter by: who or what ended it; kept with the pause.
    func resume(_ subject: SendingPause.Subject, by: String, at: Timestamp) async throws(StoreError) -> Bool

    /// The pauses that have not ended, by kind and name.
    func pauses() async throws(StoreError) -> [SendingPause]
}

extension SendingPause.Subject {
    /// How the reason of a step or message begins that waits for it; of a sequence, of those of its workspace.
    package var beginning: String { "\(kind) \(name) is paused " }

    /// What a message of a workspace waits for by its `awaits`; nil when that is nothing that can be paused.
    package init?(awaited text: String, workspace: WorkspaceID) {
        let bytes = Array(text.utf8)
        guard let blank = bytes.firstIndex(of: 0x20) else { return nil }
        self.init(
            kind: String(decoding: bytes[..<blank], as: UTF8.self), name: String(decoding: bytes[(blank + 1)...], as: UTF8.self),
            workspace: workspace)
    }
}

extension OutboxMessage {
    /// The value of `awaits` for what is paused, as `route NAME`.
    package static func awaiting(_ subject: SendingPause.Subject) -> String { "\(subject.kind) \(subject.name)" }
}
