/// The named character references of HTML 4 and the handful of HTML 5 that mail uses.
enum HTMLEntities {
    /// The character reference at `start` (which is an ampersand) and the index behind it; nil when none stands there.
    static func decode(_ bytes: ArraySlice<UInt8>, at start: Int) -> (scalar: Unicode.Scalar, end: Int)? {
        var i = start + 1
        guard i < bytes.endIndex else { return nil }
        if bytes[i] == 0x23 { return number(bytes, i + 1) }
        let nameStart = i
        while i < bytes.endIndex, i - nameStart < 10, bytes[i].isLetter || bytes[i].isDigit { i += 1 }
        let name = bytes[nameStart..<i]
        if i < bytes.endIndex, bytes[i] == ASCII.semicolon, let scalar = table[name.utf8Text] { return (scalar, i + 1) }
        // The old references are known without their semicolon too, as browsers have it.
        for bare in bareNames where name.starts(with: bare) {
            guard let scalar = table[bare.utf8Text] else { continue }
            return (scalar, nameStart + bare.count)
        }
        return nil
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ start: Int) -> (Unicode.Scalar, Int)? {
        var i = start
        let isHex = i < bytes.endIndex && bytes[i] | 0x20 == 0x78
        if isHex { i += 1 }
        let digits = i
        var value: UInt32 = 0
        while i < bytes.endIndex, let digit = isHex ? bytes[i].hexValue : bytes[i].isDigit ? bytes[i] - 0x30 : nil {
            value = min(0x11_0000, value * (isHex ? 16 : 10) + UInt32(digit))
            i += 1
        }
        guard i > digits else { return nil }
        if i < bytes.endIndex, bytes[i] == ASCII.semicolon { i += 1 }
        if (0x80...0x9F).contains(value) {
            return (Windows1252.decode([UInt8(value)]).unicodeScalars.first ?? "\u{FFFD}", i)
        }
        let scalar = value == 0 ? nil : Unicode.Scalar(value)
        return (scalar ?? "\u{FFFD}", i)
    }

    private static let bareNames = ["nbsp", "amp", "lt", "gt", "quot", "copy", "reg"].map { Array($0.utf8) }

    private static let table: [String: Unicode.Scalar] = {
        var table: [String: Unicode.Scalar] = [
            "quot": "\"", "amp": "&", "lt": "<", "gt": ">", "apos": "'", "AMP": "&", "LT": "<", "GT": ">", "QUOT": "\"",
            "OElig": "Œ", "oelig": "œ", "Scaron": "Š", "scaron": "š", "Yuml": "Ÿ", "fnof": "ƒ", "circ": "ˆ", "tilde": "˜",
            "ensp": "\u{2002}", "emsp": "\u{2003}", "thinsp": "\u{2009}", "zwnj": "\u{200C}", "zwj": "\u{200D}", "lrm": "\u{200E}",
            "rlm": "\u{200F}", "ndash": "–", "mdash": "—", "lsquo": "‘", "rsquo": "’", "sbquo": "‚", "ldquo": "“", "rdquo": "”",
            "bdquo": "„", "dagger": "†", "Dagger": "‡", "bull": "•", "hellip": "…", "permil": "‰", "prime": "′", "Prime": "″",
            "lsaquo": "‹", "rsaquo": "›", "oline": "‾", "frasl": "⁄", "euro": "€", "image": "ℑ", "weierp": "℘", "real": "ℜ",
            "trade": "™", "alefsym": "ℵ", "larr": "←", "uarr": "↑", "rarr": "→", "darr": "↓", "harr": "↔", "crarr": "↵", "lArr": "⇐",
            "uArr": "⇑", "rArr": "⇒", "dArr": "⇓", "hArr": "⇔", "forall": "∀", "part": "∂", "exist": "∃", "empty": "∅", "nabla": "∇",
            "isin": "∈", "notin": "∉", "ni": "∋", "prod": "∏", "sum": "∑", "minus": "−", "lowast": "∗", "radic": "√", "prop": "∝",
            "infin": "∞", "ang": "∠", "and": "∧", "or": "∨", "cap": "∩", "cup": "∪", "int": "∫", "there4": "∴", "sim": "∼",
            "cong": "≅", "asymp": "≈", "ne": "≠", "equiv": "≡", "le": "≤", "ge": "≥", "sub": "⊂", "sup": "⊃", "nsub": "⊄", "sube": "⊆",
            "supe": "⊇", "oplus": "⊕", "otimes": "⊗", "perp": "⊥", "sdot": "⋅", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊",
            "rfloor": "⌋", "loz": "◊", "spades": "♠", "clubs": "♣", "hearts": "♥", "diams": "♦", "thetasym": "ϑ", "upsih": "ϒ",
            "piv": "ϖ", "check": "✓", "star": "☆", "starf": "★", "phone": "☎", "zwsp": "\u{200B}", "ZeroWidthSpace": "\u{200B}",
            "comma": ",", "period": ".", "colon": ":", "semi": ";", "excl": "!", "quest": "?", "num": "#", "dollar": "$", "percnt": "%",
            "lpar": "(", "rpar": ")", "ast": "*", "plus": "+", "sol": "/", "equals": "=", "commat": "@", "lsqb": "[", "rsqb": "]",
            "lowbar": "_", "lcub": "{", "rcub": "}", "verbar": "|", "vert": "|", "Tab": "\t", "NewLine": "\n", "hyphen": "‐",
        ]
        // U+00A0 to U+00FF, in order.
        let latin = [
            "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy", "reg",
            "macr",
            "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12",
            "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc",
            "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
            "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring",
            "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve",
            "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
        ]
        for (i, name) in latin.enumerated() { table[name] = Unicode.Scalar(UInt8(0xA0 + i)) }
        // The Greek letters from U+0391 and U+03B1; U+03A2 is no letter, U+03C2 is the final sigma.
        let greek = [
            "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "omicron",
            "pi",
            "rho", "sigmaf", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
        ]
        for (i, name) in greek.enumerated() {
            table[name] = Unicode.Scalar(UInt16(0x3B1 + i))
            guard name != "sigmaf", var first = name.utf8.first else { continue }
            first &-= 0x20
            table[([first] + name.utf8.dropFirst()).utf8Text] = Unicode.Scalar(UInt16(0x391 + i))
        }
        return table
    }()
}
