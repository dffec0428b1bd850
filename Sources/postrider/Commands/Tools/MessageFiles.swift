import ArgumentParser
import Foundation

/// The messages that a command looks at: files, and `-` for standard input.
struct MessageFiles: ParsableArguments {
    @Argument(help: ArgumentHelp("Files with one message each; - is standard input.", valueName: "file"))
    var files: [String]

    /// Hands over each file's name and bytes in order. One that cannot be read gives a line on standard error, the others still go through,
    /// and the command ends with 65.
    func each(_ body: (String, [UInt8]) -> Void) throws {
        var unreadable = 0
        for file in files {
            do throws(Failure) {
                let bytes = file.utf8.elementsEqual("-".utf8) ? try Input.standard() : try Input.file(file)
                body(file, bytes)
            } catch {
                Console.error(error.message)
                unreadable += 1
            }
        }
        if unreadable > 0 { throw ExitStatus.badInput.code }
    }
}

/// Bytes that come in.
enum Input {
    static func standard() throws(Failure) -> [UInt8] {
        do {
            return Array(try FileHandle.standardInput.readToEnd() ?? Data())
        } catch {
            throw Failure(.badInput, "-: standard input cannot be read")
        }
    }

    static func file(_ path: String) throws(Failure) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            var isFolder: ObjCBool = false
            let why =
                FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
                ? isFolder.boolValue ? "it is a folder" : "check that this user may read it" : "there is no such file"
            throw Failure(.badInput, "\(TerminalText.line(path)): cannot be read: \(why)")
        }
    }

    /// A password or key file, without the line end that editors leave. One that everybody may read is used with a warning: these tools
    /// have no conf in which it would have been refused.
    static func secret(_ path: String) throws(Failure) -> [UInt8] {
        var bytes = try file(path)
        let mode = (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? 0
        if mode & 0o006 != 0 { Console.error("\(path): warning: every user of this machine may read it; run: chmod o-rwx \(path)") }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }

    /// The message with CRLF for each LF, CR or CRLF: what mail is on the wire, whatever the file was.
    static func normalised(_ message: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(message.count + message.count / 32)
        var afterReturn = false
        for byte in message {
            switch byte {
            case UInt8(ascii: "\r"): output += [13, 10]
            case UInt8(ascii: "\n"): if !afterReturn { output += [13, 10] }
            default: output.append(byte)
            }
            afterReturn = byte == UInt8(ascii: "\r")
        }
        return output
    }
}
