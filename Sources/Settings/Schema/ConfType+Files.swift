internal import Toml

extension ConfType where Value == String {
    /// A directory that the program makes when it is not there.
    static var directory: ConfType {
        .string("the path of a directory", show: { $0 }) { text, context in
            let path = context.absolute(text)
            if let facts = context.files.facts(of: path), facts.isRegularFile {
                return .failure(Complaints("\(path) is a file, not a directory"))
            }
            return .success(path)
        }
    }

    /// A file that must be there; it is no secret.
    static var file: ConfType {
        .string("the path of a file", show: { $0 }) { text, context in
            FileChecks.present(context.absolute(text), context).map(\.path)
        }
    }
}

extension ConfType where Value == SecretFile {
    /// A file with a secret of at least so many bytes; refused when others than its owner and group may touch it.
    static func secret(minimumBytes: Int = 1) -> ConfType {
        .string("the path of a file with a secret, not world-readable", show: \.path) { text, context in
            FileChecks.present(context.absolute(text), context).flatMap { path, facts in
                guard facts.mode & 0o007 == 0 else {
                    return .failure(
                        Complaints("\(path) is open to everybody (mode \(FileChecks.octal(facts.mode)))", "run: chmod o-rwx \(path)"))
                }
                guard facts.size >= minimumBytes else {
                    let what = facts.size == 0 ? "empty" : "only \(facts.size) bytes long"
                    return .failure(Complaints("\(path) is \(what)", minimumBytes > 1 ? "a key takes at least \(minimumBytes) bytes" : nil))
                }
                return .success(SecretFile(path: path))
            }
        }
    }
}

enum FileChecks {
    static func present(_ path: String, _ context: ReadingContext) -> Result<(path: String, facts: FileFacts), Complaints> {
        guard let facts = context.files.facts(of: path) else { return .failure(Complaints("\(path) does not exist")) }
        guard facts.isRegularFile else { return .failure(Complaints("\(path) is not a file")) }
        guard facts.isReadable else {
            return .failure(Complaints("\(path) is not readable for this user", "give its group the right to read it"))
        }
        return .success((path, facts))
    }

    static func octal(_ mode: Int) -> String { "0" + String(mode & 0o777, radix: 8) }
}
