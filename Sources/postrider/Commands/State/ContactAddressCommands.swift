import ArgumentParser
import InternetMessage
import Outreach

struct ContactsAddress: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "address", abstract: "Say which other addresses a contact has.",
        discussion: """
            Mail from another address of a contact is theirs, an import knows them by it, and who unsubscribes or is suppressed by hand with one \
            of their addresses is with all. Mail goes to the address of the contact alone, whatever becomes of it: one that does not exist any more \
            is suppressed, and nothing is sent to another in its place.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "The contact's email address.") var contact: String
    @Option(help: ArgumentHelp("Another address of theirs; may be given several times.", valueName: "address")) var add: [String] = []
    @Option(help: ArgumentHelp("One that is theirs no more; may be given several times.", valueName: "address")) var remove: [String] = []

    func validate() throws {
        if add.isEmpty, remove.isEmpty { throw ValidationError("say which addresses with --add and --remove") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let contact = try await state.contact(contact)
            let given = try add.map { text throws(Failure) in try state.address(text) }
            let taken = try remove.map { text throws(Failure) in try state.address(text) }
            for address in taken {
                guard try await state.store.remove(address, from: contact.id) else {
                    throw Failure(.badInput, "\(address.text) is no further address of \(contact.address.text)")
                }
                Console.out("\(address.text): removed")
            }
            for address in given { Console.out("\(address.text): \(try await add(address, to: contact, state))") }
        }
    }

    private func add(_ address: EmailAddress, to contact: Contact, _ state: OpenState) async throws -> String {
        switch try await state.store.add(address, to: contact.id, at: state.now()) {
        case .added(let isSuppressed): return isSuppressed ? "added; all addresses of the person are suppressed" : "added"
        case .known: return "known already"
        case .taken(let other):
            let owner = try await state.store.contact(id: other)?.address.text ?? other.description
            throw Failure(.badInput, "\(address.text) belongs to the contact \(owner); take it from there first")
        case .tooMany: throw Failure(.badInput, "\(contact.address.text) has no room for another address; remove one")
        case .noSuchContact: throw Failure(.badInput, "there is no contact \(contact.address.text) any more")
        }
    }
}
