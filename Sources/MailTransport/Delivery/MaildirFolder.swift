import Glibc
import InternetMessage
import NIOPosix
import SMTP

/// A folder that takes each message as a file of its own: written under `tmp`, made durable, and renamed into `new`.
///
/// A message stands there as it would on the wire, CRLF line ends included, under `Return-Path` (RFC 5321 §4.4) and `Delivered-To`.
struct MaildirFolder: Sendable {
    let path: String

    /// Nothing of the message stands in `new` when this is thrown, so it may be tried again.
    struct Trouble: Error, CustomStringConvertible {
        let description: String

        init(_ what: String, _ path: String) { description = "\(path): cannot \(what): \(String(cString: strerror(errno)))" }
    }

    /// One message; `checks` are asked as before a transaction and before a final dot.
    func deliver(_ message: OutboundMessage, checks: DeliveryChecks) async -> DeliveryReport {
        guard await checks.mayLeave(), await checks.finalDot() else { return DeliveryReport(result: .withdrawn) }
        do {
            let name = try await NIOThreadPool.singleton.runIfActive { try write(message) }
            return DeliveryReport(
                result: .outcome(.accepted(Reply(code: 250, lines: [Array("2.0.0 written as \(name)".utf8)]))), remoteMTA: "maildir")
        } catch {
            return .deferred(.connect, note: "\(error)")
        }
    }

    /// The name of the file under `new`.
    private func write(_ message: OutboundMessage) throws -> String {
        for folder in [path, "\(path)/tmp", "\(path)/new", "\(path)/cur"] where mkdir(folder, 0o700) != 0 && errno != EEXIST {
            throw Trouble("be made", folder)
        }
        // The number of a message is unique, and so is each of its attempts; what an earlier one left under tmp is written anew.
        let name = "\(message.envelopeID.utf8.map { isPlain($0) ? String(UnicodeScalar($0)) : "_" }.joined()).\(message.earlierAttempts)"
        let draft = "\(path)/tmp/\(name)"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Trouble("be written", draft) }
        let head =
            Array("Return-Path: <".utf8) + message.reversePath.wireBytes + Array(">\r\nDelivered-To: ".utf8) + message.recipient.wireBytes
        var rest = (head + Array("\r\n".utf8) + message.content)[...]
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(1 << 16))
            let written = Glibc.write(file, chunk, chunk.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                defer { close(file) }
                throw Trouble("be written", draft)
            }
            rest = rest.dropFirst(written)
        }
        guard fsync(file) == 0 else {
            defer { close(file) }
            throw Trouble("be made durable", draft)
        }
        close(file)
        let place = "\(path)/new/\(name)"
        let folder = open("\(path)/new", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Trouble("be opened", "\(path)/new") }
        defer { close(folder) }
        guard rename(draft, place) == 0 else { throw Trouble("be renamed to \(place)", draft) }
        // The file stands there either way; a folder that cannot be synced loses it with the power only.
        _ = fsync(folder)
        return name
    }

    private func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "="): true
        default: false
        }
    }
}
