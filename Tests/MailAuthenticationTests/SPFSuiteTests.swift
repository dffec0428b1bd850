import DNS
import Foundation
import InternetMessage
import Testing

@testable import MailAuthentication

/// The zone data of a test suite as a resolver: octets as they are written there, names in any case.
private struct SuiteZone: Resolver {
    private enum Record {
        case data(RecordType, [UInt8])
        case alias(String)
    }

    private var records: [String: [Record]] = [:]
    private var silent: Set<String> = []

    init(_ zone: YAML) {
        for pair in zone.pairs {
            let name = pair.key.lowercased()
            var written: [(type: String, value: YAML)] = []
            for entry in pair.value.values {
                if let only = entry.pairs.first {
                    written.append((only.key, only.value))
                } else if entry.text == "TIMEOUT" {
                    silent.insert(name)
                }
            }
            // Records of the old type SPF stand for TXT where there is none.
            let hasText = written.contains { $0.type == "TXT" }
            records[name] = written.compactMap { type, value in
                if value.text == "NONE" { return nil }
                return Self.record(type == "SPF" ? (hasText ? "" : "TXT") : type, value)
            }
        }
    }

    private static func record(_ type: String, _ value: YAML) -> Record? {
        let text = value.text ?? ""
        switch type {
        case "TXT": return .data(.txt, value.values.flatMap { [UInt8(($0.bytes ?? []).count)] + ($0.bytes ?? []) })
        case "A": return IPAddress(text).map { .data(.a, $0.bytes) }
        case "AAAA": return IPAddress(text).map { .data(.aaaa, $0.bytes) }
        case "PTR": return .data(.ptr, wire(text))
        case "CNAME": return .alias(text.lowercased())
        case "MX":
            let preference = UInt16(value.values.first?.text ?? "") ?? 0
            return .data(.mx, [UInt8(preference >> 8), UInt8(preference & 255)] + wire(value.values.last?.text ?? ""))
        default: return nil
        }
    }

    private static func wire(_ name: String) -> [UInt8] {
        name.utf8.split(separator: UInt8(ascii: ".")).flatMap { [UInt8($0.count)] + $0 } + [0]
    }

    func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
        // Octets that no host name has come back from the seam as `\\ddd`.
        var name = name.lowercased().replacing(/\\(\d\d\d)/) { String(decoding: [UInt8($0.1) ?? 0], as: UTF8.self) }
        for _ in 0..<8 {
            guard let all = records[name] else {
                return DNSAnswer(type, silent.contains(name) ? .failure(.timedOut) : .nameNotFound)
            }
            if let target = all.lazy.compactMap({ if case .alias(let target) = $0 { target } else { nil } }).first {
                name = target
                continue
            }
            let data = all.compactMap { if case .data(type, let bytes) = $0 { bytes } else { nil } }
            if !data.isEmpty { return DNSAnswer(type, .records(data)) }
            return DNSAnswer(type, silent.contains(name) ? .failure(.timedOut) : .noData)
        }
        return DNSAnswer(type, .failure(.responseCode(2)))
    }
}

@Suite("SPF against the suite of RFC 7208")
struct SPFSuiteTests {
    @Test("every case comes out as the suite says", .enabled(if: Corpora.isWanted, Corpora.absence))
    func suite() async throws {
        var right = 0
        var all = 0
        for document in YAML.documents(try Corpora.bytes("pyspf/rfc7208-tests.yml")) {
            let zone = SuiteZone(try #require(document["zonedata"]))
            for test in try #require(document["tests"]).pairs {
                all += 1
                let facts = test.value
                let peer = SMTPPeer(
                    address: try #require(IPAddress(facts["host"]?.text ?? "")), helloName: facts["helo"]?.text ?? "",
                    reversePath: facts["mailfrom"]?.text ?? "")
                let result = await SPFChecker(resolver: zone, receiver: "receiver.example").check(peer, at: Timestamp(seconds: 0))
                let wanted = (facts["result"]?.values ?? []).compactMap(\.text)
                let words = facts["explanation"]?.text.map { $0 == "DEFAULT" ? "" : $0 }
                let isRight = wanted.contains(result.outcome.rawValue) && (words == nil || words == (result.explanation ?? ""))
                if isRight { right += 1 }
                #expect(
                    isRight, "\(document["description"]?.text ?? "")/\(test.key): \(result), wanted \(wanted) \(words ?? "")")
            }
        }
        print("rfc7208-tests.yml: \(right) of \(all)")
        #expect(all == 203)
    }
}
