import ArgumentParser
import Foundation
import InternetMessage
import MailAuthentication
import Mailroom
import OpenSSL

extension DKIM {
    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Sign the message on standard input; line ends become CRLF.")

        @OptionGroup var name: KeyName
        @OptionGroup var key: KeyFileOption

        func run() async throws {
            try await reportingFailures {
                let signer = DKIMSigner(domain: name.record.domain, keys: [.init(selector: name.selector, key: try key.load())])
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
}
