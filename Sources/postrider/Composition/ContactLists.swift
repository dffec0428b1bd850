import Embedded
import Foundation
import InternetMessage
import Outreach
import Settings

extension Desks {
    /// The lists by which addresses are known: those of the conf, else those that the binary carries.
    static func addressLists(_ settings: Settings) throws(Failure) -> AddressLists {
        let contacts = settings.contacts
        return AddressLists(
            roles: try list(contacts.roleFile, else: "roles.txt"), freeMail: try list(contacts.freeMailFile, else: "free-mail.txt"),
            disposable: try list(contacts.disposableFile, else: "disposable.txt"))
    }

    /// Whose addresses are of one company.
    static func companies(_ settings: Settings) throws(Failure) -> CompanyBook {
        let freeMail = AddressLists(
            roles: [], freeMail: try list(settings.contacts.freeMailFile, else: "free-mail.txt"), disposable: [])
        return CompanyBook(lists: freeMail, shared: settings.contacts.sharedDomains.compactMap { DomainName.toASCII($0) })
    }

    private static func list(_ path: String?, else builtin: String) throws(Failure) -> [UInt8] {
        guard let path else { return try embedded("contacts/\(builtin)") }
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure(.configuration, "\(path): cannot be read") }
        return [UInt8](data)
    }

    /// What countries, phone numbers and domains say of time zones.
    static func zoneBook() throws(Failure) -> ZoneBook {
        ZoneBook(countries: try embedded("contacts/countries.txt"), phonePrefixes: try embedded("contacts/phone-zones.txt"))
    }

    /// A file that the binary carries.
    static func embedded(_ name: String) throws(Failure) -> [UInt8] {
        guard let file = EmbeddedFile.named(name) else {
            throw Failure(.internalError, "builtin:\(name): the binary does not carry this file; build it again")
        }
        return file.bytes
    }
}
