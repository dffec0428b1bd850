extension Settings {
    /// Every value that differs from its default, as a conf file that would give these settings again.
    ///
    /// Values are in their normal form (`300s` shows as `5m`, paths are absolute). It holds no secret: conf only names
    /// the files that do.
    package func nonDefault() -> String {
        var blocks: [String] = []
        var written = self
        written.routes = writtenRoutes
        for kind in SectionKind.all {
            for shown in kind.shown(written) {
                let isOptional = !kind.isAlwaysThere
                guard !shown.pairs.isEmpty || isOptional else { continue }
                let header = shown.path.isEmpty ? [] : ["[\(TomlText.path(shown.path))]"]
                blocks.append((header + shown.pairs.map { "\($0.key) = \($0.text)" }).joined(separator: "\n"))
            }
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// Every section and key that exists, with its default, its form and what it is for.
    ///
    /// It is a conf file in which every key without a default is commented out, and every section that may be absent too.
    package static func defaults() -> String {
        SectionKind.all.map { kind in
            let mark = kind.isAlwaysThere ? "" : "# "
            var lines = ["# \(kind.doc)"]
            if !kind.path.isEmpty { lines.append("\(mark)[\(kind.header)]") }
            for key in kind.keys {
                lines.append("\(mark)# \(key.doc)")
                let form = "(\(key.form))"
                if let text = key.defaultText {
                    lines.append("\(mark)\(key.name) = \(text)  # \(form)")
                } else {
                    lines.append("\(mark.isEmpty ? "# " : mark)\(key.name) =  # \(key.isRequired ? "required " : "unset ")\(form)")
                }
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n\n") + "\n"
    }
}
