import Foundation
import Outreach

/// A file that is read more than once, piece by piece: what comes from standard input is put on the disk first.
struct SheetFile {
    /// As the person named it.
    let name: String
    private let handle: FileHandle
    /// What the whole of it says of its encoding, where it is no UTF-16 and has no mark.
    private let narrow: SheetEncoding

    private static let pieceBytes = 1 << 18

    /// - Throws: `badInput` when it cannot be read.
    init(_ path: String) throws(Failure) {
        name = path
        if path.utf8.elementsEqual("-".utf8) {
            handle = try Self.spooled()
            narrow = try Self.evidence(of: handle, path)
            return
        }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure(.badInput, "\(path): cannot be read; does it exist, and may you read it?")
        }
        self.handle = handle
        // A pipe is read once only.
        guard (try? handle.seek(toOffset: 0)) != nil else {
            throw Failure(.badInput, "\(path): is no file that can be read twice; hand it over as standard input with -")
        }
        narrow = try Self.evidence(of: handle, path)
    }

    private static func spooled() throws(Failure) -> FileHandle {
        let path = FileManager.default.temporaryDirectory.path + "/postrider-\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forUpdatingAtPath: path)
        else { throw Failure(.tryAgain, "\(path): cannot be made; is there room in the folder for temporary files?") }
        try? FileManager.default.removeItem(atPath: path)
        do {
            while let piece = try FileHandle.standardInput.read(upToCount: pieceBytes), !piece.isEmpty {
                try handle.write(contentsOf: piece)
            }
        } catch {
            throw Failure(.tryAgain, "-: cannot be kept: \(error.localizedDescription)")
        }
        return handle
    }

    /// Rows from the start of the file on.
    func rows(encoding: SheetEncoding?, delimiter: UInt8?) throws(Failure) -> Rows {
        do { try handle.seek(toOffset: 0) } catch { throw Failure(.badInput, "\(name): cannot be read anew") }
        return Rows(
            file: self, decoder: SheetDecoder(encoding: encoding, otherwise: narrow), reader: CSVReader(delimiter: delimiter))
    }

    private static func evidence(of handle: FileHandle, _ name: String) throws(Failure) -> SheetEncoding {
        var evidence = SheetEvidence()
        do {
            try handle.seek(toOffset: 0)
            while let piece = try handle.read(upToCount: pieceBytes), !piece.isEmpty { evidence.add(Array(piece)[...]) }
        } catch {
            throw Failure(.badInput, "\(name): cannot be read to its end")
        }
        return evidence.encoding
    }

    /// The rows of a file in its order; memory holds a piece of them.
    struct Rows {
        fileprivate let file: SheetFile
        fileprivate var decoder: SheetDecoder
        fileprivate var reader: CSVReader
        private var ready: ArraySlice<CSVReader.Row> = []
        private var isAtEnd = false

        fileprivate init(file: SheetFile, decoder: SheetDecoder, reader: CSVReader) {
            self.file = file
            self.decoder = decoder
            self.reader = reader
        }

        /// What the bytes so far are in; nil while they are ASCII.
        var encoding: SheetEncoding? { decoder.encoding }

        /// - Throws: `badInput` with the line of what is wrong.
        mutating func next() throws(Failure) -> CSVReader.Row? {
            while ready.isEmpty {
                guard !isAtEnd else { return nil }
                let piece: Data
                do { piece = try file.handle.read(upToCount: SheetFile.pieceBytes) ?? Data() } catch {
                    throw Failure(.badInput, "\(file.name): cannot be read to its end")
                }
                do throws(CSVFault) {
                    if piece.isEmpty {
                        isAtEnd = true
                        ready = try reader.read(decoder.finish()[...])[...] + reader.finish()
                    } else {
                        ready = try reader.read(decoder.decode(Array(piece)[...])[...])[...]
                    }
                } catch {
                    throw Failure(.badInput, "\(file.name):\(error)")
                }
            }
            return ready.popFirst()
        }
    }
}
