import Foundation

/// Mail servers that let in who shows a bearer token that they take, by XOAUTH2 or OAUTHBEARER (RFC 7628).
package enum TokenServers {
    /// The token in a client's first message; nil when it is none.
    static func token(_ base64: String) -> String? {
        guard let data = Data(base64Encoded: base64) else { return nil }
        let fields = data.split(separator: 1).map { String(decoding: $0, as: UTF8.self) }
        return fields.first { $0.hasPrefix("auth=Bearer ") }.map { String($0.dropFirst(12)) }
    }

    static let refusal = Data(#"{"status":"401","schemes":"bearer"}"#.utf8).base64EncodedString()

    /// A submission server that takes all mail of who is let in.
    package static func smtp(mechanism: String = "XOAUTH2", taking takes: @escaping @Sendable (String) -> Bool) async throws -> LinePeer {
        @Sendable func verdict(_ base64: String) -> String {
            token(base64).map(takes) == true ? "235 2.7.0 in\r\n" : "334 \(refusal)\r\n"
        }
        return try await LinePeer.start(greeting: "220 peer ESMTP\r\n") { lines in
            guard let line = lines.last else { return nil }
            let before = lines.dropLast().last ?? ""
            if let data = lines.lastIndex(of: "DATA"), !lines[data...].contains(".") { return line == "DATA" ? "354 go\r\n" : nil }
            // What answers a challenge: the token, or the acknowledgement of a refusal.
            if before == "AUTH \(mechanism)" { return verdict(line) }
            if line.isEmpty || line == "AQ==" { return "535 5.7.3 Authentication unsuccessful\r\n" }
            let words = line.split(separator: " ")
            switch words.first.map({ $0.uppercased() }) {
            case "EHLO": return "250-peer\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH \(mechanism)\r\n"
            case "AUTH": return words.count > 2 ? verdict(String(words[2])) : "334 \r\n"
            case "MAIL", "RCPT", "RSET": return "250 2.0.0 fine\r\n"
            case ".": return "250 2.0.0 taken\r\n"
            case "QUIT": return "221 2.0.0 bye\r\n"
            default: return "500 5.5.1 what\r\n"
            }
        }
    }

    /// An IMAP server with an empty INBOX.
    package static func imap(mechanism: String = "XOAUTH2", taking takes: @escaping @Sendable (String) -> Bool) async throws -> LinePeer {
        let capabilities = "IMAP4rev1 SASL-IR AUTH=\(mechanism)"
        return try await LinePeer.start(greeting: "* OK [CAPABILITY \(capabilities)] ready\r\n") { lines in
            guard let line = lines.last else { return nil }
            if line.isEmpty || line == "AQ==" {
                let tag = lines.dropLast().last?.split(separator: " ").first ?? "*"
                return "\(tag) NO [AUTHENTICATIONFAILED] AUTHENTICATE failed.\r\n"
            }
            let words = line.split(separator: " ")
            let tag = words.first ?? "*"
            let done = "\(tag) OK done\r\n"
            switch words.dropFirst().first.map({ $0.uppercased() }) {
            case "AUTHENTICATE": return words.count > 3 && token(String(words[3])).map(takes) == true ? done : "+ \(refusal)\r\n"
            case "CAPABILITY": return "* CAPABILITY \(capabilities)\r\n" + done
            case "EXAMINE":
                return "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1] x\r\n\(tag) OK [READ-ONLY] done\r\n"
            case "UID": return "* SEARCH\r\n" + done
            case "LOGOUT": return "* BYE bye\r\n" + done
            default: return done
            }
        }
    }
}
