import ArgumentParser
import DNS
import Foundation
import InternetMessage
import MailAuthentication
import Mailroom
import OpenSSL

struct DKIM: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dkim", abstract: "Make DKIM keys and their DNS records, sign and verify messages.",
        subcommands: [KeyGen.self, KeyRecord.self, Sign.self, Verify.self, CheckRecord.self])

    /// Whose key it is.
    struct KeyName: ParsableArguments {
        @Option(help: "The signing domain (d=).")
        var domain: String
        @Option(help: "The selector (s=).")
        var selector: String

        func validate() throws {
            guard let ascii = DomainName.toASCII(domain), Self.isName(ascii) else { throw ValidationError("'\(domain)' is not a domain") }
            guard Self.isName(selector) else {
                throw ValidationError("'\(selector)' is not a selector: letters, digits, '-', '_' and '.'")
            }
        }

        var record: DKIMRecordName { DKIMRecordName(domain: DomainName.toASCII(domain) ?? domain, selector: selector) }

        static func isName(_ text: String) -> Bool {
            let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            return text.utf8.count <= 253
                && labels.allSatisfy { label in
                    (1...63).contains(label.count)
                        && label.allSatisfy {
                            ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                        }
                }
        }
    }

    /// A private key in a file.
    struct KeyFileOption: ParsableArguments {
        @Option(name: .customLong("key"), help: ArgumentHelp("The private key, PEM.", valueName: "file"))
        var file: String

        func load() throws(Failure) -> PrivateKey { try Self.load(file) }

        static func load(_ file: String) throws(Failure) -> PrivateKey {
            let pem = try Input.secret(file)
            do throws(KeyError) {
                return try PrivateKey(pem: pem)
            } catch {
                throw Failure(.badInput, "\(file): \(error)")
            }
        }
    }

    /// Where TXT records come from.
    struct RecordSource: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "A key record in place of DNS, such as s1._domainkey.example.com=v=DKIM1; k=rsa; p=... (repeatable).",
                valueName: "name=text"))
        var keyRecord: [String] = []
        @Option(
            help: ArgumentHelp("Ask this resolver, ADDRESS or ADDRESS@PORT (repeatable); else those of the machine.", valueName: "address"))
        var resolver: [String] = []

        /// With records given, nothing is asked of DNS.
        ///
        /// - Parameter servers: asked when the command line names no resolver; empty: those of the machine.
        func lookUp(servers: [String] = []) throws(Failure) -> @Sendable (String) async -> TextAnswer {
            var given: [String: [[UInt8]]] = [:]
            for record in keyRecord {
                let bytes = Array(record.utf8)
                guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
                    throw Failure(.usage, "--key-record '\(record)': write NAME=TEXT")
                }
                given[Self.folded(bytes[..<equals]), default: []].append(Array(bytes[(equals + 1)...]))
            }
            if !given.isEmpty {
                let known = given
                return { name in known[Self.folded(name.utf8)].map { .records($0) } ?? .none }
            }
            let dns = UnboundResolver(.init(servers: resolver.isEmpty ? servers : resolver))
            return { name in await dns.textAnswer(name) }
        }

        private static func folded(_ name: some Collection<UInt8>) -> String {
            var bytes = name.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
            if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
