/// The scanner behind `AddressDiagnosis`: strict, one pass, comment depth counted.
struct AddressJudge {
    private typealias Finding = AddressDiagnosis.Finding

    private struct Fault: Error {
        var finding: AddressDiagnosis.Finding
    }

    /// What stood between two tokens.
    private struct Gap {
        var hasComment = false
        var hasSpace = false
        var isEmpty: Bool { !hasComment && !hasSpace }
    }

    private let bytes: [UInt8]
    private var i = 0
    private var found: [AddressDiagnosis.Finding] = []
    private var local: [UInt8] = []
    private var domain: [UInt8] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func findings() -> [AddressDiagnosis.Finding] {
        do throws(Fault) {
            guard UTF8Check.isValid(bytes[...]) else { throw Fault(finding: .badEncoding) }
            try readLocalPart()
            try readDomain()
            judgeLengths()
        } catch {
            note(error.finding)
        }
        return found
    }

    private mutating func note(_ finding: AddressDiagnosis.Finding) {
        if !found.contains(finding) { found.append(finding) }
    }

    private var byte: UInt8? { i < bytes.count ? bytes[i] : nil }

    // MARK: Local part

    private mutating func readLocalPart() throws(Fault) {
        note(try readGap(), comment: .comment, space: .folding)
        var words = 0
        var hasQuoted = false
        while true {
            switch byte {
            case ASCII.quote:
                try readQuoted()
                hasQuoted = true
            case let byte? where byte.isAtext:
                while let byte = self.byte, byte.isAtext {
                    local.append(byte)
                    i += 1
                }
            case ASCII.dot: throw Fault(finding: .emptyLabel)
            case ASCII.at where words == 0: throw Fault(finding: .noLocalPart)
            case ASCII.at: throw Fault(finding: .emptyLabel)
            case nil: throw Fault(finding: .noDomain)
            default: throw Fault(finding: .badCharacter)
            }
            words += 1
            let gap = try readGap()
            switch byte {
            case ASCII.at:
                note(gap, comment: .spaceNearAt, space: .spaceNearAt)
                i += 1
                if hasQuoted { note(words == 1 ? .quotedLocalPart : .obsoleteLocalPart) }
                if !local.isASCII { note(.internationalized) }
                return
            case ASCII.dot:
                note(gap, comment: .obsoleteFolding, space: .obsoleteFolding)
                local.append(ASCII.dot)
                i += 1
                note(try readGap(), comment: .obsoleteFolding, space: .obsoleteFolding)
            case nil: throw Fault(finding: .noDomain)
            default: throw Fault(finding: .badCharacter)
            }
        }
    }

    private mutating func readQuoted() throws(Fault) {
        local.append(ASCII.quote)
        i += 1
        while let byte {
            switch byte {
            case ASCII.quote:
                local.append(byte)
                i += 1
                return
            case ASCII.backslash: local += try readQuotedPair()
            case ASCII.cr:
                try readFold()
                note(.folding)
            case ASCII.lf, ASCII.nul: throw Fault(finding: byte == ASCII.lf ? .badLineEnd : .badCharacter)
            default:
                if byte.isControl, byte != ASCII.tab { note(.obsoleteControl) }
                local.append(byte)
                i += 1
            }
        }
        throw Fault(finding: .unclosed)
    }

    private mutating func readQuotedPair() throws(Fault) -> [UInt8] {
        guard i + 1 < bytes.count else { throw Fault(finding: .unclosed) }
        let escaped = bytes[i + 1]
        if escaped.isControl, escaped != ASCII.tab { note(.obsoleteQuotedPair) }
        i += 2
        return [ASCII.backslash, escaped]
    }

    // MARK: Domain

    private mutating func readDomain() throws(Fault) {
        note(try readGap(), comment: .spaceNearAt, space: .spaceNearAt)
        if byte == ASCII.openBracket {
            try readLiteral()
        } else {
            try readLabels()
        }
        note(try readGap(), comment: .comment, space: .folding)
        guard byte == nil else { throw Fault(finding: .badCharacter) }
    }

