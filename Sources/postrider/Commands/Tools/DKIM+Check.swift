import ArgumentParser
import Foundation
import InternetMessage
import MailAuthentication
import OpenSSL
import Settings

extension DKIM {
    struct CheckRecord: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Compare the TXT record in DNS with the key, before mail is signed with it.",
            discussion: """
                With --domain, --selector and --key: that key. Without them: every key of the conf, under its selector. With --conf, DNS is asked as \
                [dns] resolvers says.
                Exit status 0 when all records fit, 1 when one does not, 65 when a key cannot be read, 69 when DNS does not answer.
                """)

        @OptionGroup var conf: ConfOption
        @Option(help: "The signing domain (d=).")
        var domain: String?
        @Option(help: "The selector (s=).")
        var selector: String?
        @Option(help: ArgumentHelp("The private key, PEM.", valueName: "file"))
        var key: String?
        @OptionGroup var source: RecordSource

        func validate() throws {
            let given = [domain, selector, key].compactMap { $0 }.count
            guard given == 0 || given == 3 else { throw ValidationError("give --domain, --selector and --key together, or none of them") }
            if let domain, DomainName.toASCII(domain).map({ KeyName.isName($0) }) != true {
                throw ValidationError("'\(domain)' is not a domain")
            }
            if let selector, !KeyName.isName(selector) { throw ValidationError("'\(selector)' is not a selector") }
        }

        func run() async throws {
            try await reportingFailures {
                var settings: Settings?
                if domain == nil || conf.conf != nil { settings = try conf.load() }
                let lookUp = try source.lookUp(servers: settings?.dns.resolvers.map(\.description) ?? [])
                var worst: ExitStatus?
                for (name, file) in keys(settings) {
                    do throws(Failure) {
                        try compare(await lookUp(name.text), with: try KeyFileOption.load(file), name)
                        Console.out("\(name.text): the record fits the key")
                    } catch {
                        Console.error(TerminalText.lines(error.message))
                        // A fault that was found outweighs an answer that was not had.
                        if worst != .faults { worst = error.status }
                    }
                }
                if let worst { throw Failure(worst, "") }
            }
        }

        private func keys(_ settings: Settings?) -> [(RecordName, String)] {
            if let domain, let selector, let key {
                return [(RecordName(domain: DomainName.toASCII(domain) ?? domain, selector: selector), key)]
            }
            return (settings?.dkimKeys ?? []).flatMap { section -> [(RecordName, String)] in
                let domain = DomainName.toASCII(section.domain) ?? section.domain
                let first = section.keyFile.map { (RecordName(domain: domain, selector: section.selector), $0.path) }
                let second = section.ed25519KeyFile.map {
                    (RecordName(domain: domain, selector: section.ed25519Selector ?? section.selector), $0.path)
                }
                return [first, second].compactMap { $0 }
            }
        }

        private func compare(_ answer: TextAnswer, with key: PrivateKey, _ name: RecordName) throws(Failure) {
            let texts: [[UInt8]]
            switch answer {
            case .records(let found): texts = found
            case .none: throw Failure(.faults, "\(name.text): no TXT record; publish:\n\(name.zoneLine(key))")
            case .temporaryFailure: throw Failure(.unavailable, "\(name.text): DNS does not answer now; try again, or name a --resolver")
            }
            guard let text = texts.first, texts.count == 1 else {
                throw Failure(.faults, "\(name.text): \(texts.count) TXT records; receivers may read any of them, leave one")
            }
            let record: DKIMKeyRecord
            do throws(DKIMKeyRecord.Fault) {
                record = try DKIMKeyRecord(parsing: text)
            } catch {
                throw Failure(.faults, "\(name.text): not a usable key record (\(error)); publish:\n\(name.zoneLine(key))")
            }
            // The proof that counts: what the private key signs, the published key verifies.
            let probe = Digest.sha256(Array(name.text.utf8))
            guard let signature = try? key.sign(probe) else { throw Failure(.internalError, "the key does not sign") }
            guard record.key.algorithm == key.algorithm, record.key.verify(signature: signature, message: probe) else {
                throw Failure(.faults, "\(name.text): the record is of another key; publish:\n\(name.zoneLine(key))")
            }
            guard record.allowsSHA256 else { throw Failure(.faults, "\(name.text): h= of the record does not allow sha256") }
        }
    }
}
