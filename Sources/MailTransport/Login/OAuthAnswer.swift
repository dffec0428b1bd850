import Foundation
import HTTPFetch

/// What token and device endpoints say, read without trusting it.
enum OAuthAnswer {
    /// RFC 6749 §5.2.
    struct Failure: Equatable {
        let code: String
        /// Printable; empty when there are none.
        let words: String
    }

    /// RFC 8628 §3.2.
    struct Device: Equatable {
        let deviceCode: String
        let userCode: String
        let verificationURL: String
        let completeURL: String?
        let lifetime: Duration
        let interval: Duration
    }

    /// Longer than any token that was ever seen; an AUTH line carries 12288 octets of base64.
    private static let longestToken = 8192

    private struct Document: Decodable {
        var access_token: String?
        var token_type: String?
        var refresh_token: String?
        var expires_in: Number?
        var error: String?
        var error_description: String?
        var device_code: String?
        var user_code: String?
        var verification_uri: String?
        /// The name before RFC 8628, which Google still uses.
        var verification_url: String?
        var verification_uri_complete: String?
        var interval: Number?
    }

    /// A number, or a number in quotes as some servers write it.
    private struct Number: Decodable {
        let value: Double

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                value = number
            } else {
                guard let number = Double(try container.decode(String.self)) else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "no number")
                }
                value = number
            }
        }
    }

    private static func document(_ response: HTTPResponse) -> Document? {
        try? JSONDecoder().decode(Document.self, from: Data(response.body))
    }

    /// Nil when it is no token.
    static func token(_ response: HTTPResponse) -> AccessToken? {
        guard response.status == 200, let document = document(response), document.error == nil, let text = document.access_token else {
            return nil
        }
        let token = Array(text.utf8)
        // RFC 6750 §2.1; what else it may be, no mechanism carries it.
        guard (1...longestToken).contains(token.count), token.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        if let type = document.token_type, !type.utf8.map({ $0 | 0x20 }).elementsEqual("bearer".utf8) { return nil }
        var refresh = document.refresh_token.map { Array($0.utf8) }
        if let given = refresh, given.isEmpty || given.count > longestToken || given.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            refresh = nil
        }
        // A server may leave the time out; it is short then.
        return AccessToken(
            token: token, lifetime: duration(document.expires_in, default: 300, in: 0...86_400), refreshToken: refresh)
    }

    /// Nil when it is none.
    static func device(_ response: HTTPResponse) -> Device? {
        guard response.status == 200, let document = document(response), let code = document.device_code, let user = document.user_code,
            let url = document.verification_uri ?? document.verification_url, !code.utf8.isEmpty, code.utf8.count <= longestToken
        else { return nil }
        return Device(
            deviceCode: code, userCode: printable(user, limit: 64), verificationURL: printable(url, limit: 500),
            completeURL: document.verification_uri_complete.map { printable($0, limit: 500) },
            lifetime: duration(document.expires_in, default: 900, in: 1...86_400),
            interval: duration(document.interval, default: 5, in: 1...300))
    }

    /// Nil when the response is no failure in the form of OAuth.
    static func failure(_ response: HTTPResponse) -> Failure? {
        guard let document = document(response), let code = document.error, !code.utf8.isEmpty else { return nil }
        return Failure(code: printable(code, limit: 64), words: printable(document.error_description ?? "", limit: 200))
    }

    private static func duration(_ number: Number?, default usual: Double, in range: ClosedRange<Double>) -> Duration {
        let seconds = number?.value ?? usual
        return .seconds(Int(min(max(seconds.isFinite ? seconds : usual, range.lowerBound), range.upperBound)))
    }

    /// One line of printable ASCII: it goes to a terminal and a log.
    private static func printable(_ text: String, limit: Int) -> String {
        String(decoding: text.utf8.prefix(limit).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}

/// A token that an authorization server gave.
package struct AccessToken: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    let token: [UInt8]
    /// From the moment it was given.
    let lifetime: Duration
    /// For the next one; nil: the one we have stays good.
    package let refreshToken: [UInt8]?

    package var description: String { "AccessToken(redacted)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
