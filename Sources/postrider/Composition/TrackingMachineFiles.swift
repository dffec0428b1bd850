import Embedded
import Foundation
import Outreach
import Settings

/// The programs that fetch by themselves: those of `[tracking] machines`, then those of the binary.
enum TrackingMachineFiles {
    /// Larger than any list that people write.
    private static let largest = 1 << 20

    /// - Throws: `Failure` naming file and line of what cannot be used.
    static func load(_ settings: Settings) throws(Failure) -> TrackingMachines {
        var files: [(name: String, bytes: [UInt8])] = []
        for path in settings.tracking.machines {
            guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= largest else {
                throw Failure(.configuration, "\(path): cannot be read, or is larger than 1 MiB")
            }
            files.append((path, [UInt8](data)))
        }
        if let own = EmbeddedFile.named("tracking/machines.toml") { files.append(("builtin:\(own.name)", own.bytes)) }
        do throws(TrackingMachines.Fault) {
            return try TrackingMachines(files: files)
        } catch {
            throw Failure(.configuration, error.description)
        }
    }
}
