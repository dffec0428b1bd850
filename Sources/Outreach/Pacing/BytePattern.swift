import Synchronization

/// A regular expression over bytes: each byte is one character to it, so that foreign text needs no encoding and no two bytes are ever one.
package final class BytePattern: Sendable, CustomStringConvertible {
    package let description: String
    private let regex: Mutex<Regex<AnyRegexOutput>>

    /// - Throws: what is wrong with the expression, in the words of the library.
    package init(_ pattern: String) throws {
        description = pattern
        regex = Mutex(try Regex(Self.widened(pattern.utf8)).matchingSemantics(.unicodeScalar))
    }

    /// Whether the pattern occurs somewhere.
    package func occurs(in bytes: some Sequence<UInt8>) -> Bool {
        let text = Self.widened(bytes)
        return regex.withLock { (try? $0.firstMatch(in: text)) != nil }
    }

    /// Whether the pattern is all of it.
    package func covers(_ bytes: some Sequence<UInt8>) -> Bool {
        let text = Self.widened(bytes)
        return regex.withLock { (try? $0.wholeMatch(in: text)) != nil }
    }

    private static func widened(_ bytes: some Sequence<UInt8>) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in bytes { scalars.append(Unicode.Scalar(byte)) }
        return String(scalars)
    }
}
