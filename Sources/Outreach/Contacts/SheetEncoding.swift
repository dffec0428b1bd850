/// How the bytes of a sheet stand for text.
package enum SheetEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    /// Latin-1 as well, of which it is the superset that programs mean.
    case windows1252 = "windows-1252"

    /// The encoding that a person names, in any case and under the names in use; nil for anything else.
    package init?(named name: String) {
        switch String(decoding: name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self) {
        case "utf-8", "utf8": self = .utf8
        case "utf-16le", "utf16le", "utf-16", "utf16", "unicode": self = .utf16LittleEndian
        case "utf-16be", "utf16be": self = .utf16BigEndian
        case "windows-1252", "cp1252", "ansi", "iso-8859-1", "latin1", "latin-1": self = .windows1252
        default: return nil
        }
    }
}
