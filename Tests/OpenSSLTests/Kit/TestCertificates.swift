import Foundation
import OpenSSL

/// The certificates of `certs/make-test-certs`, made once per run into a folder of its own.
enum TestCertificates {
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let folder: Result<TemporaryFolder, any Error> = Result {
        let folder = try TemporaryFolder()
        try OpenSSLTool.command(root.appendingPathComponent("certs/make-test-certs").path, [folder.path])
        // A static is never released.
        atexit { try? TestCertificates.folder.get().remove() }
        return folder
    }

    static func file(_ name: String) throws -> String { try folder.get().path + "/" + name }

    static func server(_ name: String) throws -> TLSServerContext {
        try TLSServerContext(certificateChainFile: file(name + ".pem"), keyFile: file(name + ".key"))
    }

    static func client() throws -> TLSClientContext { try TLSClientContext(trust: .caFile(file("ca.pem"))) }
}

/// The name most certificates of the matrix are for.
let testHost = "mx.test.example.com"
