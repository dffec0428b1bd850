package import InternetMessage

/// What the columns of a sheet of contacts mean, and with it what its rows say.
package struct ContactColumns: Sendable {
    /// A contact as a row has it.
    package struct Draft: Sendable, Equatable {
        package let address: EmailAddress
        /// nil: the cell is empty, or there is no such column.
        package let name: String?
        package let timeZone: String?
        package let consent: Consent
        /// Cells that are not empty, by the name of their field.
        package let fields: [String: String]
        /// Tags and lists, each once.
        package let groups: [ContactGroup.Name]
        /// Each once, and none of them the address itself.
        package let furtherAddresses: [EmailAddress]
    }

    package enum Reading: Sendable, Equatable {
        case contact(Draft)
        /// Why the row cannot be taken.
        case refused(String)
    }

    /// Which column a person means by what: `E-Mail-Adresse=email`, `Firma=company`, `Notes=-`.
    package struct Choice: Sendable, Equatable {
        /// The title as it stands in the file.
        package let title: String
        /// `email`, `name`, `time_zone`, `tags`, `lists`, `consent_source`, `consent_date`, `further_addresses`, the name of a field, or `-` to
        /// leave the column out.
        package let meaning: String

        /// nil without a `=` or with nothing on one side of it.
        package init?(_ text: String) {
            let bytes = Array(text.utf8)
            guard let equals = bytes.lastIndex(of: UInt8(ascii: "=")), equals > 0, equals + 1 < bytes.count else { return nil }
            title = CSVCell.trimmed(String(decoding: bytes[..<equals], as: UTF8.self))
            meaning = CSVCell.trimmed(String(decoding: bytes[(equals + 1)...], as: UTF8.self))
        }
    }

    private enum Column: Sendable {
        case address
        case name
        case timeZone
        case field(String)
        /// Names of tags or lists, with `,` or `;` between them.
        case groups(ContactGroup.Kind)
        case consentSource
        case consentDate
        /// Addresses with `,`, `;` or blanks between them.
        case furtherAddresses
        /// A column without a name; it must be empty.
        case unnamed
        case ignored
    }

    /// Names that every message sets by itself.
    private static let reserved = ["sender_email", "sender_name", "unsubscribe_url"]
    /// What a file of refused rows has before the columns of its source.
    package static let refusalTitles = ["import_source", "import_reason"]
    private static let addressTitles: Set<String> = [
        "email", "e-mail", "e_mail", "address", "email_address", "e_mail_address", "emailaddress", "mail", "e-mail-adresse",
        "e-mail-address",
        "email-address", "emailadresse", "email-adresse", "work_email", "correo", "courriel", "adresse_e_mail",
    ]

    /// A column whose title cannot be the name of a field as it stands.
    package struct Renaming: Sendable, Equatable {
        package let title: String
        package let field: String
    }

    private let columns: [Column]
    private let now: Timestamp?
    /// Names of the template fields that the columns give, in the order of the file.
    package let fields: [String]
    /// In the order of the file.
    package let renamings: [Renaming]

    /// - Parameters:
    ///   - choices: what a person says; titles that none of them names mean what they say.
    ///   - now: a consent of a day to come is refused; nil: none is.
    /// - Throws: no column of addresses, one meaning twice, a choice that names no column.
    package init(header: CSVReader.Row, choices: [Choice] = [], now: Timestamp? = nil) throws(CSVFault) {
        func fault(_ message: String) -> CSVFault { CSVFault(line: header.line, message: message) }
        let titles = header.cells.map { CSVCell.trimmed(CSVCell.read(CSVCell.trimmed($0))) }
        for choice in choices where !titles.contains(where: { Self.isSame($0, choice.title) }) {
            let known = titles.filter { !$0.utf8.isEmpty }.joined(separator: ", ")
            throw fault("there is no column '\(choice.title)'; there are \(known)")
        }
        var columns: [Column] = []
        var renamings: [Renaming] = []
        var seen: Set<String> = []
        for (index, title) in titles.enumerated() {
            let choice = choices.first { Self.isSame($0.title, title) }
            let meaning = choice?.meaning ?? title
            guard let name = Self.fieldName(meaning) else {
                columns.append(.unnamed)
                continue
            }
            let key = Self.lowercased(name)
            if choice.map({ $0.meaning.utf8.elementsEqual("-".utf8) }) ?? Self.refusalTitles.contains(key) {
                columns.append(.ignored)
                continue
            }
            let (column, identity) = Self.part(key) ?? Self.part(Self.lowercased(meaning)) ?? (.field(name), name)
            guard seen.insert(identity).inserted else {
                throw fault("column \(index + 1) is '\(identity)' a second time; rename or remove one of them, or say which with --map")
            }
            if case .field = column, !name.utf8.elementsEqual(meaning.utf8) { renamings.append(Renaming(title: title, field: name)) }
            if Self.reserved.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
                throw fault("'\(key)' is set by every message itself; rename the column")
            }
            columns.append(column)
        }
        guard seen.contains("email") else {
            throw fault("no column 'email'; the first line must name the columns, for instance email,name,company")
        }
        self.columns = columns
        self.renamings = renamings
        self.now = now
        fields = columns.compactMap { if case .field(let name) = $0 { name } else { nil } }
    }

    /// What a title means that is no field, in lower case.
    private static func part(_ title: String) -> (column: Column, identity: String)? {
        if addressTitles.contains(title) { return (.address, "email") }
        switch title {
        case "name": return (.name, title)
        case "time_zone", "timezone": return (.timeZone, "time_zone")
        case "tags": return (.groups(.tag), title)
        case "lists": return (.groups(.list), title)
        default: break
        }
        switch String(decoding: title.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self) {
        case "consent_source", "opt_in_source", "optin_source": return (.consentSource, "consent_source")
        case "consent_date", "consent_at", "consented_at", "opt_in_date", "opt_in_time", "optin_date", "optin_time":
            return (.consentDate, "consent_date")
        case "further_addresses", "other_addresses", "further_emails", "other_emails": return (.furtherAddresses, "further_addresses")
        default: return nil
        }
    }

    /// The address as the row has it, for a verdict.
    package func written(_ row: CSVReader.Row) -> String {
        CSVCell.trimmed(zip(row.cells, columns).first { if case .address = $0.1 { true } else { false } }?.0 ?? "")
    }

    package func read(_ row: CSVReader.Row) -> Reading {
        if row.isDamaged { return .refused("bytes that are not UTF-8; say what the file is in with --encoding") }
        if row.cells.count > columns.count {
            return .refused("\(row.cells.count) cells under \(columns.count) columns; put quotes around a cell that holds the delimiter")
        }
        var address: EmailAddress?
        var name: String?
        var timeZone: String?
        var fields: [String: String] = [:]
        var groups: [ContactGroup.Name] = []
        var consent = Consent()
        var further: [EmailAddress] = []
        for (cell, column) in zip(row.cells, columns) {
            let value = CSVCell.read(CSVCell.trimmed(cell))
            switch column {
            case .address:
                guard !value.utf8.isEmpty else { return .refused("no address") }
                switch Self.readAddress(value) {
                case .address(let read): address = read
                case .refused(let why): return .refused(why)
                }
            case .name:
                if value.utf8.contains(where: { $0 < 32 || $0 == 127 }) { return .refused("a name is one line without control characters") }
                if !value.utf8.isEmpty { name = value }
            case .timeZone:
                guard !value.utf8.isEmpty else { continue }
                guard LocalZone(value) != nil else {
                    return .refused("'\(value)' is not a time zone; write for instance Europe/Berlin")
                }
                timeZone = value
            case .field(let field):
                if !value.utf8.isEmpty { fields[field] = value }
            case .groups(let kind):
                do throws(ContactGroup.Name.Fault) {
                    groups += try ContactGroup.Name.read(kind, cell: value)
                } catch {
                    return .refused(error.message)
                }
            case .consentSource:
                guard !value.utf8.isEmpty else { continue }
                if let fault = Consent.fault(ofSource: value) { return .refused(fault) }
                consent.source = value
            case .consentDate:
                guard !value.utf8.isEmpty else { continue }
                switch Consent.readDate(value, now: now) {
                case .moment(let moment): consent.at = moment
                case .wrong(let why): return .refused(why)
                }
            case .furtherAddresses:
                for piece in value.utf8.split(whereSeparator: Self.isBetweenAddresses) {
                    switch Self.readAddress(String(decoding: Array(piece), as: UTF8.self)) {
                    case .address(let read): further.append(read)
                    case .refused(let why): return .refused(why)
                    }
                }
            case .unnamed:
                if !value.utf8.isEmpty { return .refused("'\(value)' stands in a column without a name") }
            case .ignored: break
            }
        }
        guard let address else { return .refused("no address") }
        return .contact(
            Draft(
                address: address, name: name, timeZone: timeZone, consent: consent, fields: fields, groups: groups,
                furtherAddresses: further.isEmpty ? [] : Self.others(further, beside: address)))
    }

    private enum AddressReading {
        case address(EmailAddress)
        case refused(String)
    }

    private static func readAddress(_ value: String) -> AddressReading {
        guard let read = EmailAddress(value) else { return .refused("'\(value)' is not an email address\(hint(value))") }
        guard !read.isAddressLiteral, read.asciiDomain?.utf8.contains(UInt8(ascii: ".")) == true else {
            return .refused("'\(value)' has no domain that mail can be sent to")
        }
        guard read.suppressionKey.utf8.first != UInt8(ascii: "@") else {
            return .refused("'\(value)' begins with an @, which no mailbox of anybody does")
        }
        return .address(read)
    }

    private static func isBetweenAddresses(_ byte: UInt8) -> Bool {
        byte <= 32 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
    }

    private static func others(_ addresses: [EmailAddress], beside address: EmailAddress) -> [EmailAddress] {
        var seen = [Array(address.suppressionKey.utf8)]
        return addresses.filter { other in
            let key = Array(other.suppressionKey.utf8)
            guard !seen.contains(key) else { return false }
            seen.append(key)
            return true
        }
    }

    /// What is mostly wrong with an address that is none.
    private static func hint(_ value: String) -> String {
        let bytes = Array(value.utf8)
        if bytes.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") }),
            bytes.filter({ $0 == UInt8(ascii: "@") }).count > 1
        {
            return "; there is room for one address in a cell"
        }
        if bytes.contains(UInt8(ascii: "<")) { return "; leave the name and the angle brackets out" }
        return ""
    }

    /// The tag name for a column title: letters, digits, `-` and `_` stay; a title with anything else is lowered, has the plain letters for its
    /// Latin ones with marks, and gets `_` for the rest, but for one that names a part of a step (`OwnLetter`).
    private static func fieldName(_ title: String) -> String? {
        let bytes = Array(title.utf8)
        guard !bytes.isEmpty else { return nil }
        func isLegal(_ byte: UInt8) -> Bool {
            (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        if bytes.allSatisfy(isLegal) { return String(decoding: bytes.prefix(64), as: UTF8.self) }
        if bytes.count <= 140, OwnLetter.isFieldName(title, isName: { $0.allSatisfy(isLegal) }) { return title }
        var name: [UInt8] = []
        for letter in lowercased(title).unicodeScalars {
            if let byte = UInt8(exactly: letter.value), isLegal(byte) {
                name.append(byte)
            } else if let plain = PlainLetters.plain(letter) {
                name += plain.utf8
            } else if PlainLetters.isMark(letter), let last = name.last, last != UInt8(ascii: "_") {
                if letter == PlainLetters.dots, "aou".utf8.contains(last) { name.append(UInt8(ascii: "e")) }
            } else if name.last != UInt8(ascii: "_") {
                name.append(UInt8(ascii: "_"))
            }
        }
        return String(decoding: name.prefix(64), as: UTF8.self)
    }

    /// Whether a column of that title is no field.
    package static func isPart(_ title: String) -> Bool { part(lowercased(title)) != nil }

    /// Why no contact can have a field of that name; nil when one can.
    package static func fault(ofField name: String) -> String? {
        let key = lowercased(name)
        if part(key) != nil {
            return "'\(name)' is no field of a contact but a part of every one"
        }
        if reserved.contains(where: { isSame($0, key) }) { return "'\(name)' is set by every message itself" }
        guard let legal = fieldName(name), legal.utf8.elementsEqual(name.utf8) else {
            return "'\(name)' is no name of a field: letters, digits, - and _, at most 64 of them"
        }
        return nil
    }

    private static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isSame(_ one: String, _ other: String) -> Bool { lowercased(one).utf8.elementsEqual(lowercased(other).utf8) }
}
