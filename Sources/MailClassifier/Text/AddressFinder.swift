import InternetMessage

/// Email addresses in running text.
enum AddressFinder {
    /// Addresses of one text that are kept.
    static let limit = 50

    /// Where addresses stand in `bytes`, in order, brackets and punctuation around them left out.
    static func addresses(in bytes: ArraySlice<UInt8>) -> [(address: EmailAddress, range: Range<Int>)] {
        var found: [(EmailAddress, Range<Int>)] = []
        var i = bytes.startIndex
        while found.count < limit, let at = bytes[i...].firstIndex(of: 0x40) {
            var low = at
            // Beside letters of the West other scripts are the text around: 「请联系ann@example.com」.
            let isWestern = at > i && bytes[at - 1] < 0x80
            while low > i, isLocal(bytes[low - 1]), !isWestern || !endsEastern(bytes[i..<low]) { low -= 1 }
            // "SMTP=ann@example.com" of old gateways.
            if let equals = bytes[low..<at].firstIndex(of: 0x3D), [4, 6].contains(equals - low), bytes[low..<equals].allSatisfy(\.isLetter),
                bytes[low] | 0x20 == 0x73 || bytes[low] | 0x20 == 0x72
            {
                low = equals + 1
            }
            while low < at, bytes[low] == 0x2E || bytes[low] == 0x27 || bytes[low] == 0x2F || bytes[low] == 0x3D { low += 1 }
            var high = at + 1
            let isWesternDomain = high < bytes.endIndex && bytes[high] < 0x80
            while high < bytes.endIndex, isDomain(bytes[high]), !isWesternDomain || bytes[high] < 0xE2 { high += 1 }
            while high > at + 1, bytes[high - 1] == 0x2E || bytes[high - 1] == 0x2D { high -= 1 }
            if low < at, high > at + 1, at - low <= 64, let address = EmailAddress(parsing: bytes[low..<high]) {
                found.append((address, low..<high))
            }
            i = max(high, at + 1)
        }
        return found
    }

    /// Whether a character from U+2000 on stands at the end: general punctuation, and all scripts that are written without spaces.
    private static func endsEastern(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let last = bytes.last, last & 0xC0 == 0x80 else { return false }
        return bytes.suffix(4).last { $0 >= 0xC0 }.map { $0 >= 0xE2 } ?? false
    }

    /// An address that somebody may write to: with a domain of several names, and no part of a link.
    private static func isWritable(_ address: EmailAddress) -> Bool {
        address.domainBytes.contains(0x2E) && !address.localPartBytes.contains { $0 == 0x2F || $0 == 0x3F }
    }

    /// The addresses as mailboxes, with the name right before an address in brackets; each address once.
    static func mailboxes(in text: String) -> [Mailbox] {
        let bytes = Array(text.utf8)
        var seen = Set<String>()
        var mailboxes: [Mailbox] = []
        for (address, range) in addresses(in: bytes[...]) where isWritable(address) && seen.insert(address.suppressionKey).inserted {
            mailboxes.append(Mailbox(displayName: name(before: range.lowerBound, in: bytes), address: address))
        }
        return mailboxes
    }

    /// Up to three capitalised words right before the address.
    private static func name(before end: Int, in bytes: [UInt8]) -> String? {
        var high = end
        while high > 0, [0x20, 0x0A, 0x28, 0x3C, 0x3A, 0x2C, 0x5B].contains(bytes[high - 1]) { high -= 1 }
        var low = high
        var words = 0
        while low > 0, words < 3 {
            var start = low
            while start > 0, isName(bytes[start - 1]) { start -= 1 }
            guard start < low, bytes[start] &- 0x41 < 26 || bytes[start] == 0xC3 || bytes[start] == 0xC5 else { break }
            low = start
            words += 1
            guard low > 0, bytes[low - 1] == 0x20 else { break }
            low -= 1
        }
        while low < high, bytes[low] == 0x20 { low += 1 }
        return low < high ? String(decoding: bytes[low..<high], as: UTF8.self) : nil
    }

    private static func isName(_ byte: UInt8) -> Bool { byte.isLetter || byte >= 0x80 || byte == 0x2D || byte == 0x27 }

    private static func isLocal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2E, 0x2D, 0x5F, 0x2B, 0x3D, 0x21, 0x23...0x27, 0x2A, 0x2F, 0x3F, 0x5E, 0x60,
            0x7B...0x7E:
            true
        default: byte >= 0x80
        }
    }

    private static func isDomain(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.isLetter || byte == 0x2E || byte == 0x2D || byte >= 0x80
    }
}
