import ArgumentParser
import HTTPFetch
import MailTransport
import Mailroom
import NIOPosix
import Outreach
import Settings

struct OAuth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oauth", abstract: "Logins at authorization servers, for mail servers that take access tokens.",
        subcommands: [OAuthLogin.self])
}

struct OAuthLogin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in for an [oauth.NAME] and keep the login, sealed, in the database.",
        discussion: """
            With flow device_code a code is shown that a person enters in a browser, on any machine. With flow refresh_token give a refresh token \
            that was had elsewhere. With flow client_credentials nobody logs in: the command only tries whether a token is given.
            A running 'postrider serve' takes the new login by itself.
            Exit status: 0 done, 65 the refresh token is not good, 69 the server is out of order, 75 not confirmed in time, 77 declined, 78 the \
            server does not take what the conf says.
            """)

    @OptionGroup var conf: ConfOption
    @Flag(help: "One JSON object a line: the code to enter, then the end.")
    var json = false
    @Option(help: ArgumentHelp("A file with a refresh token that was had elsewhere; not world-readable.", valueName: "file"))
    var refreshTokenFile: String?
    @Argument(help: "The NAME of the [oauth.NAME].")
    var name: String

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            guard let section = state.settings.oauth(named: name) else {
                let names = state.settings.oauths.map(\.name).joined(separator: ", ")
                throw Failure(
                    .badInput,
                    "there is no [oauth.\(TerminalText.line(name))]" + (names.utf8.isEmpty ? " in the conf" : "; there are \(names)"))
            }
            let fetcher = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
            let endpoint = TokenEndpoint(account: try Logins.account(section), fetcher: fetcher)
            let result: Result<Void, any Error>
            do {
                result = .success(try await logIn(section, endpoint, state))
            } catch let trouble as OAuthTrouble {
                result = .failure(Failure(Self.status(trouble), trouble.message))
            } catch {
                result = .failure(error)
            }
            await fetcher.shutdown()
            try result.get()
        }
    }

    private func logIn(_ section: OAuthSettings, _ endpoint: TokenEndpoint, _ state: OpenState) async throws {
        switch (section.flow, refreshTokenFile) {
        case (.clientCredentials, nil):
            _ = try await endpoint.proven()
            say("a token was given; nobody needs to log in for [oauth.\(section.name)]", "proven", section)
        case (.clientCredentials, .some):
            throw Failure(.usage, "[oauth.\(section.name)] has flow client_credentials, which uses no refresh token")
        case (_, let file?):
            let given = try Input.secret(file)
            let token = try await endpoint.proven(refreshToken: given)
            try await keep(token.refreshToken ?? given, section, state)
        case (.refreshToken, nil):
            throw Failure(
                .usage, "[oauth.\(section.name)] has flow refresh_token; give the token: --refresh-token-file FILE")
        case (.deviceCode, nil):
            let login = try await DeviceLogin.begin(endpoint)
            show(login.prompt, section)
            let token = try await login.finish { try await Task.sleep(for: $0) }
            guard let refresh = token.refreshToken else {
                throw Failure(
                    .configuration,
                    "the server gave no refresh token, so the login would end with the hour; its scope may have to hold offline_access")
            }
            try await keep(refresh, section, state)
        }
    }

    private func keep(_ token: [UInt8], _ section: OAuthSettings, _ state: OpenState) async throws(Failure) {
        guard let keeper = try Logins.keeper(state.installation) else {
            throw Failure(.configuration, "there is no key to seal the login with; set key_file in [secrets]")
        }
        do throws(LoginTrouble) {
            _ = try await keeper.keep(token, of: section.name, replacing: nil)
        } catch {
            throw Failure(.tryAgain, error.message)
        }
        // Mailboxes that gave up on the login before this one try again at the next start or reload.
        for mailbox in state.settings.mailboxes where mailbox.auth.oauth.map({ $0.utf8.elementsEqual(section.name.utf8) }) == true {
            do throws(StoreError) {
                try await state.store.loginAccepted(account: mailbox.name)
            } catch {
                throw Failure(.tryAgain, error.message)
            }
        }
        say("the login for [oauth.\(section.name)] is kept", "kept", section)
    }

    private func show(_ prompt: DeviceLogin.Prompt, _ section: OAuthSettings) {
        if json {
            JSONLine.write([
                "event": "prompt", "oauth": .string(section.name), "url": .string(prompt.url), "code": .string(prompt.code),
                "complete_url": .text(prompt.completeURL), "user": .text(section.user),
                "expires_in": .integer(prompt.lifetime.components.seconds),
            ])
        } else {
            Console.out(
                "Open \(prompt.url) in a browser\(section.user.map { ", log in as \(TerminalText.line($0))" } ?? ""), and enter the code")
            Console.out("")
            Console.out("    \(prompt.code)")
            Console.out("")
            if let url = prompt.completeURL { Console.out("or open \(url)") }
            Console.out("The code is good for \(prompt.lifetime.components.seconds / 60) minutes.")
        }
    }

    private func say(_ words: String, _ event: String, _ section: OAuthSettings) {
        if json {
            JSONLine.write(["event": .string(event), "oauth": .string(section.name)])
        } else {
            Console.out(words)
        }
    }

    private static func status(_ trouble: OAuthTrouble) -> ExitStatus {
        switch trouble.code {
        case .loginNeeded: .badInput
        case .clientRefused, .badRequest: .configuration
        case .temporary: .unavailable
        case .expired, .pending, .slowDown: .tryAgain
        case .denied: .noPermission
        }
    }
}
