package import InternetMessage

/// What one attempt of a call came to.
package enum WebhookAnswer: Sendable, Equatable {
    /// The other system answered.
    /// - Parameters:
    ///   - retryAfter: how long it asks to be left alone; nil when it does not.
    ///   - text: the beginning of what it said, for a person.
    case status(Int, retryAfter: Duration? = nil, text: String = "")
    /// Nothing came back, for a reason that may pass.
    case nothing(String)
    /// It was not called: conf does not allow that.
    case refused(String)
}

/// Decides what an answer makes of a call: a value in, a verdict out.
package enum WebhookJudge {
    /// What a call becomes.
    package struct Verdict: Sendable, Equatable {
        package let state: WebhookCall.State
        /// nil once it has ended.
        package let nextAttemptAt: Timestamp?
        package let status: Int?
        /// Words for a person.
        package let reason: String
        /// The same without what the other system said, for the log.
        package let words: String
    }

    /// - Parameters:
    ///   - call: as it was claimed, with this attempt counted.
    ///   - waits: after the first, second, ... attempt; behind the last it is given up.
    package static func verdict(on answer: WebhookAnswer, of call: WebhookCall, waits: [Duration], at now: Timestamp) -> Verdict {
        func over(_ state: WebhookCall.State, _ words: String, said: String = "", status: Int? = nil) -> Verdict {
            Verdict(state: state, nextAttemptAt: nil, status: status, reason: words + said, words: words)
        }
        func again(_ words: String, said: String = "", status: Int? = nil, after asked: Duration? = nil) -> Verdict {
            let made = max(1, call.attempts - call.attemptsBefore)
            guard made <= waits.count else {
                return over(.failed, "given up after \(made) attempts: \(words)", said: said, status: status)
            }
            return Verdict(
                state: .queued, nextAttemptAt: now + max(waits[made - 1], asked ?? .zero), status: status, reason: words + said,
                words: words)
        }
        switch answer {
        case .refused(let why): return over(.failed, why)
        case .nothing(let why): return again(why)
        case .status(let status, let retryAfter, let text):
            let words = "answered with status \(status)"
            let said = text.utf8.isEmpty ? "" : ": \(text)"
            switch status {
            case 200...299: return over(.delivered, words, status: status)
            case 408, 425, 429, 500...599: return again(words, said: said, status: status, after: retryAfter)
            case 300...399:
                return over(.failed, words + ", and redirects are not followed; write the final URL into the conf", status: status)
            default: return over(.failed, words, said: said, status: status)
            }
        }
    }
}
