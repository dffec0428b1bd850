import Foundation
import TestKit
import Testing

/// One installation in a temporary folder, used through the built executable alone: its conf, its commands and its `serve`.
final class Premises: Sendable {
    let folder: TemporaryFolder
    let confFile: String

    /// What every conf of these tests has; `sections` follow it.
    private let base: String

    /// - Parameter queue: lines of `[queue]` beside a short `retry_schedule`.
    init(_ sections: String, queue: String = "") throws {
        folder = try TemporaryFolder()
        confFile = folder("conf/postrider.conf")
        let secret = (0..<32).map { _ in String(format: "%02x", Int.random(in: 0...255)) }.joined()
        try folder.write("secrets/token.key", text: secret, permissions: 0o600)
        base = """
            [main]
            myhostname = "out.example.com"
            state_directory = "\(folder("state"))"
            run_directory = "\(folder("run"))"

            [dns]
            resolvers = ["127.0.0.1@\(try FreePort.next())"]

            [tokens]
            key_files = ["\(folder("secrets/token.key"))"]
            domain = "r.example.com"

            [queue]
            retry_schedule = ["1s"]
            retry_jitter = 0.0
            \(queue)

            [window]
            days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            hours = "00:00-24:00"


            """
        try configure(sections)
    }

    /// Writes the conf anew.
    func configure(_ sections: String) throws { try folder.write("conf/postrider.conf", text: base + sections) }

    /// An identity without a gap, that writes as anna@example.com over the route `name`.
    static func identity(route name: String, dailyLimit: Int = 10_000) -> String {
        """
        [identity.anna]
        from = "Anna Berg <anna@example.com>"
        route = "\(name)"
        reply_to = "token"
        return_path = "bounce"
        daily_limit = \(dailyLimit)
        min_gap = "0s"

        """
    }

    /// A route to a server on this machine, without TLS.
    static func plainRoute(_ name: String, port: Int, connections: Int = 5) -> String {
        """
        [route.\(name)]
        type = "submission"
        host = "127.0.0.1"
        port = \(port)
        tls = "none"
        process_limit = \(connections)

        """
    }

    // MARK: Commands

    /// Runs a command with this conf; throws when its exit status is not 0.
    @discardableResult
    func run(_ arguments: [String]) async throws -> Command.Outcome {
        try await Command.succeed(Executable.path, arguments + ["--conf", confFile])
    }

    /// What a command prints with `--json`, one value per line.
    func query<Value: Decodable>(_ type: Value.Type, _ arguments: [String]) async throws -> [Value] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let output = try await run(arguments + ["--json"]).outputText
        return try output.split(separator: "\n").map { try decoder.decode(type, from: Data($0.utf8)) }
    }

    /// Loads a sequence of plain steps with these delays; the first has a subject of its own.
    func load(sequence name: String, delays: [String]) async throws {
        let steps = delays.enumerated().map { index, delay in
            """
            [[step]]
            name = "step-\(index + 1)"
            delay = "\(delay)"
            \(index == 0 ? "subject = \"A question about {{company}}\"" : "")
            text = \"\"\"
            Hello {{first_name}},

            this is message \(index + 1) for {{company}}.
            \"\"\"

            """
        }
        let file = try folder.write("\(name).toml", text: "name = \"\(name)\"\nstop_on = [\"reply\", \"hard_bounce\"]\n\n" + steps.joined())
        try await run(["sequence", "load", file])
    }

    /// Takes in contacts of these addresses.
    func importContacts(_ addresses: [String]) async throws {
        let rows = addresses.map { "\($0),\($0.prefix { $0 != "@" }),Example GmbH\n" }
        let file = try folder.write("contacts.csv", text: "email,first_name,company\n" + rows.joined())
        try await run(["contacts", "import", file, "--quiet"])
    }

    func sheet(_ address: String) async throws -> Sheet {
        try #require(try await query(Sheet.self, ["contacts", "show", address]).first)
    }

    // MARK: Serving

    /// Starts `serve` and returns when it serves.
    func serve(environment: [String: String?] = [:]) async throws -> ChildProcess {
        let process = try Executable.start(["serve", "--conf", confFile], environment: environment)
        try await process.waitForLine(containing: "serving", in: process.errorFile)
        return process
    }

    // MARK: Facts as the commands print them

    struct Sheet: Decodable, Sendable {
        struct Suppression: Decodable, Sendable { let reason: String }
        let address: String
        let suppression: Suppression?
        let enrollments: [Enrollment]
        let timeline: [Event]
    }

    struct Enrollment: Decodable, Sendable {
        let sequence: String
        let state: String
        let cause: String?
        let reason: String
        let nextStep: Int
        let heldBy: String?
    }

    struct Event: Decodable, Sendable {
        let kind: String
        let summary: String
        let facts: [String: String]
    }

    struct Queued: Decodable, Sendable {
        let id: String
        let state: String
        let ambiguous: Bool
        let recipient: String
        let messageId: String
        let attempts: Int
        let reason: String
    }

    struct Reply: Decodable, Sendable {
        struct Contact: Decodable, Sendable { let address: String }
        let id: String
        let way: String
        let from: String
        let messageId: String?
        let `class`: String
        let certainty: String?
        let proofs: [String]
        let contact: Contact?
        let duplicateOf: String?
    }
}

/// Mail as a peer of these tests writes it.
enum Letter {
    /// The value of a header field, unfolded; empty when there is none.
    static func field(_ name: String, of text: String) -> String {
        let head = text.components(separatedBy: "\r\n\r\n")[0].replacingOccurrences(of: "\r\n ", with: " ").replacingOccurrences(
            of: "\r\n\t", with: " ")
        let line = head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix("\(name.lowercased()): ") }
        return line.map { String($0.dropFirst(name.count + 2)) } ?? ""
    }

    /// The address in the last angle brackets, else the whole value.
    static func address(_ value: String) -> String {
        guard let open = value.lastIndex(of: "<"), let close = value.lastIndex(of: ">") else { return value }
        return String(value[value.index(after: open)..<close])
    }

    static func reply(from: String, to: String, id: String, references: String? = nil, text: String) -> String {
        let thread = references.map { "In-Reply-To: \($0)\r\nReferences: \($0)\r\n" } ?? ""
        return "From: <\(from)>\r\nTo: <\(to)>\r\nSubject: Re: your mail\r\nDate: Sat, 21 Nov 2026 06:00:00 +0000\r\n"
            + "Message-ID: <\(id)>\r\n\(thread)\r\n\(text)\r\n"
    }

    /// Hands a message in over a raw connection, and returns the reply to its final dot.
    @discardableResult
    static func submit(
        _ letter: String, from: String, to: String, port: Int, hello: String = "EHLO world.example.net", login: String? = nil
    )
        async throws -> String
    {
        let client = try await LineClient.connect(port: port)
        defer { client.close() }
        _ = try await client.readReply()
        var last: [String] = []
        for command in [hello, login, "MAIL FROM:<\(from)>", "RCPT TO:<\(to)>", "DATA"].compactMap(\.self) {
            last = try await client.command(command)
            guard last.last?.first == "2" || last.last?.first == "3" else { return last.last ?? "" }
        }
        try await client.sendRaw(Array("\(letter).\r\n".utf8))
        let reply = try await client.readReply().last ?? ""
        _ = try? await client.command("QUIT")
        return reply
    }
}
