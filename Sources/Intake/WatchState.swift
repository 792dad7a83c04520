public import FoundationEssentials

/// How a drop folder is watched now.
public enum WatchState: Hashable, Sendable, CustomStringConvertible {
    case starting
    /// By events, and a scan at intervals.
    case watching
    /// By scans alone; the text says why.
    case polling(String)
    /// The folder cannot be reached; it is tried again at each rescan.
    case missing(String)
    /// Files are found, but later than they could be, or not all of them.
    case degraded(String)

    public var description: String {
        switch self {
        case .starting: "starting"
        case .watching: "watching"
        case .polling(let why): "polling: \(why)"
        case .missing(let why): "missing: \(why)"
        case .degraded(let why): "degraded: \(why)"
        }
    }
}

/// What a drop folder has done since it started, for metrics.
public struct WatchStatistics: Hashable, Sendable {
    /// Scans of everything that ended.
    public var scans = 0
    /// Names seen by the last of them.
    public var entriesOfLastScan = 0
    public var lastScanEnded: Date?
    /// How often hints were lost, each time answered by a scan.
    public var overflows = 0
    public var hints = 0
    public var watchedFolders = 0
    /// What the last scan could not read, at most the first.
    public var lastProblem: String?

    public init() {}
}
