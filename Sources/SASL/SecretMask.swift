/// Takes out of a peer's words what it was told in confidence, for some repeat the line that they refuse.
///
/// It knows the password or the token, and each word that was sent of the exchange (`add`). A peer may repeat the beginning only, or in
/// other case: both are found. Secrets of fewer than four octets are not looked for, for they stand in many words.
package struct SecretMask: Sendable {
    /// What stands in the place of each.
    package static let replacement = Array("[credentials]".utf8)
    /// A beginning of a secret that is this long is taken for it.
    private static let telling = 8
    private static let shortest = 4

    /// In lower case.
    private var secrets: [[UInt8]] = []

    /// Knows nothing and changes nothing.
    package init() {}

    package init(_ credentials: SASLCredentials) {
        switch credentials.secret {
        case .password(let octets), .token(let octets): note(octets)
        case .ticket: break
        }
    }

    package var isEmpty: Bool { secrets.isEmpty }

    /// Knows a line of an exchange from now on: its words, but for the command and the mechanism that open it.
    package mutating func add(line: some Sequence<UInt8>) {
        let words = Array(line).split { $0 == 32 || $0 == 13 || $0 == 10 }
        for word in words where word.count >= Self.telling && !Self.isName(word) { note(word) }
    }

    /// The octets with each secret in them replaced, and each telling beginning of one.
    package func masked<Octets: Collection<UInt8>>(_ octets: Octets) -> [UInt8] {
        let octets = Array(octets)
        guard !secrets.isEmpty, octets.count >= Self.shortest else { return octets }
        var masked: [UInt8] = []
        var place = 0
        while place < octets.count {
            let length = secrets.reduce(0) { max($0, Self.length(of: $1, in: octets, at: place)) }
            if length > 0 {
                masked += Self.replacement
                place += length
            } else {
                masked.append(octets[place])
                place += 1
            }
        }
        return masked
    }

    private mutating func note(_ secret: some Collection<UInt8>) {
        let secret = secret.map(Self.lower)
        guard secret.count >= Self.shortest, !secrets.contains(secret) else { return }
        secrets.append(secret)
    }

    /// How many octets at that place are the secret's beginning; 0 when they do not tell it.
    private static func length(of secret: [UInt8], in octets: [UInt8], at place: Int) -> Int {
        var count = 0
        while count < secret.count, place + count < octets.count, lower(octets[place + count]) == secret[count] { count += 1 }
        return count == secret.count || count >= telling ? count : 0
    }

    private static func lower(_ octet: UInt8) -> UInt8 { octet >= 65 && octet <= 90 ? octet + 32 : octet }

    /// A command or a mechanism: AUTHENTICATE, SCRAM-SHA-256.
    private static func isName(_ word: ArraySlice<UInt8>) -> Bool {
        word.allSatisfy { $0 >= 65 && $0 <= 90 || $0 >= 48 && $0 <= 57 || $0 == 45 }
            && (word.elementsEqual("AUTHENTICATE".utf8) || SASLMechanism.allCases.contains { word.elementsEqual($0.rawValue.utf8) })
    }
}
