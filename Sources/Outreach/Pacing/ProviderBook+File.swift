import InternetMessage
import Toml

extension ProviderBook {
    /// Reads files in order, the one that the binary carries last; what an earlier one says of a provider stands, key by key.
    ///
    /// - Parameter files: name as faults show it, and content.
    /// - Throws: every fault of every file.
    package init(files: [(name: String, bytes: [UInt8])]) throws(Faults) {
        self.init()
        var faults: [Fault] = []
        var documents: [TomlDocument] = []
        for (name, bytes) in files {
            do throws(TomlError) {
                documents.append(try TomlDocument(parsing: bytes, file: name))
            } catch {
                faults.append(Fault(file: name, line: error.line, message: error.message))
            }
        }
        // The last file is the ground that the ones before it change.
        for document in documents.reversed() {
            var reader = ProviderReader(document: document, book: self)
            reader.readProfiles()
            self = reader.book
            faults = reader.faults + faults
        }
        for document in documents {
            var reader = ProviderReader(document: document, book: self)
            reader.readReactions()
            self = reader.book
            faults += reader.faults
        }
        guard faults.isEmpty else { throw Faults(faults: faults) }
    }
}

/// Reads one file into a book.
private struct ProviderReader {
    let document: TomlDocument
    var book: ProviderBook
    var faults: [ProviderBook.Fault] = []

    init(document: TomlDocument, book: ProviderBook) {
        self.document = document
        self.book = book
    }

    mutating func readProfiles() {
        refuseOthers(in: document.root, [], known: ["default", "provider", "react"])
        if let value = document.root["default"] {
            if case .table(let table) = value {
                var profile = book.fallback
                read(table, ["default"], into: &profile, isDefault: true)
                book.fallback = profile
            } else {
                wrongKind(["default"])
            }
        }
        guard let value = document.root["provider"] else { return }
        guard case .table(let providers) = value else { return wrongKind(["provider"]) }
        for entry in providers.entries {
            let path: [TomlStep] = ["provider", .key(entry.key)]
            guard case .table(let table) = entry.value else {
                wrongKind(path)
                continue
            }
            let place = book.profiles.firstIndex { $0.name.utf8.elementsEqual(entry.key.utf8) }
            var profile = place.map { book.profiles[$0] } ?? ProviderProfile(name: entry.key)
            if place == nil {
                profile.connections = book.fallback.connections
                profile.messagesPerConnection = book.fallback.messagesPerConnection
            }
            read(table, path, into: &profile, isDefault: false)
            if profile.suffixes.isEmpty { fault(path, "a provider needs 'mx', the ends of its MX host names, as in [\".example.com\"]") }
            if let place { book.profiles[place] = profile } else { book.profiles.append(profile) }
        }
    }

    private mutating func read(_ table: TomlTable, _ path: [TomlStep], into profile: inout ProviderProfile, isDefault: Bool) {
        let known = ["connections", "messages_per_connection", "rate"] + (isDefault ? [] : ["mx", "one_site", "tls"])
        refuseOthers(in: table, path, known: known)
        if let count = integer("connections", in: table, path, 1...1000) { profile.connections = count }
        if let count = integer("messages_per_connection", in: table, path, 1...100_000) { profile.messagesPerConnection = count }
        if let texts = strings("rate", in: table, path) { profile.rates = texts.compactMap { rate($0, path + ["rate"]) } }
        if let texts = strings("mx", in: table, path) {
            profile.suffixes = texts.compactMap { text in
                let bytes = text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
                guard bytes.count > 1, bytes.first == UInt8(ascii: "."), bytes.last != UInt8(ascii: ".") else {
                    fault(path + ["mx"], "'\(text)' must begin with a dot and not end in one, as in \".example.com\"")
                    return nil
                }
                return bytes
            }
        }
        switch table["one_site"] {
        case nil: break
        case .bool(let flag)?: profile.isOneSite = flag
        default: fault(path + ["one_site"], "'one_site' must be true or false")
        }
        switch table["tls"] {
        case nil: break
        case .string("may")?: profile.encrypts = false
        case .string("encrypt")?: profile.encrypts = true
        default: fault(path + ["tls"], "'tls' must be \"may\" or \"encrypt\"; for more write a [tls_policy.\"DOMAIN\"] in the conf")
        }
    }

    mutating func readReactions() {
        guard let value = document.root["react"] else { return }
        guard case .array(let elements) = value else { return wrongKind(["react"]) }
        for (index, element) in elements.enumerated() {
            let path: [TomlStep] = ["react", .index(index)]
            guard case .table(let table) = element else {
                wrongKind(path)
                continue
            }
            if let rule = reaction(table, path) { book.reactions.append(rule) }
        }
    }

