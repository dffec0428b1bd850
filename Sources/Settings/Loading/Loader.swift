internal import Toml

extension Settings {
    /// Reads a main conf file and `conf.d/*.conf` beside it (in the order of their names' bytes), and checks everything.
    ///
    /// A key that is set twice is a fault unless the later table says `override = true`. On failure all faults of all
    /// files are given at once, sorted by file and line; only a file with a syntax error stops at its first fault.
    /// Relative paths in the conf start at the folder of the main file.
    package static func load(_ path: String, files: any ConfFiles = LocalFiles()) -> Result<Settings, SettingsError> {
        var loader = Loader(files: files, main: path)
        return loader.load()
    }
}

/// One reading of the conf.
struct Loader {
    private let files: any ConfFiles
    private let main: String
    private let context: ReadingContext
    private var names: [String] = []
    /// Nil for a file that could not be read or parsed.
    private var documents: [TomlDocument?] = []
    private var sections: [MergedSection] = []
    private var faults: [(document: Int, fault: Fault)] = []

    init(files: any ConfFiles, main: String) {
        self.files = files
        self.main = main
        let folder = Array(main.utf8).lastIndex(of: UInt8(ascii: "/")).map { String(decoding: Array(main.utf8)[..<$0], as: UTF8.self) }
        self.context = ReadingContext(files: files, directory: folder.map { $0.isEmpty ? "/" : $0 } ?? ".")
    }

    mutating func load() -> Result<Settings, SettingsError> {
        let folder = "\(context.directory)/conf.d"
        let more = files.names(in: folder).filter {
            $0.utf8.first != UInt8(ascii: ".") && Array($0.utf8).suffix(5).elementsEqual(".conf".utf8)
        }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        names = [main] + more.map { "\(folder)/\($0)" }
        for (number, name) in names.enumerated() { documents.append(parse(name, number)) }
        for (number, document) in documents.enumerated() {
            if let document { collect(document.root, at: [], document, number) }
        }
        var settings = Settings()
        settings.files = names
        var broken: Set<String> = []
        read(into: &settings, broken: &broken)
        if settings.routes.isEmpty, !settings.identities.isEmpty, !sections.contains(where: { $0.path.first == "route" }) {
            settings.routes = [.implied]
        }
        settings.origins = origins()
        var relations = Relations(settings: settings, broken: broken, isComplete: !documents.contains { $0 == nil })
        relations.check()
        for (path, key, message, remedy) in relations.findings {
            let (document, line) = place(of: path, key: key)
            add(document, line, message, remedy)
        }
        guard faults.isEmpty else {
            let sorted = faults.enumerated().sorted {
                ($0.element.document, $0.element.fault.line, $0.offset) < ($1.element.document, $1.element.fault.line, $1.offset)
            }
            var error = SettingsError(faults: sorted.map(\.element.fault))
            if documents.contains(where: { $0 == nil }) {
                if !(files is MainAlone) { error.mainAlone = mainOfBrokenFiles() }
            } else if !broken.contains("main") {
                var alone = Settings()
                alone.files = names
                alone.main = settings.main
                error.mainAlone = alone
            }
            return .failure(error)
        }
        return .success(settings)
    }

    /// `[main]` where a file has a syntax error in another section; nil when that section cannot be relied on.
    private func mainOfBrokenFiles() -> Settings? {
        var second = Loader(files: MainAlone(files: files), main: main)
        switch second.load() {
        case .success(var settings):
            settings.files = names
            return settings
        case .failure(let error): return error.mainAlone
        }
    }

    private mutating func add(_ document: Int, _ line: Int, _ message: String, _ remedy: String?) {
        faults.append((document, Fault(file: names[document], line: line, message: message, remedy: remedy)))
    }

    private mutating func parse(_ name: String, _ number: Int) -> TomlDocument? {
        switch files.contents(of: name) {
        case .failure(let trouble):
            add(number, 1, "cannot be read: \(trouble.reason)", number == 0 ? "name the conf file with --conf" : nil)
            return nil
        case .success(let bytes):
            do {
                return try TomlDocument(parsing: bytes, file: name)
            } catch {
                add(number, error.line, error.message, nil)
                return nil
            }
        }
    }

