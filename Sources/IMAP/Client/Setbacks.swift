/// The sessions that ended over one message, and what that says of it.
///
/// A server in trouble refuses every message alike, and the trouble passes; a message is to blame only when others can be read meanwhile.
package struct Setbacks: Equatable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// In the same session another message that lies behind it could be read.
        case own
        /// What came of it made no sense or never ended; nothing else was read beside it.
        case broken
        /// It was refused or the connection broke; it may be the server's trouble, or the line's.
        case shared
    }

    package private(set) var own: Int
    package private(set) var broken: Int
    package private(set) var shared: Int
    /// How long ago the first of them was, at least; what passes over for time alone is measured by it.
    package var age: Duration

    package init(own: Int = 0, broken: Int = 0, shared: Int = 0, age: Duration = .zero) {
        self.own = own
        self.broken = broken
        self.shared = shared
        self.age = age
    }

    /// Counts one more.
    package mutating func count(_ kind: Kind) {
        switch kind {
        case .own: own += 1
        case .broken: broken += 1
        case .shared: shared += 1
        }
    }

    /// Only the beginning is asked for, and alone.
    var cutsShort: Bool { own + broken >= 2 }
    /// Together with another one in this session it is enough to pass over what is not given.
    var givesUp: Bool { own >= 2 }
    /// Enough to pass over the message without asking for it once more.
    var skips: Bool { own >= 4 }
    /// The connection that breaks is laid to the message too, when another could be read.
    var isLasting: Bool { own + broken + shared >= 4 && age >= .seconds(6 * 3600) }
    /// What is not given is passed over although nothing else could be read either.
    var isEndless: Bool { own + broken + shared >= 4 && age >= .seconds(24 * 3600) }
}
