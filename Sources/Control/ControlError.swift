/// How `datarowctl` ends; the numbers are an interface.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    /// `wait`: some rows could not be imported.
    case withErrors = 3
    /// `wait`: failed, rejected or cancelled.
    case failed = 4
    /// `wait`: not ended in the time given.
    case timedOut = 5
    // Those of sysexits.h:
    case usage = 64
    /// The ledger is damaged or of another version.
    case data = 65
    /// What was named does not exist.
    case noInput = 66
    /// A defect.
    case software = 70
    case io = 74
    case noPermission = 77
    case configuration = 78
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