    // MARK: Putting the files together

    private mutating func collect(_ table: TomlTable, at path: [String], _ document: TomlDocument, _ number: Int) {
        let kind = SectionKind.all.first { $0.matches(path) }
        let known =
            (kind?.keys.map(\.name) ?? [])
            + SectionKind.all.filter { $0.isBelow(path) && $0.path.count > path.count }.map { $0.path[path.count] }
        let mayOverride = kind != nil && table["override"] == .bool(true)
        if kind != nil, !path.isEmpty, !sections.contains(where: { Self.same($0.path, path) }) {
            sections.append(MergedSection(path: path, document: number))
        }
        for entry in table.entries {
            let inner = path + [entry.key]
            let line = document.line(near: inner.map { .key($0) })
            if let kind, kind.keys.contains(where: { $0.name.utf8.elementsEqual(entry.key.utf8) }) {
                set(entry, in: path, number, line, mayOverride: mayOverride)
            } else if kind != nil, entry.key.utf8.elementsEqual("override".utf8) {
                if case .bool = entry.value {} else { add(number, line, "override: expected true or false, not \(entry.value.kind)", nil) }
            } else if SectionKind.all.contains(where: { $0.matches(inner) || $0.isBelow(inner) }) {
                if case .table(let innerTable) = entry.value {
                    collect(innerTable, at: inner, document, number)
                } else {
                    misplaced(entry, at: path, number, line)
                }
            } else {
                unknown(entry, at: path, known: known, number, line)
            }
        }
    }

    private mutating func set(_ entry: TomlTable.Entry, in path: [String], _ number: Int, _ line: Int, mayOverride: Bool) {
        let place = sections.firstIndex { Self.same($0.path, path) } ?? sections.endIndex
        if place == sections.endIndex { sections.append(MergedSection(path: path, document: number)) }
        let key = MergedSection.Key(name: entry.key, value: entry.value, document: number)
        guard let old = sections[place].keys.firstIndex(where: { $0.name.utf8.elementsEqual(entry.key.utf8) }) else {
            sections[place].keys.append(key)
            return
        }
        guard mayOverride else {
            let first = sections[place].keys[old].document
            let firstLine = documents[first]?.line(near: (path + [entry.key]).map { .key($0) }) ?? 1
            add(
                number, line, "'\(entry.key)' in \(sections[place].title) is already set at \(names[first]):\(firstLine)",
                "remove one of them, or write override = true in this table")
            return
        }
        sections[place].keys[old] = key
    }

    private mutating func misplaced(_ entry: TomlTable.Entry, at path: [String], _ number: Int, _ line: Int) {
        let below = SectionKind.all.filter { $0.isBelow(path) || $0.matches(path + [entry.key]) }
        let header = below.first { $0.path.count >= path.count && Self.same(Array($0.path.prefix(path.count)), path) }?.header
        let title =
            path.isEmpty
            ? "'\(UnknownKey.printable(entry.key))' is a section, not a key" : "[\(TomlText.path(path))] holds sections, not keys"
        add(number, line, title, path.isEmpty ? "write [\(TomlText.path([entry.key]))]" : header.map { "write [\($0)]" })
    }

