package import InternetMessage

/// A part of our side on which nothing leaves because it is out of order: a route's login, certificate or quota; an identity's SPF, DKIM or
/// DMARC.
///
/// It ends by itself when a delivery gets through after `until`, or by a person.
package struct SendingPause: Sendable, Equatable {
    /// What is paused.
    package enum Subject: Sendable, Hashable {
        case route(String)
        case identity(String)

        /// `route` or `identity`.
        package var kind: String {
            switch self {
            case .route: "route"
            case .identity: "identity"
            }
        }

        package var name: String {
            switch self {
            case .route(let name), .identity(let name): name
            }
        }

        /// As a person names it: `route:office`.
        package var text: String { "\(kind):\(name)" }

        /// nil for a kind that is neither.
        package init?(kind: String, name: String) {
            if kind.utf8.elementsEqual("route".utf8) {
                self = .route(name)
            } else if kind.utf8.elementsEqual("identity".utf8) {
                self = .identity(name)
            } else {
                return nil
            }
        }

        /// Reads `route:office` or `identity:anna`, and `office` alone as a route; nil for another kind.
        package init?(_ text: String) {
            let bytes = Array(text.utf8)
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                self = .route(text)
                return
            }
            self.init(
                kind: String(decoding: bytes[..<colon], as: UTF8.self), name: String(decoding: bytes[(colon + 1)...], as: UTF8.self))
        }
    }

    package let subject: Subject
    package let since: Timestamp
    /// From then on one delivery at a time tries whether it works again.
    package let until: Timestamp
    /// The class of the failure, as the bounce rules name it.
    package let failureClass: String
    /// What the server said, or what we found.
    package let reason: String
    /// How many deliveries failed in the same way after a pause was over.
    package let renewals: Int

    package init(subject: Subject, since: Timestamp, until: Timestamp, failureClass: String, reason: String, renewals: Int) {
        self.subject = subject
        self.since = since
        self.until = until
        self.failureClass = failureClass
        self.reason = reason
        self.renewals = renewals
    }

    /// Whether nothing at all leaves.
    package func holds(at now: Timestamp) -> Bool { until > now }

    /// Why a message waits, for a person.
    package var words: String { "\(subject.kind) \(subject.name) is paused until \(until.iso8601): \(reason) (\(failureClass))" }
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
    /// What a message waits for by its `awaits`; nil when that is nothing that can be paused.
    package init?(awaited text: String) {
        let bytes = Array(text.utf8)
        guard let blank = bytes.firstIndex(of: 0x20) else { return nil }
        self.init(kind: String(decoding: bytes[..<blank], as: UTF8.self), name: String(decoding: bytes[(blank + 1)...], as: UTF8.self))
    }
}

extension OutboxMessage {
    /// The value of `awaits` for what is paused: `route NAME` or `identity NAME`.
    package static func awaiting(_ subject: SendingPause.Subject) -> String { "\(subject.kind) \(subject.name)" }
}
