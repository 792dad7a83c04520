internal import Glibc
public import SystemPackage

/// The files that make up a ledger, for who puts another one in its place.
public enum LedgerFiles {
    /// The ledger, its log, the log's index and the mark; the mark is the last, since it keeps a daemon from starting.
    public static func all(of ledger: FilePath) -> [FilePath] {
        ["", "-wal", "-shm", "-mark"].map { FilePath(ledger.string + $0) }
    }

    /// Keeps every daemon from starting with this ledger until another mark takes this one's place.
    public static func bar(_ ledger: FilePath) throws(LedgerError) {
        let mark = try LedgerMark(besides: ledger.string)
        mark.write(LedgerMark.barred)
        mark.sync()
    }

    /// Whether a ledger is barred, since a rebuild of it was cut off.
    public static func isBarred(_ ledger: FilePath) -> Bool {
        LedgerMark.read(besides: ledger.string) == LedgerMark.barred
    }
}
