/// The scanner behind `TNEF`: attributes of the message and of its files, one after the other.
struct TNEFReader {
    private enum Attribute {
        static let messageClass: UInt32 = 0x0007_8008
        static let subject: UInt32 = 0x0001_8004
        static let body: UInt32 = 0x0002_800C
        static let messageProperties: UInt32 = 0x0006_9003
        static let codePage: UInt32 = 0x0006_9007
        static let fileBegins: UInt32 = 0x0006_9002
        static let fileName: UInt32 = 0x0001_8010
        static let fileContent: UInt32 = 0x0006_800F
        static let fileProperties: UInt32 = 0x0006_9005
    }

    private var reader: LittleEndianReader
    private let limits: Limits
    private var charset = "windows-1252"

    init?(_ bytes: ArraySlice<UInt8>, limits: Limits) {
        reader = LittleEndianReader(bytes)
        self.limits = limits
        guard reader.u32() == 0x223E_9F78, reader.u16() != nil else { return nil }
    }

    mutating func read(into tnef: inout TNEF) {
        while !reader.isAtEnd {
            guard reader.u8() != nil, let id = reader.u32(), let length = reader.u32() else { return tnef.isComplete = false }
            guard let content = reader.take(Int(length)) else {
                take(id, reader.rest(), &tnef)
                return tnef.isComplete = false
            }
            take(id, content, &tnef)
            if reader.u16() == nil { tnef.isComplete = false }
        }
    }

    private mutating func take(_ id: UInt32, _ content: ArraySlice<UInt8>, _ tnef: inout TNEF) {
        switch id {
        case Attribute.codePage:
            var number = LittleEndianReader(content)
            if let page = number.u32(), CharsetName.kind("cp\(page)".utf8) != nil { charset = "cp\(page)" }
        case Attribute.messageClass: tnef.messageClass = text(content)
        case Attribute.subject: tnef.subject = tnef.subject ?? text(content)
        case Attribute.body: tnef.body = tnef.body ?? lines(content)
        case Attribute.messageProperties: takeMessage(MAPIProperties(parsing: content), &tnef)
        case Attribute.fileBegins: begin(&tnef)
        case Attribute.fileName: edit(&tnef) { $0.name = $0.name ?? text(content) }
        case Attribute.fileContent: edit(&tnef) { $0.bytes = Array(content) }
        case Attribute.fileProperties: takeFile(MAPIProperties(parsing: content), &tnef)
        default: break
        }
    }

    private func begin(_ tnef: inout TNEF) {
        guard tnef.files.count < limits.parts else { return tnef.isComplete = false }
        tnef.files.append(TNEF.File())
    }

    private func edit(_ tnef: inout TNEF, _ change: (inout TNEF.File) -> Void) {
        if tnef.files.isEmpty { begin(&tnef) }
        guard !tnef.files.isEmpty else { return }
        change(&tnef.files[tnef.files.count - 1])
    }

    private func takeMessage(_ properties: MAPIProperties, _ tnef: inout TNEF) {
        if !properties.isComplete { tnef.isComplete = false }
        for property in properties.list {
            switch property.id {
            case 0x001A: tnef.messageClass = tnef.messageClass ?? text(property)
            case 0x0037: tnef.subject = text(property)
            case 0x1000: tnef.body = lines(property.bytes, isWide: property.isWide)
            case 0x1009: tnef.rtf = CompressedRTF.decode(property.bytes, limit: limits.decodedBytes)
            case 0x1013: tnef.html = lines(property.bytes, isWide: property.isWide)
            default: break
            }
        }
    }

    private func takeFile(_ properties: MAPIProperties, _ tnef: inout TNEF) {
        if !properties.isComplete { tnef.isComplete = false }
        edit(&tnef) { file in
            var hasLongName = false
            for property in properties.list {
                switch property.id {
                case 0x3707:
                    file.name = text(property) ?? file.name
                    hasLongName = true
                case 0x3704, 0x3001: if !hasLongName, file.name == nil { file.name = text(property) }
                case 0x370E: file.type = text(property).map { Array($0.utf8).asciiLowercased.utf8Text }
                case 0x3712: file.contentID = text(property).flatMap { MessageID.list(parsing: Array($0.utf8)[...]).first?.text ?? $0 }
                case 0x3701:
                    // An object begins with the identifier of its interface.
                    file.bytes = Array(property.type == 0x0D ? property.bytes.dropFirst(16) : property.bytes)
                default: break
                }
            }
        }
    }

    private func text(_ property: MAPIProperties.Property) -> String? { text(property.bytes, isWide: property.isWide) }

    /// Text up to its NUL, on one line; nil when it is empty.
    private func text(_ bytes: ArraySlice<UInt8>, isWide: Bool = false) -> String? {
        let text = decoded(bytes, isWide).map { $0.isControl ? ASCII.space : $0 }[...].trimmed
        return text.isEmpty ? nil : text.utf8Text
    }

    private func lines(_ bytes: ArraySlice<UInt8>, isWide: Bool = false) -> String? {
        var text = decoded(bytes, isWide)
        LineEnds.normalize(&text)
        return text.isEmpty ? nil : text.utf8Text
    }

    private func decoded(_ bytes: ArraySlice<UInt8>, _ isWide: Bool) -> [UInt8] {
        let text = Charset.decode(bytes, label: isWide ? "utf-16le" : charset)
        return Array(text.utf8.prefix { $0 != ASCII.nul })
    }
}
