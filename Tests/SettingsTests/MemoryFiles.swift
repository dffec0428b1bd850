import Foundation
import Settings

/// Files as a test wants them: a conf with its `conf.d`, and facts about whatever it names.
struct MemoryFiles: ConfFiles {
    var texts: [String: String]
    var known: [String: FileFacts] = [:]
    /// What stands at a path that nothing else says anything about; nil: nothing.
    var otherwise: FileFacts? = FileFacts()

    func contents(of path: String) -> Result<[UInt8], FileTrouble> {
        texts[path].map { .success(Array($0.utf8)) } ?? .failure(FileTrouble(reason: "there is no such file"))
    }

    func names(in directory: String) -> [String] {
        texts.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }.sorted(by: >)
    }

    func facts(of path: String) -> FileFacts? {
        path.hasPrefix("/var/lib/") || path.hasPrefix("/run/") ? known[path] : known[path] ?? otherwise
    }
}

/// A conf without faults that says as little as possible.
let smallest = "[main]\nmyhostname = \"out.example.com\"\n"

func load(_ text: String, more: [String: String] = [:], files: [String: String] = [:], facts: [String: FileFacts] = [:])
    -> Result<Settings, SettingsError>
{
    var texts = files
    texts["postrider.conf"] = text
    for (name, text) in more { texts["./conf.d/\(name)"] = text }
    return Settings.load("postrider.conf", files: MemoryFiles(texts: texts, known: facts))
}

func faults(_ text: String, more: [String: String] = [:], files: [String: String] = [:], facts: [String: FileFacts] = [:]) -> [String] {
    switch load(text, more: more, files: files, facts: facts) {
    case .success: []
    case .failure(let error): error.faults.map(\.description)
    }
}

/// A file of the conf folder at the root of the package.
func packageFile(_ path: String, from file: String = #filePath) throws -> String {
    let root = URL(fileURLWithPath: file).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
}
