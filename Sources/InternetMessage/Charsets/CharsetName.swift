/// The charsets that are read, and the names mail gives them.
///
/// Only names listed here reach iconv: a name from a message could otherwise choose any conversion module.
enum CharsetName {
    enum Kind: Equatable {
        case utf8
        case ascii
        /// iso-8859-1 and windows-1252, which mail does not keep apart.
        case western
        /// iconv's own name for it; ASCII bytes mean ASCII in it.
        case iconv(String)
        /// iconv's own name for a charset in which ASCII bytes may mean something else.
        case wide(String)
        case iso2022JP
        case utf7
        case hz
    }

    /// Whether the charset of this name of iconv's has characters of two bytes and more.
    static func isMultibyte(_ name: String) -> Bool {
        ["GB18030", "BIG5-HKSCS", "EUC-TW", "CP949", "CP932", "EUC-JP-MS"].contains { $0.utf8.elementsEqual(name.utf8) }
    }

    /// Nil for a name that is not known.
    static func kind(_ label: some Collection<UInt8>) -> Kind? {
        var name: [UInt8] = []
        for byte in label where byte.isLetter || byte.isDigit {
            name.append(byte.lowercased)
            if name.count > 32 { return nil }
        }
        return table[name.utf8Text]
    }

    // Keys are lower case with everything but letters and digits dropped.
    private static let table: [String: Kind] = {
        var table: [String: Kind] = [:]
        func add(_ kind: Kind, _ names: String...) {
            for name in names { table[name] = kind }
        }
        add(.utf8, "utf8", "unicode11utf8", "utf8mac", "xutf8", "cp65001", "utf", "uft8", "utf8n", "utf08", "utf88")
        add(.ascii, "usascii", "ascii", "ansix341968", "iso646us", "us", "7bit", "8bit", "unknown8bit", "unknown", "default", "xunknown")
        add(
            .western, "iso88591", "windows1252", "cp1252", "latin1", "l1", "iso885911987", "ibm819", "cp819", "xansi", "ansi", "win1252",
            "xcp1252", "8859", "88591", "iso8859")
        for part in [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16] {
            add(.iconv("ISO-8859-\(part)"), "iso8859\(part)", "8859\(part)")
        }
        add(.iconv("ISO-8859-8"), "iso88598i", "iso88598e", "visual", "logical")
        add(.iconv("ISO-8859-6"), "iso88596i", "iso88596e")
        add(.iconv("ISO-8859-2"), "latin2")
        add(.iconv("ISO-8859-9"), "latin5")
        add(.iconv("ISO-8859-15"), "latin9")
        for page in [1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258] {
            add(.iconv("CP\(page)"), "windows\(page)", "cp\(page)", "win\(page)", "xcp\(page)")
        }
        for page in [437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874] {
            add(.iconv("CP\(page)"), "cp\(page)", "ibm\(page)", "windows\(page)", "pc\(page)", "dos\(page)")
        }
        add(.iconv("TIS-620"), "tis620", "iso885911")
        add(.iconv("KOI8-R"), "koi8r", "koi8", "cskoi8r")
        add(.iconv("KOI8-U"), "koi8u", "koi8ru")
        add(.iconv("MACINTOSH"), "macintosh", "mac", "macroman", "xmacroman", "xmacwestern")
        add(.iconv("MAC-CYRILLIC"), "xmaccyrillic", "maccyrillic")
        add(
            .iconv("GB18030"), "gb2312", "gbk", "gb18030", "cp936", "ms936", "windows936", "euccn", "xeuccn", "gb231280", "csgb2312", "xgbk"
        )
        add(.iconv("GB18030"), "isoir58", "chinese")
        add(.iconv("BIG5-HKSCS"), "big5", "big5hkscs", "cp950", "cnbig5", "xxbig5", "csbig5", "windows950", "ms950")
        add(.iconv("EUC-TW"), "euctw", "xeuctw")
        add(.iconv("CP949"), "euckr", "ksc56011987", "ksc5601", "ksc56011989", "korean", "cp949", "windows949", "ms949", "cseuckr", "uhc")
        add(.wide("ISO-2022-KR"), "iso2022kr")
        add(.iconv("CP932"), "shiftjis", "sjis", "xsjis", "cp932", "windows31j", "ms932", "mskanji", "csshiftjis")
        add(.iconv("EUC-JP-MS"), "eucjp", "xeucjp", "eucjpms", "ujis")
        add(
            .iso2022JP, "iso2022jp", "iso2022jp1", "iso2022jp2", "iso2022jp3", "iso2022jpms", "cp50220", "cp50221", "cp50222", "jis",
            "csiso2022jp", "iso2022jp2004", "isoir87")
        add(.wide("ISO-2022-CN-EXT"), "iso2022cn", "iso2022cnext")
        add(.utf7, "utf7", "unicode11utf7", "xunicode20utf7", "csunicode11utf7")
        add(.wide("UTF-16"), "utf16", "unicode", "ucs2", "iso10646ucs2")
        add(.wide("UTF-16LE"), "utf16le")
        add(.wide("UTF-16BE"), "utf16be")
        add(.wide("UTF-32"), "utf32", "ucs4", "iso10646ucs4")
        add(.wide("UTF-32LE"), "utf32le")
        add(.wide("UTF-32BE"), "utf32be")
        add(.hz, "hz", "hzgb2312")
        add(.iconv("TCVN5712-1"), "tcvn", "tcvn5712", "xviettcvn5712")
        add(.iconv("MAC-CENTRALEUROPE"), "xmacce", "macce", "maccentraleurope")
        add(.iconv("KOI8-T"), "koi8t")
        add(.iconv("VISCII"), "viscii", "xviscii")
        add(.iconv("ARMSCII-8"), "armscii8")
        add(.iconv("GEORGIAN-PS"), "georgianps")
        return table
    }()
}
