import ArgumentParser
import Foundation
import MailAuthentication
import OpenSSL

extension DKIM {
    struct KeyGen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keygen", abstract: "Make a key file (mode 0600) and show the TXT record to publish. Never overwrites a file.")

        enum KeyType: String, ExpressibleByArgument, CaseIterable {
            case rsa
            case ed25519
        }

        @OptionGroup var name: KeyName
        @Option(help: ArgumentHelp("The folder for the key file; made when it is not there.", valueName: "dir"))
        var out: String
        @Option(help: "rsa (2048 bits) or ed25519; receivers that do not know Ed25519 need an RSA signature too.")
        var type: KeyType = .rsa

        func run() async throws {
            try await reportingFailures {
                let key: PrivateKey
                do throws(KeyError) {
                    key = try type == .rsa ? .generateRSA(bits: 2048) : .generateEd25519()
                } catch {
                    throw Failure(.internalError, "\(error)")
                }
                let path = try write(key)
                Console.out(path)
                Console.out(name.record.zoneLine(key))
            }
        }

        private func write(_ key: PrivateKey) throws(Failure) -> String {
            let path = "\(out)/\(name.record.domain).\(name.record.selector).pem"
            do {
                try FileManager.default.createDirectory(
                    atPath: out, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw Failure(.noPermission, "\(out) cannot be made")
            }
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                guard errno == EEXIST else { throw Failure(.noPermission, "\(path) cannot be made: \(String(cString: strerror(errno)))") }
                throw Failure(.badInput, "\(path) is there already and stays as it is; choose another selector, or move it away")
            }
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            do {
                try handle.write(contentsOf: Data(key.pem.utf8))
                try handle.synchronize()
            } catch {
                throw Failure(.tryAgain, "\(path) cannot be written; is the disk full?")
            }
            return path
        }
    }

    struct KeyRecord: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "record", abstract: "Show the TXT record of a key.")

        @OptionGroup var name: KeyName
        @OptionGroup var key: KeyFileOption

        func run() async throws {
            try await reportingFailures { Console.out(name.record.zoneLine(try key.load())) }
        }
    }
}
