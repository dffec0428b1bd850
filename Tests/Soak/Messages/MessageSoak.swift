import Foundation
import InternetMessage

/// The long proof that any octets parse: every file of a folder whole and cut short, then random damage.
///
/// Arguments: the folder, the number of mutations, this process's share as `1/2`, the folder for findings, and
/// the size in KiB up to which files are cut everywhere. Prints one line of figures;
/// status 1 when a message took too long or went beyond a limit. A crash is the parser's own; `current-N` names what was being read.
@main
struct MessageSoak {
    /// How far from either end of a larger file the cuts are as close.
    static let edge = 8 << 10
    /// The most that a message may take: 50 ms for each MB, one below that counted as one MB.
    static let nanosecondsPerMegabyte: Int64 = 50_000_000

    /// Files up to this size are cut at every 64th byte. Larger ones so within `edge` of their beginning and end, and at every 16384th byte
    /// between: all of it costs the square of their size, an hour and more for a few files of one kind.
    private var wholly = 64 << 10
    private var files: [(name: String, bytes: [UInt8])] = []
    private var share = 0
    private var findings = URL(fileURLWithPath: ".")
    private var figures = Figures()

    private struct Figures {
        var (files, cuts, mutations, slow, beyond) = (0, 0, 0, 0, 0)
        var bytes: Int64 = 0
        var nanoseconds: Int64 = 0
        var worst: (perMegabyte: Int64, name: String) = (0, "")
        var sum = 0
    }

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let mutations = Int(arguments[2]), let wholly = Int(arguments[5]), wholly >= 0, wholly < 1 << 40 else {
            exit(64)
        }
        let shares = arguments[3].split(separator: "/").compactMap { Int($0) }
        guard shares.count == 2, shares[1] > 0 else { exit(64) }
        var soak = MessageSoak()
        soak.wholly = wholly << 10
        soak.share = shares[0]
        soak.findings = URL(fileURLWithPath: arguments[4])
        try soak.load(URL(fileURLWithPath: arguments[1]))
        for index in soak.files.indices where index % shares[1] == shares[0] - 1 {
            try soak.cut(soak.files[index].name, soak.files[index].bytes)
        }
        try soak.damage(mutations / shares[1], seed: UInt64(shares[0]))
        exit(soak.report())
    }

    private mutating func load(_ folder: URL) throws {
        let keys: [URLResourceKey] = [.isRegularFileKey, .fileSizeKey]
        guard let all = FileManager.default.enumerator(at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: keys) else {
            return
        }
        while let url = all.nextObject() as? URL {
            guard try url.resourceValues(forKeys: Set(keys)).isRegularFile == true else { continue }
            files.append((url.path, [UInt8](try Data(contentsOf: url))))
        }
        files.sort { $0.name < $1.name }
    }

    private mutating func cut(_ name: String, _ bytes: [UInt8]) throws {
        try current(name)
        read(bytes[...], "\(name)")
        figures.files += 1
        var end = 0
        while end < bytes.count {
            read(bytes[..<end], "\(name):\(end)")
            figures.cuts += 1
            let isNearEdge = bytes.count <= wholly || end < Self.edge || bytes.count - end < Self.edge
            end += isNearEdge ? 64 : 16 << 10
        }
    }

    private mutating func damage(_ count: Int, seed: UInt64) throws {
        let small = files.filter { !$0.bytes.isEmpty && $0.bytes.count <= 64 << 10 }
        guard !small.isEmpty else { return }
        var mutator = Mutator(seed: seed)
        for round in 0..<count {
            if round % 1000 == 0 { try current("mutation \(round) with seed \(seed)") }
            let (name, original) = small[mutator.below(small.count)]
            let other = small[mutator.below(small.count)].bytes
            var bytes = original
            mutator.mutate(&bytes, with: other)
            read(bytes[...], "\(name) mutation \(round) with seed \(seed)")
            figures.mutations += 1
        }
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>, _ name: String) {
        var finding = Touch.everything(bytes)
        let allowed = Self.nanosecondsPerMegabyte * Int64(max(1 << 20, bytes.count)) / (1 << 20)
        // A first time over the line is measured again: cold memory and a busy machine are not the message's.
        for _ in 0..<3 where finding.nanoseconds > allowed { finding = Touch.everything(bytes) }
        figures.bytes += Int64(bytes.count)
        figures.nanoseconds += finding.nanoseconds
        figures.sum &+= finding.sum
        let perMegabyte = finding.nanoseconds * (1 << 20) / Int64(max(1 << 20, bytes.count))
        if perMegabyte > figures.worst.perMegabyte { figures.worst = (perMegabyte, name) }
        if finding.nanoseconds > allowed {
            figures.slow += 1
            keep(bytes, "slow \(finding.nanoseconds / 1_000_000) ms: \(name)")
        }
        if let beyond = finding.beyond {
            figures.beyond += 1
            keep(bytes, "beyond a limit, \(beyond): \(name)")
        }
    }

    private func keep(_ bytes: ArraySlice<UInt8>, _ what: String) {
        let number = figures.slow + figures.beyond
        FileHandle.standardError.write(Data((what + "\n").utf8))
        if number <= 20 { try? Data(bytes).write(to: findings.appendingPathComponent("finding-\(share)-\(number).eml")) }
    }

    private func current(_ what: String) throws {
        try Data(what.utf8).write(to: findings.appendingPathComponent("current-\(share)"))
    }

    private func report() -> Int32 {
        let rate = figures.bytes * 1000 / max(1, figures.nanoseconds)
        print(
            "\(figures.files) files, \(figures.cuts) cut short, \(figures.mutations) mutations:",
            "\(figures.slow) over 50 ms per MB, \(figures.beyond) beyond a limit; \(figures.bytes >> 20) MiB read wholly at \(rate) MB/s,",
            "worst \(figures.worst.perMegabyte / 1_000_000) ms per MB (\(figures.worst.name))")
        return figures.slow + figures.beyond == 0 ? 0 : 1
    }
}
