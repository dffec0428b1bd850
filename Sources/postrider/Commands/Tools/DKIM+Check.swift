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
                With --domain, --selector and --key: that key. Without them: every key of the conf, under its selector, the next one too. With --conf, DNS is asked as \
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
                        let key = try KeyFileOption.load(file)
                        let check = DKIMRecordCheck(await lookUp(name.text), for: key, named: name)
                        if let complaint = check.complaint(key, named: name) {
                            throw Failure(check == .noAnswer ? .unavailable : .faults, complaint)
                        }
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

        private func keys(_ settings: Settings?) -> [(DKIMRecordName, String)] {
            if let domain, let selector, let key {
                return [(DKIMRecordName(domain: DomainName.toASCII(domain) ?? domain, selector: selector), key)]
            }
            return (settings?.dkimKeys ?? []).flatMap { section in
                section.keyFiles.map {
                    (DKIMRecordName(domain: DomainName.toASCII(section.domain) ?? section.domain, selector: $0.selector), $0.file.path)
                }
            }
        }
    }
}
