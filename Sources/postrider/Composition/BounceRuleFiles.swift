import Foundation
import MailClassifier
import Settings

/// The bounce rules of an installation: those of `[bounce] rules`, then those of the binary.
enum BounceRuleFiles {
    /// Larger than any set of rules that people write.
    private static let largest = 4 << 20

    /// - Throws: `Failure` naming file and line of what cannot be used.
    static func load(_ settings: Settings) throws(Failure) -> BounceRules {
        var local: [(file: String, bytes: [UInt8])] = []
        for path in settings.bounce.rules {
            guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= largest else {
                throw Failure(.configuration, "\(path): cannot be read, or is larger than 4 MiB")
            }
            local.append((path, [UInt8](data)))
        }
        do throws(RuleError) {
            return try BounceRules(local: local)
        } catch {
            throw Failure(.configuration, error.description)
        }
    }
}
