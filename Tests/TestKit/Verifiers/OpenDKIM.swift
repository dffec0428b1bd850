import Testing

/// OpenDKIM as an independent verifier; it asks no DNS.
package enum OpenDKIM {
    /// The verdict on each DKIM-Signature of `message`, from the first one down, with `records` in place of DNS.
    ///
    /// A signature that OpenDKIM finds no key for is left out of its results.
    package static func verify(_ message: [UInt8], records: [DKIMRecord]) async throws -> [DKIMVerdict] {
        try await verify(all: [message], records: records).first ?? []
    }

    /// The verdicts on each of `messages`, all verified by one process; empty for a message without signature.
    package static func verify(all messages: [[UInt8]], records: [DKIMRecord]) async throws -> [[DKIMVerdict]] {
        let opendkim = try Interop.require("opendkim")
        let folder = try TemporaryFolder()
        let names = try MessageFiles.names(messages, in: folder)
        try folder.write("keys", text: records.map { "\($0.name) \($0.text)\n" }.joined())
        try folder.write("opendkim.conf", text: "Mode v\nTestPublicKeys \(folder("keys"))\n")
        let outcome = try await Command.succeed(
            opendkim, ["-x", folder("opendkim.conf"), "-vvv", "-t", names.joined(separator: ",")], directory: folder.path,
            within: .seconds(300))
        // For each message it prints the field of results that it would add, and then a line with the name of the file.
        var verdicts = Dictionary(uniqueKeysWithValues: names.map { ($0, [DKIMVerdict]()) })
        var pending: [DKIMVerdict] = []
        for line in outcome.outputText.split(separator: "\n") {
            let words = line.split { " \t;'".contains($0) }
            if let name = words.dropFirst().first?.dropLast(), line.hasPrefix("opendkim: "), verdicts[String(name)] != nil {
                verdicts[String(name)]? += pending
                pending = []
                continue
            }
            func property(_ name: String) -> String {
                words.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
            }
            // The results of other methods, such as dkim-atps, name no selector.
            guard !property("dkim").isEmpty, !property("header.s").isEmpty else { continue }
            pending.append(
                DKIMVerdict(
                    domain: property("header.d"), selector: property("header.s"), algorithm: property("header.a"),
                    isValid: property("dkim") == "pass"))
        }
        return names.map { verdicts[$0] ?? [] }
    }
}
