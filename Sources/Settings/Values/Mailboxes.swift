/// A folder of an IMAP account, as conf names it.
package enum MailboxFolder: Sendable, Hashable, CustomStringConvertible {
    /// A use that servers mark folders with (RFC 6154).
    package enum Use: String, Sendable, CaseIterable { case all, archive, drafts, flagged, junk, sent, trash }

    /// By its name, as people write it.
    case named(String)
    /// The folder that the server marks with the use, whatever its name.
    case marked(Use)

    package var description: String {
        switch self {
        case .named(let name): name
        case .marked(let use): "\\\(use.rawValue.prefix(1).uppercased())\(use.rawValue.dropFirst())"
        }
    }
}

/// What reading leaves behind in a mailbox.
package enum MailboxAccess: Sendable, Hashable, CustomStringConvertible {
    /// Nothing is touched, no flag either.
    case examine
    /// A message that is stored is marked as read.
    case seen
    /// A message that is stored is moved to the folder.
    case move(String)

    package var description: String {
        switch self {
        case .examine: "examine"
        case .seen: "seen"
        case .move(let folder): "move:\(folder)"
        }
    }
}

extension ConfType where Value == MailboxFolder {
    static var folder: ConfType {
        .string("a folder name, or a use such as '\\Junk'", show: \.description) { text, _ in
            guard text.utf8.count <= 1000 else { return .failure(Complaints("longer than 1000 bytes")) }
            guard text.utf8.first == UInt8(ascii: "\\") else { return .success(.named(text)) }
            let known = MailboxFolder.Use.allCases.map { MailboxFolder.marked($0).description }
            guard let use = MailboxFolder.Use.allCases.first(where: { Names.equalFolded($0.rawValue, text.dropFirst()) }) else {
                return .failure(Complaints("'\(text)' is no use of a folder", "there are \(known.joined(separator: ", "))"))
            }
            return .success(.marked(use))
        }
    }
}

extension ConfType where Value == MailboxAccess {
    static var access: ConfType {
        .string("\"examine\", \"seen\" or \"move:Folder\"", show: \.description) { text, _ in
            let bytes = Array(text.utf8)
            if bytes.elementsEqual("examine".utf8) { return .success(.examine) }
            if bytes.elementsEqual("seen".utf8) { return .success(.seen) }
            let move = Array("move:".utf8)
            guard bytes.starts(with: move) else {
                return .failure(Complaints("unknown value '\(text)'", "write \"examine\", \"seen\" or \"move:Folder\""))
            }
            guard bytes.count > move.count, bytes.count <= 1000 else {
                return .failure(Complaints("'\(text)' names no folder", "write it as \"move:Outreach/Done\""))
            }
            return .success(.move(String(decoding: bytes[move.count...], as: UTF8.self)))
        }
    }
}

extension ConfType where Value == String {
    /// A network in CIDR form, or one address.
    static var network: ConfType {
        .string("a network such as \"192.0.2.0/24\" or \"::1\"", show: { $0 }) { text, _ in
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
            let address = String(decoding: Array(parts[0]), as: UTF8.self)
            guard IPText.isAddress(address) else {
                return .failure(Complaints("'\(text)' is no network", "write it as \"192.0.2.0/24\""))
            }
            guard parts.count == 2 else { return .success(text) }
            let longest = IPText.isVersion6(address) ? 128 : 32
            guard (1...3).contains(parts[1].count), parts[1].allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int(String(decoding: Array(parts[1]), as: UTF8.self)), length <= longest
            else { return .failure(Complaints("'\(text)' has no prefix length from 0 to \(longest)", "write it as \"192.0.2.0/24\"")) }
            return .success(text)
        }
    }
}
