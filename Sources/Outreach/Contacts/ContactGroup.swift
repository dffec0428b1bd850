package import InternetMessage

/// What contacts of a workspace have in common because somebody said so: a tag, or a list.
package struct ContactGroup: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable, Codable {
        /// A word that says something of a contact; it is there when somebody first gives it.
        case tag
        /// People who belong together, with a description.
        case list
    }

    package let workspace: WorkspaceID
    package let name: Name
    /// For people; empty: nobody has written one.
    package var description: String
    package let createdAt: Timestamp

    package init(workspace: WorkspaceID, name: Name, description: String = "", createdAt: Timestamp) {
        self.workspace = workspace
        self.name = name
        self.description = description
        self.createdAt = createdAt
    }

    /// A tag or a list by its name; `VIP` and `vip` are one and the same.
    package struct Name: Sendable, Codable {
        package let kind: Kind
        /// As it was written.
        package let text: String

        /// What a name may not be, for a person.
        package struct Fault: Error, Sendable, Equatable {
            package let message: String
        }

        package static let longest = 64

        /// Blanks around it are taken off.
        ///
        /// - Throws: it is empty or long, or has a comma, a semicolon, a quote or a control character in it.
        package init(_ kind: Kind, _ text: String) throws(Fault) {
            let text = CSVCell.trimmed(text)
            let isPlain = text.utf8.allSatisfy { byte in
                byte >= 32 && byte != 127 && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ";") && byte != UInt8(ascii: "\"")
            }
            guard isPlain, (1...Self.longest).contains(text.utf8.count) else {
                throw Fault(
                    message:
                        "'\(text)' is no name of a \(kind.rawValue): it has 1 to \(Self.longest) bytes, and no comma, semicolon, quote or control character"
                )
            }
            self.kind = kind
            self.text = text
        }

        /// The names in one cell, with `,` or `;` between them; each once.
        package static func read(_ kind: Kind, cell: String) throws(Fault) -> [Name] {
            var names: [Name] = []
            for piece in cell.utf8.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") }) {
                let text = CSVCell.trimmed(String(decoding: Array(piece), as: UTF8.self))
                if text.utf8.isEmpty { continue }
                let name = try Name(kind, text)
                if !names.contains(name) { names.append(name) }
            }
            return names
        }

        /// By which it is looked up: ASCII letters in lower case.
        package var key: String { String(decoding: text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self) }
    }

    /// A group with how many contacts are in it.
    package struct Count: Sendable, Equatable {
        package let group: ContactGroup
        package let members: Int

        package init(group: ContactGroup, members: Int) {
            self.group = group
            self.members = members
        }
    }

    /// A contact that comes into a group, or leaves it.
    package struct Change: Sendable, Equatable {
        package let contact: Contact.ID
        package let name: Name
        package let isMember: Bool
        package let at: Timestamp

        package init(contact: Contact.ID, name: Name, isMember: Bool, at: Timestamp) {
            self.contact = contact
            self.name = name
            self.isMember = isMember
            self.at = at
        }
    }

    /// The groups of one contact.
    package struct Membership: Sendable, Equatable {
        package let contact: Contact.ID
        /// By kind and name, never empty.
        package let names: [Name]

        package init(contact: Contact.ID, names: [Name]) {
            self.contact = contact
            self.names = names
        }
    }
}

extension ContactGroup.Name: Hashable {
    package static func == (a: Self, b: Self) -> Bool { a.kind == b.kind && a.key.utf8.elementsEqual(b.key.utf8) }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        for byte in key.utf8 { hasher.combine(byte) }
    }
}

extension ContactGroup.Name: CustomStringConvertible {
    /// `tag hot`.
    package var description: String { "\(kind.rawValue) \(text)" }
}

extension [ContactGroup.Name] {
    /// The names of one kind.
    package func texts(_ kind: ContactGroup.Kind) -> [String] { filter { $0.kind == kind }.map(\.text) }
}
