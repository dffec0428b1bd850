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

        /// As A-labels.
        var asciiDomain: String { DomainName.toASCII(domain) ?? domain }

        /// The name of the TXT record.
        var recordName: String { "\(selector)._domainkey.\(asciiDomain)" }

        private static func isName(_ text: String) -> Bool {
            let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            return text.utf8.count <= 253
                && labels.allSatisfy { label in
                    (1...63).contains(label.count)
                        && label.allSatisfy {
                            ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                        }
                }
        }

        /// The line for a zone file; long texts are cut into strings of at most 255 octets.
        func zoneLine(_ key: PrivateKey) -> String {
            "\(recordName). IN TXT ( \(DKIMKeyRecord.strings(for: key).map { "\"\($0)\"" }.joined(separator: " ")) )"
        }
    }

    /// A private key in a file.
    struct KeyFileOption: ParsableArguments {
        @Option(name: .customLong("key"), help: ArgumentHelp("The private key, PEM.", valueName: "file"))
        var file: String

        func load() throws(Failure) -> PrivateKey {
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
        func lookUp() throws(Failure) -> @Sendable (String) async -> TextAnswer {
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
            let dns = UnboundResolver(.init(servers: resolver))
            return { name in await dns.textAnswer(name) }
        }

        private static func folded(_ name: some Collection<UInt8>) -> String {
            var bytes = name.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
            if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension DKIM {
    struct KeyGen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keygen", abstract: "Make a key file (mode 0600) and show the TXT record to publish. Never overwrites a file.")

        enum KeyType: String, ExpressibleByArgument, CaseIterable {
            case rsa
            case ed25519
        }

        @OptionGroup var name: KeyName
        @Option(help: ArgumentHelp("The folder for the key file; made when it is not there.", valueName: "dir"))
        var out: String
        @Option(help: "rsa (2048 bits) or ed25519; receivers that do not know Ed25519 need an RSA signature too.")
        var type: KeyType = .rsa

        func run() async throws {
            try await reportingFailures {
                let key: PrivateKey
                do throws(KeyError) {
                    key = try type == .rsa ? .generateRSA(bits: 2048) : .generateEd25519()
                } catch {
                    throw Failure(.internalError, "\(error)")
                }
                let path = try write(key)
                Console.out(path)
                Console.out(name.zoneLine(key))
            }
        }

        private func write(_ key: PrivateKey) throws(Failure) -> String {
            let path = "\(out)/\(name.asciiDomain).\(name.selector).pem"
            do {
                try FileManager.default.createDirectory(
                    atPath: out, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw Failure(.noPermission, "\(out) cannot be made")
            }
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                guard errno == EEXIST else { throw Failure(.noPermission, "\(path) cannot be made: \(String(cString: strerror(errno)))") }
                throw Failure(.badInput, "\(path) is there already and stays as it is; choose another selector, or move it away")
            }
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            do {
                try handle.write(contentsOf: Data(key.pem.utf8))
                try handle.synchronize()
            } catch {
                throw Failure(.tryAgain, "\(path) cannot be written; is the disk full?")
            }
            return path
        }
    }

    struct KeyRecord: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "record", abstract: "Show the TXT record of a key.")

        @OptionGroup var name: KeyName
        @OptionGroup var key: KeyFileOption

        func run() async throws {
            try await reportingFailures { Console.out(name.zoneLine(try key.load())) }
        }
    }

    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Sign the message on standard input; line ends become CRLF.")

        @OptionGroup var name: KeyName
        @OptionGroup var key: KeyFileOption

        func run() async throws {
            try await reportingFailures {
                let signer = DKIMSigner(domain: name.asciiDomain, keys: [.init(selector: name.selector, key: try key.load())])
                let message = Input.normalised(try Input.standard())
                let signed: [UInt8]
                do throws(KeyError) {
                    signed = try signer.sign(message, at: SystemClock().now())
                } catch {
                    throw Failure(.internalError, "\(error)")
                }
                try? FileHandle.standardOutput.write(contentsOf: Data(signed))
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Verify each signature of the message on standard input, one line each. Exit status 0 when one passes, else 1.")

        @OptionGroup var source: RecordSource

        func run() async throws {
            try await reportingFailures {
                let verifier = DKIMVerifier(lookUp: try source.lookUp())
                let results = await verifier.verify(Input.normalised(try Input.standard()), at: SystemClock().now())
                if results.isEmpty { Console.out("dkim=none") }
                for result in results {
                    let facts = [("s", result.selector), ("a", result.algorithm)].filter { !$0.1.utf8.isEmpty }.map { " \($0)=\($1)" }
                    Console.out(TerminalText.line(result.summary + facts.joined()))
                }
                guard results.contains(where: { $0.outcome == .pass }) else { throw Failure(.faults, "") }
            }
        }
    }

    struct CheckRecord: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Compare the TXT record in DNS with the key. Exit status 0 when they fit, 1 when not, 75 when DNS does not answer.")

        @OptionGroup var name: KeyName
        @OptionGroup var key: KeyFileOption
        @OptionGroup var source: RecordSource

        func run() async throws {
            try await reportingFailures {
                let key = try key.load()
                let texts: [[UInt8]]
                switch await (try source.lookUp())(name.recordName) {
                case .records(let found): texts = found
                case .none: throw Failure(.faults, "\(name.recordName): no TXT record; publish:\n\(name.zoneLine(key))")
                case .temporaryFailure: throw Failure(.tryAgain, "\(name.recordName): DNS does not answer now")
                }
                if texts.count > 1 {
                    throw Failure(.faults, "\(name.recordName): \(texts.count) TXT records; receivers may read any of them, leave one")
                }
                for text in texts { try compare(text, with: key) }
                Console.out("\(name.recordName): the record fits the key")
            }
        }

        private func compare(_ text: [UInt8], with key: PrivateKey) throws(Failure) {
            let record: DKIMKeyRecord
            do throws(DKIMKeyRecord.Fault) {
                record = try DKIMKeyRecord(parsing: text)
            } catch {
                throw Failure(.faults, "\(name.recordName): not a usable key record (\(error)); publish:\n\(name.zoneLine(key))")
            }
            // The proof that counts: what the private key signs, the published key verifies.
            let probe = Digest.sha256(Array(name.recordName.utf8))
            guard let signature = try? key.sign(probe) else { throw Failure(.internalError, "the key does not sign") }
            guard record.key.algorithm == key.algorithm, record.key.verify(signature: signature, message: probe) else {
                throw Failure(.faults, "\(name.recordName): the record is of another key; publish:\n\(name.zoneLine(key))")
            }
        }
    }
}
