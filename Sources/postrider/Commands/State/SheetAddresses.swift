import InternetMessage
import Outreach

/// The addresses that a sheet has named so far, by a hash of theirs: nothing is stored that they could be looked up in.
struct SheetAddresses {
    private var lines: [Int: Int32] = [:]

    /// Notes the addresses of a row; why it is no contact of its own, nil when it is one.
    mutating func note(_ address: EmailAddress, _ further: [EmailAddress], line: Int) -> ContactImport.Verdict? {
        if let first = lines[hash(address)] { return .duplicate(line: Int(first)) }
        for address in further {
            guard let first = lines[hash(address)] else { continue }
            return .refused("'\(address.text)' is an address of line \(first) already; it cannot be that of two")
        }
        for address in [address] + further { lines[hash(address)] = Int32(clamping: line) }
        return nil
    }

    private func hash(_ address: EmailAddress) -> Int {
        var hasher = Hasher()
        for byte in address.suppressionKey.utf8 { hasher.combine(byte) }
        return hasher.finalize()
    }
}
