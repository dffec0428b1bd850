import ArgumentParser
import InternetMessage
import Mailroom
import Outreach

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Look into reply, bounce and unsubscribe addresses.", subcommands: [TokenInspect.self])
}

struct TokenInspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what a token address carries, and whether its signature holds. Exit status 1 when it does not.")

    @OptionGroup var conf: ConfOption
    @Flag(help: "One JSON object.")
    var json = false
    @Argument(help: "An address such as reply+TOKEN@example.com, or the bare token of an unsubscribe link.")
    var address: String

    func run() async throws {
        try await reportingFailures {
            let settings = try conf.load()
            guard let addresses = try Desks.addresses(settings) else {
                throw Failure(.configuration, "\(conf.path): no token keys; set key_files in [tokens]")
            }
            let now = SystemClock().now()
            let verdict: TokenCodec.Verdict
            if address.utf8.contains(UInt8(ascii: "@")) {
                guard let parsed = EmailAddress(address) else {
                    throw Failure(.badInput, "'\(TerminalText.line(address))' is not an email address")
                }
                verdict = addresses.read(parsed, at: now)
            } else {
                verdict = addresses.codec.decode(address.utf8, at: now)
            }
            switch verdict {
            case .valid(let token): show(token, isExpired: false)
            case .expired(let token): show(token, isExpired: true)
            case .unknown:
                if json { JSONLine.write(["signature_holds": false]) }
                throw Failure(.faults, "no token of ours: another domain, no token at all, or a signature that does not hold")
            }
        }
    }

    private func show(_ token: MailToken, isExpired: Bool) {
        let lastDay = token.lastDay.map { CivilDate(daysSinceEpoch: Int($0)).iso8601 }
        if json {
            JSONLine.write([
                "signature_holds": true, "kind": .string(token.kind.prefix), "message": .id(token.message), "last_day": .text(lastDay),
                "expired": .bool(isExpired),
            ])
        } else {
            FactSheet.write([
                ("signature", "holds"), ("kind", token.kind.prefix), ("message", token.message.description),
                ("last day", (lastDay ?? "never expires") + (isExpired ? " (expired: it has no automatic effect)" : "")),
            ])
        }
    }
}
