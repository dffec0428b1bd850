/// A command of a client, RFC 5321 §4.1.1, with its parameters read as far as they do not depend on the session.
enum ClientCommand: Sendable, Hashable {
    enum Hello: Sendable, Hashable { case helo, ehlo, lhlo }

    case hello(Hello, name: [UInt8])
    /// `argument` is what follows `FROM:`.
    case mail(argument: [UInt8])
    /// `argument` is what follows `TO:`.
    case recipient(argument: [UInt8])
    case data
    case reset
    case noop
    case quit
    case startTLS
    case verify
    case help
    /// A command of SMTP that is not for us: AUTH, BDAT, EXPN, ETRN, TURN, SEND and its kin.
    case notImplemented
    /// A verb of HTTP and the like, or a line that does not begin with a letter.
    case foreign
    case unknown
    case malformed

    /// Reads one line, without its CRLF. Never fails: what is not a command is `unknown`, `malformed` or `foreign`.
    init(_ line: [UInt8]) {
        let verb = line.prefix { $0 != ASCII.space }
        let argument = ClientCommand.trimmed(line[verb.endIndex...])
        guard let first = line.first else {
            self = .unknown
            return
        }
        guard ASCII.isLetter(first) else {
            self = .foreign
            return
        }
        guard line.allSatisfy({ !ASCII.isControl($0) }) else {
            self = .malformed
            return
        }
        switch ClientCommand.verbs[ASCII.uppercased(verb)] {
        case .helo: self = .hello(.helo, name: Array(argument))
        case .ehlo: self = .hello(.ehlo, name: Array(argument))
        case .lhlo: self = .hello(.lhlo, name: Array(argument))
        case .mail: self = ClientCommand.path(argument, behind: "FROM:").map { .mail(argument: $0) } ?? .malformed
        case .rcpt: self = ClientCommand.path(argument, behind: "TO:").map { .recipient(argument: $0) } ?? .malformed
        case .data: self = argument.isEmpty ? .data : .malformed
        case .rset: self = argument.isEmpty ? .reset : .malformed
        case .starttls: self = argument.isEmpty ? .startTLS : .malformed
        case .quit: self = argument.isEmpty ? .quit : .malformed
        case .noop: self = .noop
        case .vrfy: self = .verify
        case .help: self = .help
        case .refused: self = .notImplemented
        case .foreign: self = .foreign
        case nil: self = .unknown
        }
    }

    private enum Verb: String, CaseIterable {
        case helo, ehlo, lhlo, mail, rcpt, data, rset, starttls, quit, noop, vrfy, help
        case refused, foreign
    }

    /// Verbs by their octets in upper case, so that nothing but these octets is taken for them.
    private static let verbs: [[UInt8]: Verb] = {
        var verbs: [[UInt8]: Verb] = [:]
        for verb in Verb.allCases where verb != .refused && verb != .foreign { verbs[ASCII.uppercased(verb.rawValue.utf8)] = verb }
        for name in ["AUTH", "BDAT", "EXPN", "ETRN", "TURN", "ATRN", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD"] {
            verbs[Array(name.utf8)] = .refused
        }
        for name in ["GET", "POST", "CONNECT", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "PRI"] {
            verbs[Array(name.utf8)] = .foreign
        }
        return verbs
    }()

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while text.first == ASCII.space { text.removeFirst() }
        while text.last == ASCII.space { text.removeLast() }
        return text
    }

    /// What stands behind `FROM:` or `TO:`. Quirk(Outlook, many scripts): spaces after the colon. Test: "paths of MAIL and RCPT".
    private static func path(_ argument: ArraySlice<UInt8>, behind word: StaticString) -> [UInt8]? {
        guard ASCII.begins(argument, with: word) else { return nil }
        return Array(trimmed(argument.dropFirst(word.utf8CodeUnitCount)))
    }
}
