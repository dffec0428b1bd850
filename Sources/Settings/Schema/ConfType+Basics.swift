internal import Glibc
internal import Toml

extension ConfType where Value == Bool {
    static var flag: ConfType {
        ConfType(form: "true or false") { value, _ in
            guard case .bool(let flag) = value else { return .failure(Complaints("expected true or false, not \(value.kind)")) }
            return .success(flag)
        } show: {
            $0 ? "true" : "false"
        }
    }
}

extension ConfType where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ConfType {
        let form = "a number from \(range.lowerBound) to \(range.upperBound)"
        return ConfType(form: form) { value, _ in
            guard case .integer(let number) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            guard range.contains(number) else { return .failure(Complaints("\(number) is outside the bounds", "write \(form)")) }
            return .success(number)
        } show: {
            String($0)
        }
    }

    /// The permission bits of a socket, written in octal digits.
    static var socketMode: ConfType {
        .string("octal permissions such as \"0660\"", show: { "0" + String($0, radix: 8) }) { text, _ in
            guard (3...4).contains(text.utf8.count), let mode = Int(text, radix: 8), (0...0o777).contains(mode) else {
                return .failure(Complaints("'\(text)' is no permission mode", "write octal digits such as \"0660\""))
            }
            guard mode & 0o002 == 0 else {
                return .failure(Complaints("a socket that everybody may write to accepts mail from everybody", "use \"0660\""))
            }
            return .success(mode)
        }
    }
}

extension ConfType where Value == String {
    /// The name of a group of this machine.
    static var group: ConfType {
        .string("the name of a group", show: { $0 }) { text, _ in
            getgrnam(text) != nil
                ? .success(text) : .failure(Complaints("there is no group '\(text)' on this machine", "write one of those in /etc/group"))
        }
    }
}

extension ConfType where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> ConfType {
        let form = "a number from \(range.lowerBound) to \(range.upperBound)"
        return ConfType(form: form) { value, _ in
            let number: Double
            switch value {
            case .float(let float): number = float
            case .integer(let integer): number = Double(integer)
            default: return .failure(Complaints("expected \(form), not \(value.kind)"))
            }
            guard range.contains(number) else { return .failure(Complaints("\(number) is outside the bounds", "write \(form)")) }
            return .success(number)
        } show: {
            String($0)
        }
    }
}

extension ConfType where Value == String {
    /// One line of free text.
    static func line(_ form: String) -> ConfType {
        .string(form, show: { $0 }) { text, _ in
            text.utf8.count <= 1000 ? .success(text) : .failure(Complaints("longer than 1000 bytes"))
        }
    }

    /// Free text of any number of lines.
    static func text(_ form: String) -> ConfType {
        ConfType(form: form) { value, _ in
            guard case .string(let text) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            guard text.utf8.count <= 10_000 else { return .failure(Complaints("longer than 10000 bytes")) }
            guard !text.utf8.contains(where: { $0 < 0x20 && $0 != 0x0A && $0 != 0x09 && $0 != 0x0D || $0 == 0x7F }) else {
                return .failure(Complaints("control characters are not allowed here"))
            }
            return .success(text)
        } show: {
            TomlText.quoted($0)
        }
    }

    /// Free text that is set into mail as it is: template tags are not filled in there, so none may stand in it.
    static func mailText(_ form: String) -> ConfType {
        let text = text(form)
        return ConfType(form: form) { value, context in
            text.read(value, context).flatMap { Names.hasOpenTag($0) ? .failure(Complaints.openTag) : .success($0) }
        } show: {
            text.show($0)
        }
    }

    /// Such text, in which the link of a message that ends them all may stand.
    static var optOut: ConfType {
        let text = text("text")
        return ConfType(form: "text") { value, context in
            text.read(value, context).flatMap {
                Names.hasOpenTag($0.replacing(ComplianceSettings.wayOutTag, with: "")) ? .failure(Complaints.otherTag) : .success($0)
            }
        } show: {
            text.show($0)
        }
    }

    /// The name of a section of this conf; whether it exists is checked when all is read.
    static func name(of section: String) -> ConfType {
        .string("the NAME of a [\(section).NAME]", show: { $0 }) { text, _ in .success(text) }
    }

    /// A regular expression.
    static var pattern: ConfType {
        .string("a regular expression such as '.*@example\\.com'", show: { $0 }) { text, _ in
            guard text.utf8.count <= 1000, (try? Regex(text)) != nil else {
                return .failure(Complaints("'\(text)' is no regular expression", "write one such as '.*@example\\.com', in single quotes"))
            }
            return .success(text)
        }
    }

    /// A name that people choose: letters, digits, `-`, `_` and `.`.
    static func word(_ form: String) -> ConfType {
        .string(form, show: { $0 }) { text, _ in
            Names.isWord(text) ? .success(text) : .failure(Complaints("'\(text)' is not \(form)", "use letters, digits, '-', '_' and '.'"))
        }
    }
}

extension ConfType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: ConfType {
        let words = Value.allCases.map(\.rawValue)
        let form = words.map { "\"\($0)\"" }.joined(separator: " or ")
        return ConfType(form: form) { value, _ in
            guard case .string(let text) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            if let known = Value.allCases.first(where: { $0.rawValue.utf8.elementsEqual(text.utf8) }) { return .success(known) }
            let nearest = Suggestion.nearest(to: text, among: words)
            return .failure(Complaints("unknown value '\(text)'", nearest.map { "did you mean '\($0)'?" } ?? "write \(form)"))
        } show: {
            TomlText.quoted($0.rawValue)
        }
    }
}

extension ConfType {
    /// A list of values of one type; each element at fault is named at its own line.
    static func list<Element>(_ element: ConfType<Element>, count: ClosedRange<Int>) -> ConfType where Value == [Element] {
        ConfType(form: "a list, each \(element.form)") { value, context in
            guard case .array(let values) = value else {
                return .failure(Complaints("expected a list, not \(value.kind)", "put it in [ ]"))
            }
            guard count.contains(values.count) else {
                return .failure(
                    Complaints(
                        values.count < count.lowerBound
                            ? "this list needs at least \(count.lowerBound)" : "this list takes at most \(count.upperBound)"))
            }
            var complaints: [Complaint] = []
            var read: [Element] = []
            for (index, value) in values.enumerated() {
                switch element.read(value, context) {
                case .success(let element): read.append(element)
                case .failure(let faults):
                    complaints += faults.all.map { fault in
                        var fault = fault
                        fault.path.insert(index, at: 0)
                        return fault
                    }
                }
            }
            return complaints.isEmpty ? .success(read) : .failure(Complaints(complaints))
        } show: {
            "[" + $0.map(element.show).joined(separator: ", ") + "]"
        }
    }
}
