import Foundation

/// The server side of SCRAM (RFC 5802 §3), by the book and by the `openssl` command, so that nothing of it is shared with the client under test.
struct ScramServer {
    let digest: String
    let password: String
    let salt: [UInt8]
    let iterations: Int
    private var clientFirstBare = ""
    private var serverFirst = ""

    init(digest: String, password: String, salt: [UInt8] = Array("0123456789abcdef".utf8), iterations: Int = 4096) {
        self.digest = digest
        self.password = password
        self.salt = salt
        self.iterations = iterations
    }

    private var length: Int { digest == "SHA1" ? 20 : 32 }

    private static func openssl(_ arguments: [String], _ input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let (give, take) = (Pipe(), Pipe())
        process.standardInput = give
        process.standardOutput = take
        try process.run()
        give.fileHandleForWriting.write(Data(input))
        give.fileHandleForWriting.closeFile()
        let output = take.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return [UInt8](output)
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

    private func hmac(_ key: [UInt8], _ message: String) throws -> [UInt8] {
        try Self.openssl(
            ["dgst", "-\(digest.lowercased())", "-mac", "HMAC", "-macopt", "hexkey:\(Self.hex(key))", "-binary"], Array(message.utf8))
    }

    private func saltedPassword() throws -> [UInt8] {
        try Self.openssl([
            "kdf", "-binary", "-keylen", "\(length)", "-kdfopt", "digest:\(digest)", "-kdfopt", "pass:\(password)", "-kdfopt",
            "hexsalt:\(Self.hex(salt))",
            "-kdfopt", "iter:\(iterations)", "PBKDF2",
        ])
    }

    static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for part in text.split(separator: ",") where part.count >= 2 { fields[String(part.prefix(1))] = String(part.dropFirst(2)) }
        return fields
    }

    /// The server-first message for the client's first.
    mutating func first(_ clientFirst: [UInt8]) -> [UInt8] {
        let text = String(decoding: clientFirst, as: UTF8.self)
        clientFirstBare = String(text.dropFirst(3))
        let nonce = (Self.fields(clientFirstBare)["r"] ?? "") + "3rfcNHYJY1ZVvWVs7j"
        serverFirst = "r=\(nonce),s=\(Data(salt).base64EncodedString()),i=\(iterations)"
        return Array(serverFirst.utf8)
    }

    /// Whether the client's proof holds, and the server-final message that proves the server.
    func last(_ clientFinal: [UInt8]) throws -> (proven: Bool, message: [UInt8]) {
        let text = String(decoding: clientFinal, as: UTF8.self)
        let withoutProof = text.components(separatedBy: ",p=")[0]
        let authMessage = [clientFirstBare, serverFirst, withoutProof].joined(separator: ",")
        let salted = try saltedPassword()
        let clientKey = try hmac(salted, "Client Key")
        let storedKey = try Self.openssl(["dgst", "-\(digest.lowercased())", "-binary"], clientKey)
        let signature = try hmac(storedKey, authMessage)
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        let given = Data(base64Encoded: Self.fields(text)["p"] ?? "") ?? Data()
        let serverSignature = try hmac(hmac(salted, "Server Key"), authMessage)
        return (Array(given) == proof, Array("v=\(Data(serverSignature).base64EncodedString())".utf8))
    }
}