    private mutating func unknown(_ entry: TomlTable.Entry, at path: [String], known: [String], _ number: Int, _ line: Int) {
        if case .table = entry.value {
            let headers = SectionKind.all.filter { !$0.path.isEmpty }
            let nearest = Suggestion.nearest(to: entry.key, among: known)
            let meant = nearest.map { near in
                headers.first { Self.same(Array($0.path.prefix(path.count + 1)), path + [near]) }?.header ?? near
            }
            let remedy = meant.map { "did you mean [\($0)]?" } ?? "`postrider conf -d` lists the sections"
            add(number, line, "unknown section [\(UnknownKey.printable(TomlText.path(path + [entry.key])))]", remedy)
        } else {
            let title = path.isEmpty ? nil : TomlText.path(path)
            var complaint = UnknownKey.complaint(entry.key, in: title, known: known)
            if path.isEmpty {
                complaint.message = "unknown key '\(UnknownKey.printable(entry.key))' before the first section"
                if let home = SectionKind.all.first(where: {
                    !$0.path.isEmpty && $0.keys.contains { $0.name.utf8.elementsEqual(entry.key.utf8) }
                }) {
                    complaint.remedy = "it belongs in [\(home.header)]"
                }
            }
            add(number, line, complaint.message, complaint.remedy)
        }
    }

    // MARK: Reading the sections

    private mutating func read(into settings: inout Settings, broken: inout Set<String>) {
        for kind in SectionKind.all {
            var found = sections.filter { kind.matches($0.path) }
            // After a syntax error the missing part may be behind it.
            if found.isEmpty, kind.isAlwaysThere, !documents.contains(where: { $0 == nil }) {
                found = [MergedSection(path: kind.path, document: 0)]
            }
            for section in found {
                if kind.placeholder != nil, let name = section.path.last { check(name, of: kind, section) }
                for (key, complaint) in kind.read(section, &settings, context) {
                    broken.insert(TomlText.path(section.path))
                    let number = section.keys.first { $0.name.utf8.elementsEqual(key.utf8) }?.document ?? section.document
                    var path = section.path.map { TomlStep.key($0) }
                    if !key.isEmpty { path.append(.key(key)) }
                    if let inner = complaint.key { path.append(.key(inner)) }
                    path += complaint.path.map { .index($0) }
                    add(
                        number, documents[number]?.line(near: path) ?? 1, (key.isEmpty ? "" : "\(key): ") + complaint.message,
                        complaint.remedy)
                }
            }
        }
    }

    private mutating func check(_ name: String, of kind: SectionKind, _ section: MergedSection) {
        let isDomain = kind.placeholder != "NAME"
        let isPolicy = kind.path == ["tls_policy"]
        if isPolicy, IPText.canonical(name) != nil { return }
        let isBelow = isPolicy && name.utf8.first == UInt8(ascii: ".")
        let bare = isBelow ? String(decoding: name.utf8.dropFirst(), as: UTF8.self) : name
        guard !(isDomain ? Names.isHostName(bare) : Names.isWord(name)) else { return }
        let line = documents[section.document]?.line(near: section.path.map { .key($0) }) ?? 1
        add(
            section.document, line, "'\(UnknownKey.printable(name))' is no \(isDomain ? "domain" : "name for a section")",
            isDomain ? "write [\(TomlText.path(kind.path)).\"example.com\"]" : "use letters, digits, '-', '_' and '.'")
    }

    // MARK: Places

    /// The file and line of a key, or of its section when the key is nil or not written.
    private func place(of path: [String], key: String?) -> (document: Int, line: Int) {
        guard let section = sections.first(where: { Self.same($0.path, path) }) else { return (0, 1) }
        let number = section.keys.first { $0.name.utf8.elementsEqual((key ?? "").utf8) }?.document ?? section.document
        return (number, documents[number]?.line(near: (path + (key.map { [$0] } ?? [])).map { .key($0) }) ?? 1)
    }

    private func origins() -> [String: Origin] {
        var origins: [String: Origin] = [:]
        for section in sections {
            let line = documents[section.document]?.line(near: section.path.map { .key($0) }) ?? 1
            if !section.path.isEmpty { origins[TomlText.path(section.path)] = Origin(file: names[section.document], line: line) }
            for key in section.keys {
                let path = section.path + [key.name]
                let line = documents[key.document]?.line(near: path.map { .key($0) }) ?? 1
                origins[TomlText.path(path)] = Origin(file: names[key.document], line: line)
            }
        }
        return origins
    }

    private static func same(_ a: [String], _ b: [String]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }
}
