import Foundation
import InternetMessage
import MailClassifier
import Settings

/// The tone model of an installation: that of `[classify] model`, else that of the binary.
enum ToneModelFiles {
    /// nil when the conf names none.
    ///
    /// - Throws: `Failure` naming file and line of the conf, and what is wrong with the model.
    static func load(_ settings: Settings) throws(Failure) -> ToneModel? {
        guard let path = settings.classify.model else { return nil }
        do throws(Failure) {
            return try read(path)
        } catch {
            let place = settings.origin(of: ["classify", "model"]).map { "\($0.file):\($0.line): " } ?? ""
            throw Failure(.configuration, "\(place)model: \(error.message)")
        }
    }

    /// Reads no more than a model may have.
    ///
    /// - Throws: `Failure` naming the file and what is wrong with it.
    static func read(_ path: String) throws(Failure) -> ToneModel {
        let file = FileHandle(forReadingAtPath: path)
        defer { try? file?.close() }
        guard let data = try? file?.read(upToCount: ToneModel.largest + 1) else {
            throw Failure(.badInput, "\(TerminalText.line(path)): cannot be read; does it exist, and may you read it?")
        }
        do throws(RuleError) {
            return try ToneModel.read([UInt8](data), named: path)
        } catch {
            throw Failure(.badInput, "\(TerminalText.line(path)): \(error.message)")
        }
    }

    /// What is to be said of a model that can be used all the same; nil: nothing.
    static func note(_ model: ToneModel) -> String? {
        guard let origin = model.provenance, let builtin = try? ToneModel.builtin(),
            !origin.base.utf8.elementsEqual(builtin.fingerprint.utf8)
        else { return nil }
        return "the tone model learnt on \(origin.day.iso8601) from \(origin.labels) labels began with another built-in model; "
            + "'postrider classify train --from-inbox' learns it anew"
    }
}
