internal import GRDB

extension SQLiteLedger {
    /// Tells by SQLite's result code what a failure means for the daemon.
    static func ledgerError(_ error: any Error, path: String) -> LedgerError {
        switch error as? LedgerError {
        case .defect("", let why)?: return .defect(path: path, why: why)
        case .corrupt("", let why)?: return .corrupt(path: path, why: why)
        case let error?: return error
        case nil: break
        }
        guard let error = error as? DatabaseError else { return .defect(path: path, why: "\(error)") }
        let why = "\(error.message ?? error.resultCode.description) (SQLite \(error.extendedResultCode.rawValue))"
        switch error.extendedResultCode {
        case .SQLITE_IOERR_DATA: return .corrupt(path: path, why: PageSums.lastDamage)
        case .SQLITE_IOERR_SHORT_READ: return .corrupt(path: path, why: "a file of it is shorter than it was")
        default: break
        }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            return .corrupt(path: path, why: why)
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_BUSY, .SQLITE_LOCKED,
            .SQLITE_NOMEM, .SQLITE_PERM, .SQLITE_AUTH:
            return .unavailable(path: path, why: why)
        default:
            return .defect(path: path, why: why)
        }
    }
}
