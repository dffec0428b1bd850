import Toml

/// The words of `classify/contacts.toml`, folded.
struct ContactWords: Sendable {
    let before: Set<[UInt8]>
    let after: Set<[UInt8]>
    let title: Set<[UInt8]>
    let particle: Set<[UInt8]>
    let greeting: Set<[UInt8]>
    let leaving: Set<[UInt8]>
    let noName: Set<[UInt8]>
    let place: Set<[UInt8]>
    /// Endings of the words for a post.
    let post: Set<[UInt8]>

    /// Read once, by the first answer that points to somebody.
    static let builtin = Result<ContactWords, RuleError> { () throws(RuleError) in
        try ContactWords(RuleFile(builtin: "classify/contacts.toml"))
    }

    init(_ file: RuleFile) throws(RuleError) {
        guard case .table(let table)? = file.document.root["words"] else { throw file.fault(["words"], "the table [words] is missing") }
        func list(_ key: String) throws(RuleError) -> Set<[UInt8]> {
            guard case .string(let text)? = table[key] else {
                throw file.fault(["words", .key(key)], "the words for '\(key)' are missing")
            }
            return Set(text.utf8.split(whereSeparator: { $0 <= 0x20 }).map { Array($0) })
        }
        before = try list("before")
        after = try list("after")
        title = try list("title")
        particle = try list("particle")
        greeting = try list("greeting")
        leaving = try list("leaving")
        noName = try list("no_name")
        place = try list("place")
        post = try list("post")
    }
}
