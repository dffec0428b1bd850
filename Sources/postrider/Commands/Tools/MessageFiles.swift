import ArgumentParser
import Foundation
import Synchronization

/// The messages that a command looks at: files, and `-` for standard input.
struct MessageFiles: ParsableArguments {
    @Argument(help: ArgumentHelp("Files with one message each; - is standard input.", valueName: "file"))
    var files: [String]

    /// Hands over each file's name and bytes in order. One that cannot be read gives a line on standard error, the others still go through,
    /// and the command ends with 65.
    func each(_ body: (String, [UInt8]) -> Void) throws {
        var unreadable = 0
        for file in files + FilesBeyond.names {
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

/// The names behind the first ones of a long list of files, which the parser of the command line is not shown.
///
/// It joins what it knows of each element of a list with what it knows of all before: for 3,000 files a third of the time went there.
enum FilesBeyond {
    /// Names that the parser is given.
    private static let parsed = 64
    private static let kept = Mutex<[String]>([])

    static var names: [String] { kept.withLock { $0 } }

    /// The arguments without the names that are taken out of the end of the line.
    static func taken(from arguments: [String]) -> [String] {
        func isOption(_ argument: String) -> Bool { argument.utf8.first == UInt8(ascii: "-") && argument.utf8.count > 1 }
        guard let command = arguments.first, ["classify", "parse"].contains(where: { command.utf8.elementsEqual($0.utf8) }),
            arguments.count > parsed, !["eval", "train"].contains(where: { arguments[1].utf8.elementsEqual($0.utf8) })
        else { return arguments }
        let first = (arguments.lastIndex(where: isOption) ?? 0) + 1
        guard arguments.count - first > parsed else { return arguments }
        kept.withLock { $0 = Array(arguments[(first + parsed)...]) }
        return Array(arguments[..<(first + parsed)])
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

    /// Standard input to its end; nil when the time is over before.
    static func standard(within deadline: CallDeadline) throws(Failure) -> [UInt8]? {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            var wait: CInt = -1
            if let left = deadline.left {
                wait = CInt(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
            }
            var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let ready = poll(&input, 1, wait)
            if ready == 0 || deadline.isOver { return nil }
            if ready < 0, errno != EINTR { throw Failure(.badInput, "-: standard input cannot be read") }
            guard ready > 0 else { continue }
            let count = read(STDIN_FILENO, &block, block.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += block[..<count]
            } else if errno != EINTR, errno != EAGAIN {
                throw Failure(.badInput, "-: standard input cannot be read")
            }
        }
    }

    /// Refuses what no mail may hold, with the line it stands in; `message` has CRLF line ends.
    static func refuseIllegal(_ message: [UInt8]) throws(Failure) {
        var number = 1
        var length = 0
        for byte in message {
            if byte == 0 { throw Failure(.badInput, "-:\(number): a NUL octet, which no mail may hold; encode the content as base64") }
            if byte == UInt8(ascii: "\n") {
                number += 1
                length = 0
            } else if byte != UInt8(ascii: "\r") {
                length += 1
                if length > 998 {
                    throw Failure(.badInput, "-:\(number): a line of more than 998 octets, which no mail may hold; encode or fold it")
                }
            }
        }
    }

    static func file(_ path: String) throws(Failure) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            if let bytes = opened(path) { return bytes }
            var isFolder: ObjCBool = false
            let why =
                FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
                ? isFolder.boolValue ? "it is a folder" : "check that this user may read it" : "there is no such file"
            throw Failure(.badInput, "\(TerminalText.line(path)): cannot be read: \(why)")
        }
    }

    /// What is no plain file, such as a device or a pipe, and a file whose name is no UTF-8; nil when it cannot be read so, either.
    private static func opened(_ path: String) -> [UInt8]? {
        // A String has U+FFFD for what is no UTF-8: the name as it was given is looked up.
        let given = CommandLine.unsafeArgv
        let raw = (0..<Int(CommandLine.argc)).lazy.compactMap { given[$0] }.first { String(cString: $0).utf8.elementsEqual(path.utf8) }
        let file = raw.map { open($0, O_RDONLY | O_CLOEXEC) } ?? open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        return (try? FileHandle(fileDescriptor: file, closeOnDealloc: true).readToEnd() ?? Data()).map(Array.init)
    }

    /// A password or key file, without the line end that editors leave. One that everybody may read is refused, as in a conf.
    static func secret(_ path: String) throws(Failure) -> [UInt8] {
        var bytes = try file(path)
        let mode = (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o006 == 0 else {
            let shown = TerminalText.line(path)
            throw Failure(.noPermission, "\(shown): every user of this machine may read it; run: chmod o-rwx \(shown)")
        }
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
