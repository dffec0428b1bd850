import Testing

/// OpenDKIM as an independent verifier; it asks no DNS.
package enum OpenDKIM {
    /// The verdict on each DKIM-Signature of `message`, from the first one down, with `records` in place of DNS.
    ///
    /// A signature that OpenDKIM finds no key for is left out of its results.
    package static func verify(_ message: [UInt8], records: [DKIMRecord]) async throws -> [DKIMVerdict] {
        let opendkim = try Interop.require("opendkim")
        let folder = try TemporaryFolder()
        try folder.write("message", message)
        try folder.write("keys", text: records.map { "\($0.name) \($0.text)\n" }.joined())
        try folder.write("opendkim.conf", text: "Mode v\nTestPublicKeys \(folder("keys"))\n")
        let outcome = try await Command.succeed(opendkim, ["-x", folder("opendkim.conf"), "-vvv", "-t", folder("message")])
        return outcome.outputText.split(separator: "\n").compactMap { line in
            let words = line.split { " \t;'".contains($0) }
            func property(_ name: String) -> String {
                words.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
            }
            // The results of other methods, such as dkim-atps, name no selector.
            guard !property("dkim").isEmpty, !property("header.s").isEmpty else { return nil }
            return DKIMVerdict(
                domain: property("header.d"), selector: property("header.s"), algorithm: property("header.a"),
                isValid: property("dkim") == "pass")
        }
    }
}
