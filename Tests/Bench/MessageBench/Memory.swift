import Foundation
import InternetMessage

/// The most memory that reading one message takes, the message itself included.
enum Memory {
    static func measure(file: String) throws -> String {
        let before = try residentKilobytes("VmRSS:")
        // From here on the peak counts anew (proc(5), clear_refs).
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        let bytes = try read(file)
        var totals = Parsing.Totals()
        Parsing.read(bytes, &totals)
        let decoded = try residentKilobytes("VmHWM:")
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
        let text = Message(parsing: bytes).text?.utf8.count ?? 0
        let read = try residentKilobytes("VmHWM:")
        return """
            {"bytes": \(bytes.count), "decodedPeak": \((decoded - before) * 1024), "textPeak": \((read - before) * 1024), "text": \(text), \
            "textBytes": \(totals.textBytes), "fileBytes": \(totals.fileBytes)}
            """
    }

    /// Reads a file without a second copy of it.
    private static func read(_ file: String) throws -> [UInt8] {
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
        guard let handle = fopen(file, "r") else { throw CocoaError(.fileReadNoSuchFile) }
        defer { fclose(handle) }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in count = fread(buffer.baseAddress, 1, size, handle) }
    }

    private static func residentKilobytes(_ key: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(key) }
        return line.flatMap { Int($0.split(separator: " ").dropLast().last?.trimmingCharacters(in: .whitespaces) ?? "") } ?? 0
    }
}
