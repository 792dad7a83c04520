/// Why the ledger could not do what was asked.
public enum LedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The item was taken over by another owner since it was leased; nothing was changed.
    case leaseLost(what: String)
    /// There is no such item.
    case unknown(what: String)
    /// The disk is full, read-only or fails; nothing was changed, and the same step may be tried again.
    case unavailable(path: String, why: String)
    /// The file is not a ledger, or is damaged.
    case corrupt(path: String, why: String)
    /// The file was written by a newer version.
    case newer(path: String, found: String)
    /// The statement itself was wrong: a defect of this program.
    case defect(path: String, why: String)

    /// What, where, why, and the way out.
    public var description: String {
        switch self {
        case .leaseLost(let what):
            "the lease on \(what) was lost to another owner; its work is left to them"
        case .unknown(let what):
            "the ledger knows no \(what)"
        case .unavailable(let path, let why):
            "the ledger \(path) cannot be written: \(why); work is paused and goes on by itself when this clears"
        case .corrupt(let path, let why):
            "the ledger \(path) is damaged: \(why); nothing is sent from it. `datarowctl doctor` tells more, and "
                + "`datarowctl ledger rebuild` makes a new one from it, from the folders and from the server"
        case .newer(let path, let found):
            "the ledger \(path) was written by a newer version (\(found)); install that version, "
                + "or restore the backup that it made before it migrated"
        case .defect(let path, let why):
            "the ledger \(path) refused a step: \(why)"
        }
    }
}
