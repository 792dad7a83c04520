/// How `datarowctl` ends; the numbers are an interface.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    /// `wait`: some rows could not be imported.
    case withErrors = 3
    /// `wait`: failed, rejected or cancelled.
    case failed = 4
    /// `wait`: not ended in the time given.
    case timedOut = 5
    /// `check`: files that rows name are not there.
    case missingMedia = 6
    /// `check --online`: the key, a dataset, the metadata or the account is not as it must be.
    case online = 7
    /// `rows delete`: nothing was deleted, since `--yes` was not given.
    case dryRun = 8
    // Those of sysexits.h:
    case usage = 64
    /// The ledger is damaged or of another version; or several rows have the name that was given.
    case data = 65
    /// What was named does not exist.
    case noInput = 66
    /// Labelbox cannot be reached, or is in trouble.
    case unavailable = 69
    /// A defect.
    case software = 70
    case io = 74
    /// It may be done later, or may have been done: a quota, or an answer that was lost.
    case temporary = 75
    /// Something answered that is not the API as it is known.
    case badAnswer = 76
    case noPermission = 77
    case configuration = 78
    /// As a shell has it for SIGINT.
    case interrupted = 130
}

/// Why a command did not do what was asked: what, why, and what to do.
public struct ControlError: Error, Sendable, Hashable, CustomStringConvertible {
    public var what: String
    public var why: String
    /// Begins with a verb.
    public var hint: String
    public var status: ExitStatus

    public init(_ what: String, why: String, hint: String, status: ExitStatus) {
        self.what = what
        self.why = why
        self.hint = hint
        self.status = status
    }

    /// One line for a terminal.
    public var description: String { [what, why, hint].filter { !$0.isEmpty }.joined(separator: ": ") }
}
