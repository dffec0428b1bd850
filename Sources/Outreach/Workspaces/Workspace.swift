/// A tenant of an installation as people know it.
package struct Workspace: Sendable, Hashable {
    package let id: WorkspaceID
    /// As a conf wrote it first; it never changes.
    package let name: String

    package init(id: WorkspaceID, name: String) {
        self.id = id
        self.name = name
    }
}

/// The workspaces of an installation, by name and by id.
package struct WorkspaceBook: Sendable, Equatable {
    /// In the order in which they were made.
    package let all: [Workspace]

    package init(_ all: [Workspace]) { self.all = all }

    /// nil when there is none of that name, byte for byte.
    package func workspace(named name: String) -> Workspace? { all.first { $0.name.utf8.elementsEqual(name.utf8) } }

    /// For a person; its number when it is in no book.
    package func name(of id: WorkspaceID) -> String { all.first { $0.id == id }?.name ?? "\(id.rawValue)" }

    /// Whether a person has to be told which one is meant.
    package var hasSeveral: Bool { all.count > 1 }

    /// `default, sales`.
    package var names: String { all.map(\.name).joined(separator: ", ") }
}

/// The workspaces there are. One method, one transaction.
package protocol WorkspaceStore: Sendable {
    func workspaces() async throws(StoreError) -> WorkspaceBook

    /// The same, once those of the names that there are not yet are made; a name keeps its id for ever.
    func workspaces(making names: [String]) async throws(StoreError) -> WorkspaceBook
}
