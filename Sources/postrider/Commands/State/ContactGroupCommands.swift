import ArgumentParser
import InternetMessage
import Outreach

struct ContactsTag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Give contacts tags, and take them.",
        discussion: "A tag is a word of up to 64 bytes; upper and lower case are one and the same. It is there when it is first given.")

    @OptionGroup var conf: StateOption
    @OptionGroup var choice: ContactChoice
    @Option(help: ArgumentHelp("A tag that they get; may be given several times.", valueName: "name")) var add: [String] = []
    @Option(help: ArgumentHelp("A tag that they lose; may be given several times.", valueName: "name")) var remove: [String] = []
    @Flag(help: "One JSON object per contact.") var json = false

    func validate() throws {
        if add.isEmpty, remove.isEmpty { throw ValidationError("say which tags with --add and --remove") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let given = try GroupNames.read(.tag, add)
            let taken = try GroupNames.read(.tag, remove)
            if let both = given.first(where: taken.contains) { throw Failure(.usage, "'\(both.text)' is to be added and removed; say one") }
            let regrouping = Regrouping(state: state, joins: given, leaves: taken, json: json)
            try await choice.each(of: state, regrouping.change)
        }
    }
}

struct ContactsTags: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tags", abstract: "List the tags that contacts have.")

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per tag.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([.init("TAG"), .init("CONTACTS", number: true), .init("SINCE")])
            for one in try await state.store.groups(workspace: state.workspace, kind: .tag) {
                if json { JSONLine.write(state.json(one)) }
                table.add([one.group.name.text, one.members.description, one.group.createdAt.iso8601])
            }
            if !json { table.isEmpty ? Console.out("no tags") : table.write() }
        }
    }
}

struct ContactsLists: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lists", abstract: "Make lists of contacts and see which there are.",
        subcommands: [
            ContactsListsShow.self, ContactsListsCreate.self, ContactsListsAdd.self, ContactsListsRemove.self, ContactsListsDelete.self,
        ], defaultSubcommand: ContactsListsShow.self)
}

struct ContactsListsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the lists with how many contacts are on each.")

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per list.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([.init("LIST"), .init("CONTACTS", number: true), .init("SINCE"), .init("DESCRIPTION", limit: 80)])
            for one in try await state.store.groups(workspace: state.workspace, kind: .list) {
                if json { JSONLine.write(state.json(one)) }
                table.add([one.group.name.text, one.members.description, one.group.createdAt.iso8601, one.group.description])
            }
            if !json { table.isEmpty ? Console.out("no lists") : table.write() }
        }
    }
}

struct ContactsListsCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a list, or give one another description.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the list.") var name: String
    @Option(help: "What it is for.") var description: String?

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let name = try GroupNames.read(.list, name)
            let known = try await state.store.groups(workspace: state.workspace, kind: .list).contains { $0.group.name == name }
            if known, description == nil { return Console.out("\(TerminalText.line(name.text)): is there already") }
            let group = ContactGroup(workspace: state.workspace, name: name, description: description ?? "", createdAt: state.now())
            let isNew = try await state.store.define(group)
            Console.out("\(TerminalText.line(name.text)): \(isNew ? "created" : "described anew")")
        }
    }
}

struct ContactsListsAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Put contacts on a list, which is made where it is missing.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the list.") var name: String
    @OptionGroup var choice: ContactChoice
    @Flag(help: "One JSON object per contact.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let regrouping = Regrouping(state: state, joins: [try GroupNames.read(.list, name)], leaves: [], json: json)
            try await choice.each(of: state, regrouping.change)
        }
    }
}

struct ContactsListsRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take contacts off a list.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the list.") var name: String
    @OptionGroup var choice: ContactChoice
    @Flag(help: "One JSON object per contact.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let list = try GroupNames.read(.list, name)
            guard try await state.store.groups(workspace: state.workspace, kind: .list).contains(where: { $0.group.name == list }) else {
                throw Failure(.badInput, "there is no list '\(TerminalText.line(list.text))'; 'postrider contacts lists' shows them")
            }
            let regrouping = Regrouping(state: state, joins: [], leaves: [list], json: json)
            try await choice.each(of: state, regrouping.change)
        }
    }
}

struct ContactsListsDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a list; the contacts on it stay.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the list.") var name: String

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let name = try GroupNames.read(.list, name)
            guard let members = try await state.store.remove(name, workspace: state.workspace) else {
                throw Failure(.badInput, "there is no list '\(TerminalText.line(name.text))'; 'postrider contacts lists' shows them")
            }
            Console.out("\(TerminalText.line(name.text)): deleted, \(members) contacts were on it")
        }
    }
}

/// Names of tags and lists as a person gave them.
enum GroupNames {
    static func read(_ kind: ContactGroup.Kind, _ text: String) throws(Failure) -> ContactGroup.Name {
        do throws(ContactGroup.Name.Fault) {
            return try ContactGroup.Name(kind, text)
        } catch {
            throw Failure(.usage, TerminalText.line(error.message))
        }
    }

    /// Each once.
    static func read(_ kind: ContactGroup.Kind, _ texts: [String]) throws(Failure) -> [ContactGroup.Name] {
        var names: [ContactGroup.Name] = []
        for text in texts {
            let name = try read(kind, text)
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}

/// Brings contacts into tags and lists and takes them out.
struct Regrouping {
    let state: OpenState
    let joins: [ContactGroup.Name]
    let leaves: [ContactGroup.Name]
    let json: Bool

    func change(_ contacts: [Contact]) async throws {
        let now = state.now()
        let ways = joins.map { (name: $0, isMember: true) } + leaves.map { (name: $0, isMember: false) }
        let changes = contacts.flatMap { contact in
            ways.map { ContactGroup.Change(contact: contact.id, name: $0.name, isMember: $0.isMember, at: now) }
        }
        var verdicts = try await state.store.regroup(changes)[...]
        let groups = json ? try await state.store.groups(of: contacts.map(\.id)) : [:]
        for contact in contacts {
            let changed = zip(ways, verdicts.prefix(ways.count)).filter(\.1).map(\.0)
            verdicts = verdicts.dropFirst(ways.count)
            if json {
                let names = groups[contact.id] ?? []
                JSONLine.write([
                    "address": .string(contact.address.text), "changed": .bool(!changed.isEmpty), "tags": .texts(names.texts(.tag)),
                    "lists": .texts(names.texts(.list)),
                ])
                continue
            }
            let words = changed.map { $0.isMember ? "\($0.name)" : "no \($0.name)" }.joined(separator: ", ")
            Console.out(TerminalText.line("\(contact.address.text): \(words.utf8.isEmpty ? "nothing changed" : words)"))
        }
    }
}
