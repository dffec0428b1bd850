package import InternetMessage

/// A time-ordered identifier of 48 bits, made by us and never reused; `Record` only keeps kinds apart.
///
/// The upper 40 bits are milliseconds since 2025-01-01 UTC, the lower 8 bits separate ids of one millisecond.
/// It fits the message field of a reply token.
package struct RecordID<Record>: Hashable, Comparable, Sendable {
    /// 1 ... 2^48 - 1.
    package let rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension RecordID: CustomStringConvertible {
    /// Ten characters of lower-case base 32, the form that people and logs see as a queue id.
    package var description: String {
        var digits: [UInt8] = []
        var rest = UInt64(bitPattern: rawValue)
        for _ in 0..<10 {
            digits.append(Base32.alphabet[Int(rest & 31)])
            rest >>= 5
        }
        digits.reverse()
        return String(decoding: digits, as: UTF8.self)
    }

    /// Reads what `description` prints; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 10 else { return nil }
        var value: UInt64 = 0
        for byte in text.utf8 {
            guard let digit = Base32.value(of: byte) else { return nil }
            value = value << 5 | UInt64(digit)
        }
        guard value > 0, value < 1 << 48 else { return nil }
        self.init(rawValue: Int64(value))
    }
}

/// Makes record ids in time order; the clock and the random byte come in as arguments.
package struct RecordIDSource: Sendable {
    /// 2025-01-01T00:00:00Z in milliseconds since the epoch.
    static let origin: Int64 = 1_735_689_600_000
    private var last: Int64 = 0

    package init() {}

    /// The next raw id: later than every one before it, even when the clock stands still or steps back.
    package mutating func next(now: Timestamp, random: UInt8) -> Int64 {
        let milliseconds = max(0, now.milliseconds - Self.origin)
        let wanted = (milliseconds << 8 | Int64(random)) & 0xFFFF_FFFF_FFFF
        last = max(last + 1, wanted)
        return last
    }
}

/// One tenant of an installation; every record of people belongs to one.
package struct WorkspaceID: Hashable, Sendable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// The workspace that every installation starts with.
    package static let `default` = WorkspaceID(rawValue: 1)
    /// Every workspace of the installation: no workspace of its own, but the scope of a suppression that holds in all, and of what belongs to
    /// none of them.
    package static let instance = WorkspaceID(rawValue: 0)
}