    private mutating func readLabels() throws(Fault) {
        var labels: [ArraySlice<UInt8>] = []
        while true {
            let start = i
            while let byte = self.byte, byte.isAtext { i += 1 }
            guard i > start else {
                guard let byte else { throw Fault(finding: labels.isEmpty ? .noDomain : .emptyLabel) }
                throw Fault(finding: byte == ASCII.dot ? .emptyLabel : .badCharacter)
            }
            let label = bytes[start..<i]
            guard label.first != ASCII.hyphen, label.last != ASCII.hyphen else { throw Fault(finding: .hyphenAtEnd) }
            labels.append(label)
            domain += label
            let end = i
            let gap = try readGap()
            guard byte == ASCII.dot else {
                // What stands behind the last label is no part of the domain.
                i = end
                break
            }
            note(gap, comment: .obsoleteFolding, space: .obsoleteFolding)
            domain.append(ASCII.dot)
            i += 1
            note(try readGap(), comment: .obsoleteFolding, space: .obsoleteFolding)
        }
        if labels.contains(where: { $0.count > 63 }) {
            note(.labelTooLong)
        } else if domain.isASCII, labels.contains(where: { $0.contains { !$0.isLetter && !$0.isDigit && $0 != ASCII.hyphen } }) {
            note(.notHostName)
        } else if domain.count <= AddressSyntax.longestDomain, DomainName.toASCII(domain.utf8Text) == nil {
            throw Fault(finding: .badDomain)
        }
        if labels.count == 1 { note(.singleLabel) }
        if labels.last?.allSatisfy(\.isDigit) == true { note(.numericTopLevel) }
    }

    private mutating func readLiteral() throws(Fault) {
        var isPlain = true
        domain.append(ASCII.openBracket)
        i += 1
        while let byte {
            switch byte {
            case ASCII.closeBracket:
                domain.append(byte)
                i += 1
                note(isPlain ? Self.kind(ofLiteral: domain[1..<(domain.count - 1)]) : .otherLiteral)
                return
            case ASCII.openBracket, ASCII.nul: throw Fault(finding: .badCharacter)
            case ASCII.lf: throw Fault(finding: .badLineEnd)
            case ASCII.cr:
                try readFold()
                note(.folding)
            case ASCII.backslash:
                isPlain = false
                domain += try readQuotedPair()
            default:
                if byte.isControl || byte.isBlank { isPlain = false }
                if byte.isControl, byte != ASCII.tab { note(.obsoleteControl) }
                domain.append(byte)
                i += 1
            }
        }
        throw Fault(finding: .unclosed)
    }

    private static func kind(ofLiteral inner: ArraySlice<UInt8>) -> AddressDiagnosis.Finding {
        guard AddressSyntax.isAddress(literal: Array(inner)) else { return .otherLiteral }
        // RFC 5321 §4.1.3: "::" stands for two groups at least.
        let groups = inner.split(separator: ASCII.colon).dropFirst()
        let slots = inner.contains(ASCII.dot) ? groups.count + 1 : groups.count
        return inner[...].index(of: [ASCII.colon, ASCII.colon], from: inner.startIndex) != nil && slots == 7
            ? .shortenedOneGroup : .addressLiteral
    }

    // MARK: Lengths

    private mutating func judgeLengths() {
        if local.count > AddressSyntax.longestLocalPart { note(.localPartTooLong) }
        if domain.count > AddressSyntax.longestDomain {
            note(.domainTooLong)
        } else if local.count + 1 + domain.count > AddressSyntax.longestAddress {
            note(.tooLong)
        }
    }

    // MARK: White space and comments

    private mutating func note(_ gap: Gap, comment: AddressDiagnosis.Finding, space: AddressDiagnosis.Finding) {
        if gap.hasComment { note(comment) }
        if gap.hasSpace { note(space) }
    }

    private mutating func readGap() throws(Fault) -> Gap {
        var gap = Gap()
        var folds = 0
        while let byte {
            switch byte {
            case ASCII.space, ASCII.tab:
                gap.hasSpace = true
                i += 1
            case ASCII.cr:
                try readFold()
                gap.hasSpace = true
                folds += 1
                if folds > 1 { note(.obsoleteFolding) }
            case ASCII.openParen:
                try readComment()
                gap.hasComment = true
                folds = 0
            default: return gap
            }
        }
        return gap
    }

    /// CRLF and the white space that makes it a fold.
    private mutating func readFold() throws(Fault) {
        guard i + 2 < bytes.count, bytes[i + 1] == ASCII.lf, bytes[i + 2].isBlank else { throw Fault(finding: .badLineEnd) }
        i += 2
    }

    private mutating func readComment() throws(Fault) {
        var depth = 0
        while let byte {
            switch byte {
            case ASCII.openParen:
                depth += 1
                i += 1
            case ASCII.closeParen:
                depth -= 1
                i += 1
                if depth == 0 { return }
            case ASCII.backslash: _ = try readQuotedPair()
            case ASCII.cr: try readFold()
            case ASCII.lf: throw Fault(finding: .badLineEnd)
            case ASCII.nul: throw Fault(finding: .badCharacter)
            default:
                if byte.isControl, byte != ASCII.tab { note(.obsoleteControl) }
                i += 1
            }
        }
        throw Fault(finding: .unclosed)
    }
}
