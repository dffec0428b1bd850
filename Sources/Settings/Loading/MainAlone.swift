/// Conf files of which only the section `[main]` is read: for what must work although one of them has a syntax error elsewhere.
///
/// Lines of other sections are read as blank, so that lines keep their numbers. A file that is cut wrongly, because a text of several lines
/// looks like the head of a section, is no TOML or has `[main]` twice, and is refused like any other.
struct MainAlone: ConfFiles {
    let files: any ConfFiles

    func contents(of path: String) -> Result<[UInt8], FileTrouble> { files.contents(of: path).map(Self.main) }

    func names(in directory: String) -> [String] { files.names(in: directory) }

    func facts(of path: String) -> FileFacts? { files.facts(of: path) }

    private static func main(of bytes: [UInt8]) -> [UInt8] {
        var isMain = false
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { line -> ArraySlice<UInt8> in
            let text = line.drop { $0 == 32 || $0 == 9 }
            if text.first == UInt8(ascii: "[") {
                let head = text.prefix { $0 != UInt8(ascii: "#") && $0 != 13 }.filter { $0 != 32 && $0 != 9 }
                isMain = head.elementsEqual("[main]".utf8)
            }
            return isMain ? line : []
        }
        return Array(lines.joined(separator: [10]))
    }
}
