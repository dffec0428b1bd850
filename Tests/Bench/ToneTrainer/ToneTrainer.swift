import Foundation
import MailClassifier

/// Makes the tone model that the binary carries from the files of sentences: `ToneTrainer FOLDER MODEL`. Run by scripts/generate/tone-model.
@main
struct ToneTrainer {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            FileHandle.standardError.write(Data("usage: ToneTrainer FOLDER MODEL\n".utf8))
            exit(64)
        }
        let folder = URL(filePath: arguments[1])
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "txt" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
        let sources = try files.map { file in
            ToneExamples.Source(
                name: file.deletingPathExtension().lastPathComponent, text: String(decoding: try Data(contentsOf: file), as: UTF8.self))
        }
        let examples = try ToneExamples(sources, passes: 5).examples
        print("\(examples.count) examples of \(Set(examples.map(\.group)).count) sentences in \(sources.count) languages")
        var settings = ToneTraining.Settings()
        settings.rounds = 5
        let (model, report) = try ToneTraining(examples, settings: settings).model()
        print("right on sentences that were left out: \(report.right) of \(report.all)")
        for (tone, row) in zip(ToneClass.allCases, report.confusion) {
            print("  \(tone.name.padding(toLength: 14, withPad: " ", startingAt: 0)) \(row.map { String($0) }.joined(separator: " "))")
        }
        try Data(model.encoded).write(to: URL(filePath: arguments[2]))
    }
}