    private mutating func reaction(_ table: TomlTable, _ path: [TomlStep]) -> ReactionRule? {
        let before = faults.count
        refuseOthers(in: table, path, known: ["provider", "reply", "words", "trigger", "suspend", "rate", "connections", "for", "note"])
        let provider = string("provider", in: table, path)
        if let provider, !book.profiles.contains(where: { $0.name.utf8.elementsEqual(provider.utf8) }) {
            let known = book.profiles.map(\.name).joined(separator: ", ")
            fault(path + ["provider"], "there is no provider '\(provider)', so this would never act; the providers are \(known)")
        }
        var pattern: BytePattern?
        if let text = string("reply", in: table, path) {
            do { pattern = try BytePattern(text) } catch { fault(path + ["reply"], "not a regular expression: \(error)") }
        }
        let words = string("words", in: table, path).map { $0.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }
        if (table["reply"] == nil) == (table["words"] == nil) { fault(path, "give 'reply' (a regular expression) or 'words', one of them") }
        let count = trigger(string("trigger", in: table, path) ?? "immediate", path)
        var actions: [ReactionRule.Action] = []
        switch table["suspend"] {
        case nil, .bool(false)?: break
        case .bool(true)?: actions.append(.suspend)
        default: fault(path + ["suspend"], "'suspend' must be true or false")
        }
        if let text = string("rate", in: table, path), let rate = rate(text, path + ["rate"]) { actions.append(.rate(rate)) }
        if let count = integer("connections", in: table, path, 1...1000) { actions.append(.connections(count)) }
        if actions.isEmpty { fault(path, "nothing to do; give suspend = true, rate = \"1/min\" or connections = 1") }
        var lasts = Duration.seconds(3600)
        if let text = string("for", in: table, path) {
            if let seconds = Self.seconds(text) {
                lasts = .seconds(seconds)
            } else {
                fault(path + ["for"], "'\(text)' is no duration; write it as \"90m\", \"2h\" or \"1d\"")
            }
        } else {
            fault(path, "'for' is missing: how long, as in for = \"2h\"")
        }
        guard faults.count == before else { return nil }
        return ReactionRule(
            provider: provider, pattern: pattern, words: words, count: count, actions: actions, lasts: lasts,
            origin: "\(document.file):\(document.line(near: path))")
    }

    /// `immediate` or `3/h`.
    private mutating func trigger(_ text: String, _ path: [TomlStep]) -> Int {
        if text.utf8.elementsEqual("immediate".utf8) { return 1 }
        if let rate = Rate(text), rate.period == .hour, rate.count <= 1000 { return rate.count }
        fault(path + ["trigger"], "'\(text)' must be \"immediate\" or a number within an hour, as in \"3/h\"")
        return 1
    }

    /// A number with one of s, m, h, d.
    private static func seconds(_ text: String) -> Int64? {
        let digits = text.utf8.dropLast()
        guard (1...6).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }), let unit = text.utf8.last else {
            return nil
        }
        let number = digits.reduce(0 as Int64) { $0 * 10 + Int64($1 - 0x30) }
        let seconds: Int64? =
            switch unit {
            case UInt8(ascii: "s"): number
            case UInt8(ascii: "m"): number * 60
            case UInt8(ascii: "h"): number * 3600
            case UInt8(ascii: "d"): number * 86_400
            default: nil
            }
        return seconds.flatMap { (1...2_592_000).contains($0) ? $0 : nil }
    }

    // MARK: Values

    private mutating func rate(_ text: String, _ path: [TomlStep]) -> Rate? {
        if let rate = Rate(text) { return rate }
        fault(path, "'\(text)' is no rate; write it as \"10/min\", \"200/h\" or \"400/day\"")
        return nil
    }

    private mutating func integer(_ key: String, in table: TomlTable, _ path: [TomlStep], _ range: ClosedRange<Int>) -> Int? {
        guard let value = table[key] else { return nil }
        if case .integer(let number) = value, range.contains(number) { return number }
        fault(path + [.key(key)], "'\(key)' must be a number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    private mutating func string(_ key: String, in table: TomlTable, _ path: [TomlStep]) -> String? {
        guard let value = table[key] else { return nil }
        if case .string(let text) = value, !text.utf8.isEmpty { return text }
        fault(path + [.key(key)], "'\(key)' must be a text")
        return nil
    }

    private mutating func strings(_ key: String, in table: TomlTable, _ path: [TomlStep]) -> [String]? {
        guard let value = table[key] else { return nil }
        if case .array(let elements) = value {
            let texts = elements.compactMap { element -> String? in
                if case .string(let text) = element { text } else { nil }
            }
            if texts.count == elements.count { return texts }
        }
        fault(path + [.key(key)], "'\(key)' must be a list of texts")
        return nil
    }

    private mutating func refuseOthers(in table: TomlTable, _ path: [TomlStep], known: [String]) {
        for entry in table.entries where !known.contains(where: { $0.utf8.elementsEqual(entry.key.utf8) }) {
            fault(path + [.key(entry.key)], "unknown key '\(entry.key)'; the keys are \(known.joined(separator: ", "))")
        }
    }

    private mutating func wrongKind(_ path: [TomlStep]) {
        fault(path, "must be written as a table, [default], [provider.NAME] or [[react]]")
    }

    private mutating func fault(_ path: [TomlStep], _ message: String) {
        faults.append(ProviderBook.Fault(file: document.file, line: document.line(near: path), message: message))
    }
}
