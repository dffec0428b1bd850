import Foundation
import MailAuthentication
import NIOCore
import NIOPosix
import OpenSSL
import Rehearsal
import Settings

/// The keys of one demo, made for it and gone with it.
struct DemoKeys {
    static let signingDomain = "acme.example"
    static let selector = "demo"

    let dkim: PrivateKey
    /// As the file has it.
    let token: [UInt8]

    static func make() throws -> DemoKeys {
        DemoKeys(dkim: try PrivateKey.generateRSA(bits: 2048), token: Array(Hex.encode(SecureRandom.bytes(32)).utf8))
    }

    var expectation: SinkMX.Expectation {
        .init(
            signingDomain: Self.signingDomain, keyRecordName: "\(Self.selector)._domainkey.\(Self.signingDomain)",
            keyRecord: DKIMKeyRecord.text(for: dkim))
    }
}

/// The installation that the demo makes for itself: a conf folder with keys and certificates, all below one temporary folder.
struct DemoFolder {
    static let identity = "anna"
    private static let replyDomain = "r.acme.example"

    let path: String
    let settings: Settings
    let listenerPort: Int
    let webPort: Int

    /// Writes all files below `path` and reads the conf as `serve` would.
    ///
    /// - Parameter sinkPort: where the recipients' mail exchanger listens.
    static func make(in path: String, keys: DemoKeys, sinkPort: Int, eventLoops: any EventLoopGroup) async throws -> DemoFolder {
        let ports = try await freePorts(2, eventLoops: eventLoops)
        try FileManager.default.createDirectory(
            atPath: path + "/secrets", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try write(Array(keys.dkim.pem.utf8), to: path + "/secrets/dkim.pem")
        try write(keys.token, to: path + "/secrets/token.key")
        try write(try Cast.file("demo/server.key"), to: path + "/secrets/server.key")
        try write(try Cast.file("demo/server.pem"), to: path + "/server.pem")
        try write(try Cast.file("demo/ca.pem"), to: path + "/ca.pem")
        try write(try Cast.file(Cast.contactsFile), to: path + "/contacts.csv")
        try write(try Cast.file(Cast.sequenceFile), to: path + "/sequence.toml")
        let conf = path + "/postrider.conf"
        try write(Array(text(path: path, sinkPort: sinkPort, listenerPort: ports[0], webPort: ports[1]).utf8), to: conf)
        switch Settings.load(conf) {
        case .success(let settings):
            return DemoFolder(path: path, settings: settings, listenerPort: ports[0], webPort: ports[1])
        case .failure(let error):
            throw Failure(.internalError, error.description)
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600]) else {
            throw Failure(.noPermission, "\(path) cannot be written")
        }
    }

    /// Ports of loopback that nobody listens on, each another.
    private static func freePorts(_ count: Int, eventLoops: any EventLoopGroup) async throws -> [Int] {
        var channels: [any Channel] = []
        for _ in 0..<count { channels.append(try await ServerBootstrap(group: eventLoops).bind(host: "127.0.0.1", port: 0).get()) }
        let ports = channels.compactMap { $0.localAddress?.port }
        for channel in channels { try await channel.close() }
        guard ports.count == count else { throw Failure(.unavailable, "no free port on 127.0.0.1") }
        return ports
    }

    private static func text(path: String, sinkPort: Int, listenerPort: Int, webPort: Int) -> String {
        """
        # The conf of a rehearsal: everything is on this machine.
        config_version = 1

        [main]
        myhostname = "out1.\(DemoKeys.signingDomain)"
        state_directory = "\(path)/state"
        run_directory = "\(path)/run"
        timezone = "UTC"

        [route.world]
        type = "mx"
        port = \(sinkPort)
        tls_security_level = "verify"
        tls_ca_file = "\(path)/ca.pem"

        [queue]
        retry_schedule = ["5m", "15m", "30m", "1h"]

        [window]
        days = ["mon", "tue", "wed", "thu", "fri"]
        hours = "08:30-17:30"

        [dkim.key."\(DemoKeys.signingDomain)"]
        selector = "\(DemoKeys.selector)"
        key_file = "\(path)/secrets/dkim.pem"

        [identity.\(identity)]
        from = "Anna Berg <anna@\(DemoKeys.signingDomain)>"
        route = "world"
        reply_to = "token"
        return_path = "bounce"
        daily_limit = 40
        min_gap = "90s"
        signature = "Anna Berg\\nAcme Ltd"

        [listener.smtp]
        listen = ["127.0.0.1:\(listenerPort)"]
        accept_domains = ["\(replyDomain)"]
        tls_cert_file = "\(path)/server.pem"
        tls_key_file = "\(path)/secrets/server.key"

        [tokens]
        key_files = ["\(path)/secrets/token.key"]

        [unsubscribe]
        list_unsubscribe = "both"
        one_click_url = "https://u.\(DemoKeys.signingDomain)/u/"

        [compliance]
        postal_address = "Acme Ltd, 1 Example Street, 12345 Example Town"

        [http]
        listen = "127.0.0.1:\(webPort)"

        """
    }
}
