import Foundation
import TestKit
import Testing

/// A conf with one identity and a database of its own, and the executable to work on it.
final class StateBench: Sendable {
    /// Where the mail of the identity goes.
    enum Route {
        /// Taken by nobody, as if it had left.
        case sink
        /// Nothing listens there: every message is deferred.
        case nowhere
        /// An SMTP server on this port of 127.0.0.1.
        case server(port: Int)
        /// These keys of the route, and whatever sections follow.
        case text(String)
    }

    let folder: TemporaryFolder
    let conf: String

    /// - Parameter listener: port for the replies; nil: none are taken.
    init(route: Route = .sink, listener: Int? = nil, identities: [String] = ["anna"]) throws {
        folder = try TemporaryFolder()
        try folder.makeFolder("state")
        let key = try folder.write("token.key", text: String(repeating: "5a", count: 32) + "\n", permissions: 0o600)
        var text = """
            [main]
            myhostname = "out.example.com"
            state_directory = "\(folder("state"))"
            run_directory = "\(folder.path)"
            [tokens]
            key_files = ["\(key)"]
            domain = "r.example.com"
            [window]
            days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            hours = "00:00-24:00"
            [route.out]

            """
        switch route {
        case .sink: text += "type = \"sink\"\n"
        case .nowhere: text += Self.submission(try FreePort.next())
        case .server(let port): text += Self.submission(port)
        case .text(let keys): text += keys
        }
        for name in identities {
            text += """
                [identity.\(name)]
                from = "\(name) <\(name)@example.com>"
                reply_to = "token"
                return_path = "bounce"
                min_gap = "0s"

                """
        }
        if let listener { text += "[listener.smtp]\nlisten = [\"127.0.0.1:\(listener)\"]\naccept_domains = [\"r.example.com\"]\n" }
        conf = try folder.write("postrider.conf", text: text)
    }

    static func submission(_ port: Int) -> String {
        "type = \"submission\"\nhost = \"127.0.0.1\"\nport = \(port)\ntls = \"none\"\ntls_security_level = \"none\"\n"
    }

    static func fixture(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL?.appending(path: "Fixtures/State/\(name)").path)
    }

    func run(_ arguments: String..., input: String = "") async throws -> Command.Outcome {
        try await Executable.run(["--conf", conf] + arguments, input: Array(input.utf8))
    }

    /// What a command that must succeed prints.
    func output(_ arguments: String..., input: String = "", at location: SourceLocation = #_sourceLocation) async throws -> String {
        let outcome = try await Executable.run(["--conf", conf] + arguments, input: Array(input.utf8))
        #expect(outcome.status == 0, "\(arguments): \(outcome.errorText)", sourceLocation: location)
        return outcome.outputText
    }

    /// The objects that a command prints, one per line.
    func objects(_ arguments: String..., at location: SourceLocation = #_sourceLocation) async throws -> [JSONObject] {
        let outcome = try await Executable.run(["--conf", conf] + arguments + ["--json"])
        #expect(outcome.status == 0, "\(arguments): \(outcome.errorText)", sourceLocation: location)
        return try JSONObject.lines(outcome, at: location)
    }

    /// Runs `serve` for as long as the test holds it.
    func serve() async throws -> ChildProcess {
        let serve = try Executable.start(["--conf", conf, "serve"])
        try await serve.waitForLine(containing: "serving", in: serve.errorFile)
        return serve
    }

    /// Ann and Bo as contacts and the sequence `hello` loaded.
    func prepare() async throws {
        _ = try await output(
            "contacts", "import", "-",
            input: "email,first_name,company\nann@example.org,Ann,Acme\nbo@example.net,Bo,\"B, Sons\"\n")
        _ = try await output("sequence", "load", try Self.fixture("hello.toml"))
    }

    /// The queue with everything that ever was in it, once `isReady` holds for it.
    func queue(_ what: String, until isReady: ([JSONObject]) -> Bool) async throws -> [JSONObject] {
        try await eventually(what, within: .seconds(60)) {
            let queue = try await self.objects("queue", "--all")
            return isReady(queue) ? queue : nil
        }
    }
}

/// An object that a command printed as one line.
struct JSONObject: @unchecked Sendable, CustomStringConvertible {
    // Never changed once parsed, so it needs no lock.
    private let members: [String: Any]

    init(_ members: [String: Any]) { self.members = members }

    static func lines(_ outcome: Command.Outcome, at location: SourceLocation = #_sourceLocation) throws -> [JSONObject] {
        try outcome.output.split(separator: 10).map { line in
            JSONObject(
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any], "\(String(decoding: line, as: UTF8.self))",
                    sourceLocation: location))
        }
    }

    var keys: Set<String> { Set(members.keys) }
    var description: String { "\(members)" }

    /// The text of a member; nil when it is null, missing or something else.
    subscript(key: String) -> String? { members[key] as? String }

    func isNull(_ key: String) -> Bool { members[key] is NSNull }
    func number(_ key: String) -> Double? { (members[key] as? NSNumber)?.doubleValue }
    func bool(_ key: String) -> Bool? { members[key] as? Bool }
    func texts(_ key: String) -> [String]? { members[key] as? [String] }
    func object(_ key: String) -> JSONObject? { (members[key] as? [String: Any]).map(JSONObject.init) }
    func list(_ key: String) -> [JSONObject] { (members[key] as? [[String: Any]] ?? []).map(JSONObject.init) }
}
