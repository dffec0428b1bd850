import Foundation
package import InternetMessage

/// The machine's own clock.
package struct SystemClock: MailClock {
    package init() {}

    package func now() -> Timestamp { Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }

    package func sleep(until moment: Timestamp) async throws {
        let wait = moment - now()
        if wait > .zero { try await Task.sleep(for: wait) }
    }
}
