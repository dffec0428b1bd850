import Foundation
import Synchronization

@testable import DNS

/// A DNS server on a loopback port of its own, over UDP, that answers from a script.
final class ScriptedServer: Sendable {
    enum Reply: Sendable {
        case records([StaticResolver.Record])
        /// The alias, and the records of its target in the same answer.
        case alias(String, [StaticResolver.Record])
        case code(UInt8)
        /// NOERROR without data.
        case empty
        case silence
        /// An answer cut in the middle of its record.
        case cut
        /// An answer to another question.
        case wrongQuestion
        /// The answer, under another query's number.
        case wrongID([StaticResolver.Record])
        /// "Too long for UDP": and nobody listens on TCP.
        case truncated
        /// A record whose owner is a compression pointer to itself.
        case pointerLoop
        /// The answer, with an address of another name beside it that nobody asked for.
        case poisoned([StaticResolver.Record], name: String, address: String)
        /// Record data as it stands here, under the type asked for.
        case raw([UInt8])
    }

    /// `name type`, as in `example.com mx`.
    private let script: Mutex<[String: Reply]>
    private let asked = Mutex<[String]>([])
    private let socket: Int32
    let port: Int

    init(_ script: [String: Reply]) throws {
        self.script = Mutex(script)
        socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0 }
        }
        guard isBound else { throw CocoaError(.featureUnsupported) }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            var peer = sockaddr_in()
            while true {
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                let count = withUnsafeMutablePointer(to: &peer) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(socket, &buffer, buffer.count, 0, $0, &length) }
                }
                guard count > 12, let self else { break }
                guard let answer = self.answer(to: Array(buffer[..<count])) else { continue }
                _ = withUnsafePointer(to: &peer) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(socket, answer, answer.count, 0, $0, length) }
                }
            }
            close(socket)
        }
        thread.start()
    }

    deinit { shutdown(socket, Int32(SHUT_RDWR)) }

    var resolver: UnboundResolver.Configuration {
        UnboundResolver.Configuration(servers: ["127.0.0.1@\(port)"], trustAnchorFile: nil, deadline: .seconds(10))
    }

    /// The questions so far, as in the script.
    var questions: [String] { asked.withLock { $0 } }

    private func answer(to query: [UInt8]) -> [UInt8]? {
        var rest = query[12...]
        guard let name = DomainText.decode(&rest), rest.count >= 4 else { return nil }
        let question = Array(query[12..<(rest.startIndex + 4)])
        let number = UInt16(rest[rest.startIndex]) << 8 | UInt16(rest[rest.startIndex + 1])
        let type = RecordType(rawValue: number).map { "\($0)" } ?? "\(number)"
        asked.withLock { $0.append("\(name) \(type)") }
        let reply = script.withLock { $0["\(name) \(type)"] } ?? .code(3)

        func message(code: UInt8, _ answers: [[UInt8]], question: [UInt8]? = nil) -> [UInt8] {
            let head = Array(query[..<2]) + [0x81, 0x80 | code, 0, 1, 0, UInt8(answers.count), 0, 0, 0, 0]
            return head + (question ?? Array(query[12..<(rest.startIndex + 4)])) + answers.flatMap { $0 }
        }
        func record(_ record: StaticResolver.Record, owner: [UInt8] = [0xC0, 12]) -> [UInt8] {
            let data = record.wire ?? []
            return owner + [UInt8(record.type.rawValue >> 8), UInt8(record.type.rawValue & 0xFF), 0, 1, 0, 0, 0, 60]
                + [UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
        }
        switch reply {
        case .records(let records): return message(code: 0, records.map { record($0) })
        case .alias(let target, let records):
            return message(code: 0, [record(.cname(target))] + records.map { record($0, owner: DomainText.encode(target) ?? []) })
        case .code(let code): return message(code: code, [])
        case .empty: return message(code: 0, [])
        case .silence: return nil
        case .wrongID(let records):
            var answer = message(code: 0, records.map { record($0) })
            answer[1] ^= 0x55
            return answer
        case .truncated:
            var answer = message(code: 0, [])
            answer[2] |= 0x02
            return answer
        case .pointerLoop:
            let place = rest.startIndex + 4
            return message(code: 0, [record(.mx(10, "mail.example.com"), owner: [0xC0 | UInt8(place >> 8), UInt8(place & 0xFF)])])
        case .poisoned(let records, let name, let address):
            return message(code: 0, records.map { record($0) } + [record(.a(address), owner: DomainText.encode(name) ?? [])])
        case .raw(let data):
            let head: [UInt8] = [0xC0, 12, UInt8(number >> 8), UInt8(number & 0xFF), 0, 1, 0, 0, 0, 60, UInt8(data.count >> 8)]
            return message(code: 0, [head + [UInt8(data.count & 0xFF)] + data])
        case .cut: return Array(message(code: 0, [record(.mx(10, "mail.example.com"))]).dropLast(7))
        case .wrongQuestion:
            let other = (DomainText.encode("other.example.org") ?? []) + Array(question.suffix(4))
            return message(code: 0, [record(.a("203.0.113.66"))], question: other)
        }
    }
}
