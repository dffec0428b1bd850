/// The content lines of an iCalendar object (RFC 5545 §3.1), unfolded; what is no content line is passed over.
struct CalendarLines: Sequence {
    struct Line {
        var name: ArraySlice<UInt8>
        /// Everything between the name and the colon.
        var parameters: ArraySlice<UInt8>
        var value: ArraySlice<UInt8>

        /// The value with the escapes of RFC 5545 §3.3.11 undone, control characters but line ends dropped.
        var text: String {
            var output: [UInt8] = []
            var i = value.startIndex
            while i < value.endIndex {
                if value[i] == ASCII.backslash, i + 1 < value.endIndex {
                    i += 1
                    output.append(value[i] | 0x20 == 0x6E ? ASCII.lf : value[i])
                } else if !value[i].isControl {
                    output.append(value[i])
                }
                i += 1
            }
            return output.utf8Text
        }

        /// The value of a parameter without its quotes, nil when it is absent.
        func parameter(_ name: String) -> [UInt8]? {
            var i = parameters.startIndex
            while i < parameters.endIndex {
                let start = i
                var isQuoted = false
                while i < parameters.endIndex, isQuoted || parameters[i] != ASCII.semicolon {
                    if parameters[i] == ASCII.quote { isQuoted.toggle() }
                    i += 1
                }
                let pair = parameters[start..<i]
                i += 1
                guard let equals = pair.firstIndex(of: ASCII.equals), pair[..<equals].matches(name) else { continue }
                return pair[(equals + 1)...].filter { $0 != ASCII.quote && !$0.isControl }
            }
            return nil
        }
    }

    private let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    func makeIterator() -> AnyIterator<Line> {
        var i = bytes.startIndex
        return AnyIterator {
            while i < bytes.endIndex {
                guard let line = split(unfolded(&i)) else { continue }
                return line
            }
            return nil
        }
    }

    private func unfolded(_ i: inout Int) -> [UInt8] {
        var line: [UInt8] = []
        while i < bytes.endIndex {
            let start = i
            while i < bytes.endIndex, bytes[i] != ASCII.lf, bytes[i] != ASCII.cr { i += 1 }
            line += bytes[start..<i]
            if i < bytes.endIndex, bytes[i] == ASCII.cr { i += 1 }
            if i < bytes.endIndex, bytes[i] == ASCII.lf { i += 1 }
            guard i < bytes.endIndex, bytes[i].isBlank else { break }
            i += 1
        }
        return line
    }

    private func split(_ line: [UInt8]) -> Line? {
        var isQuoted = false
        var nameEnd: Int?
        for (i, byte) in line.enumerated() {
            if byte == ASCII.quote {
                isQuoted.toggle()
            } else if byte == ASCII.semicolon, nameEnd == nil {
                nameEnd = i
            } else if byte == ASCII.colon, !isQuoted {
                let end = nameEnd ?? i
                return Line(name: line[..<end], parameters: line[Swift.min(end + 1, i)..<i], value: line[(i + 1)...])
            }
        }
        return nil
    }
}
