import GRDB
import Outreach

extension StoreError {
    /// What an error of the database means to those above the seam. Never names the values of a row.
    init(_ error: any Error) {
        if let error = error as? StoreError {
            self = error
        } else if let error = error as? DatabaseError {
            let what = error.message ?? "no message"
            self.init(code: Self.code(of: error), message: "database: \(what) (\(error.extendedResultCode.rawValue))")
        } else {
            self.init(code: .unusable, message: "database: \(error)")
        }
    }

    private static func code(of error: DatabaseError) -> Code {
        // The log's index finds no room to grow: nothing was written, and no synchronisation failed.
        if error.extendedResultCode == .SQLITE_IOERR_SHMSIZE { return .full }
        return switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
        case .SQLITE_FULL: .full
        case .SQLITE_IOERR: .io
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_SCHEMA: .unusable
        default: .constraint
        }
    }
}
