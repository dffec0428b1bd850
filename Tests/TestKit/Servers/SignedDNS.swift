import Testing

/// A real name server (nsd) on a port of loopback that serves a root zone of its own, signed with keys of its own (ldns).
///
/// It is ended when the last reference to it goes. Names under `test.` and private reverse zones are not for DNSSEC tests.
package final class SignedDNS: Sendable {
    package let port: Int
    /// The key of this root, as a resolver's trust anchor.
    package let trustAnchorFile: String

    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - records: lines of the root zone with full names, such as `mx.example.com. A 127.0.0.1`.
    ///   - unsigned: zones below it that no signature covers, by name with its final dot.
    ///   - forged: owners whose records of a type are changed after they were signed: what stands first is replaced by what stands second.
    package static func start(
        records: [String], unsigned: [String: [String]] = [:], forged: [(owner: String, type: String, from: String, to: String)] = []
    ) async throws -> SignedDNS {
        let nsd = try Interop.require("nsd")
        let makeKey = try Interop.require("ldns-keygen")
        let sign = try Interop.require("ldns-signzone")
        let folder = try TemporaryFolder()
        func newKey(_ options: [String]) async throws -> String {
            let outcome = try await Command.succeed(makeKey, ["-a", "ECDSAP256SHA256"] + options + ["."], directory: folder.path)
            return outcome.outputText.filter { $0 != "\n" }
        }
        let keys = [try await newKey(["-k"]), try await newKey([])]
        let delegations = unsigned.keys.sorted().map { "\($0) NS ns.nic.example." }
        try folder.write(
            "root.zone", text: (zoneHead(".") + ["ns.nic.example. A 127.0.0.1"] + records + delegations).joined(separator: "\n") + "\n")
        try await Command.succeed(sign, ["-o", ".", "-f", "root.signed", "root.zone"] + keys, directory: folder.path)
        try forge(forged, in: folder("root.signed"), folder)
        var zones = [(".", "root.signed")]
        for (number, zone) in unsigned.sorted(by: { $0.key < $1.key }).enumerated() {
            try folder.write("unsigned\(number).zone", text: (zoneHead(zone.key) + zone.value).joined(separator: "\n") + "\n")
            zones.append((zone.key, "unsigned\(number).zone"))
        }
        let port = try FreePort.next()
        try folder.write("nsd.conf", text: configuration(port: port, folder: folder, zones: zones))
        let process = try ChildProcess(nsd, ["-d", "-c", folder("nsd.conf")], directory: folder.path)
        try await process.waitForPort(port)
        return SignedDNS(folder: folder, port: port, anchor: folder("\(keys[0]).key"), process: process)
    }

    private init(folder: TemporaryFolder, port: Int, anchor: String, process: ChildProcess) {
        self.folder = folder
        self.port = port
        trustAnchorFile = anchor
        self.process = process
    }

    deinit { process.kill() }

    /// As `[dns] resolvers` takes it.
    package var address: String { "127.0.0.1@\(port)" }

    private static func zoneHead(_ zone: String) -> [String] {
        ["$ORIGIN .", "$TTL 60", "\(zone) SOA ns.nic.example. host.nic.example. 1 3600 600 86400 60", "\(zone) NS ns.nic.example."]
    }

    private static func forge(
        _ forged: [(owner: String, type: String, from: String, to: String)], in file: String, _ folder: TemporaryFolder
    ) throws {
        var lines = TextFile.read(file).split(separator: "\n").map(String.init)
        for forgery in forged {
            let place = lines.firstIndex { line in
                let words = line.split { $0 == "\t" || $0 == " " }
                return words.count > 4 && words[0] == forgery.owner && words[3] == forgery.type && line.contains(forgery.from)
            }
            guard let place else { throw TimedOut(description: "nothing to forge: \(forgery)") }
            lines[place] = lines[place].replacing(forgery.from, with: forgery.to)
        }
        try folder.write("root.signed", text: lines.joined(separator: "\n") + "\n")
    }

    private static func configuration(port: Int, folder: TemporaryFolder, zones: [(String, String)]) -> String {
        let server = """
            server:
              ip-address: 127.0.0.1@\(port)
              username: ""
              chroot: ""
              zonesdir: "\(folder.path)"
              database: ""
              pidfile: "\(folder("nsd.pid"))"
              zonelistfile: "\(folder("zone.list"))"
              xfrdfile: "\(folder("xfrd.state"))"
              xfrdir: "\(folder.path)"
              server-count: 1
            remote-control:
              control-enable: no

            """
        return server + zones.map { "zone:\n  name: \"\($0)\"\n  zonefile: \"\($1)\"\n" }.joined()
    }
}
