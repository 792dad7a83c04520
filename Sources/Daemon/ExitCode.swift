/// Why the daemon ended, for systemd and scripts.
public enum ExitCode: Int32, Sendable {
    /// It was told to stop.
    case stopped = 0
    /// The command line was wrong.
    case usage = 64
    /// The ledger is damaged, or from a newer version.
    case ledger = 65
    /// A defect of the program.
    case defect = 70
    /// A file, a folder or the network could not be used.
    case inputOutput = 74
    /// Something may not be done by this user.
    case permission = 77
    /// The configuration is wrong.
    case configuration = 78
}

/// Why the daemon could not start: what, where, why, and what to do.
public struct StartFailure: Error, Sendable, CustomStringConvertible {
    /// How the process ends.
    public let code: ExitCode
    /// For people.
    public let description: String

    /// Creates a failure.
    public init(_ code: ExitCode, _ description: String) {
        self.code = code
        self.description = description
    }
}
