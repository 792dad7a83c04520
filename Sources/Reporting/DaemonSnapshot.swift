public import Foundation
public import SystemPackage

/// A file in a drop folder that is not claimed yet.
public struct SettlingFile: Sendable, Hashable {
    /// Relative to the watched folder.
    public var path: FilePath
    public var bytes: Int64
    /// When it was first seen.
    public var since: Date
    /// Why it is not taken yet; a few words that follow a colon.
    public var reason: String
    public var nextLook: Date?
    /// Whether it is a manifest; other files have no status of their own.
    public var isManifest: Bool

    public init(path: FilePath, bytes: Int64, since: Date, reason: String, nextLook: Date?, isManifest: Bool) {
        self.path = path
        self.bytes = bytes
        self.since = since
        self.reason = reason
        self.nextLook = nextLook
        self.isManifest = isManifest
    }
}

/// How a drop folder is watched.
public enum WatchMode: String, Sendable, Hashable, CaseIterable {
    /// The kernel tells of changes; a scan now and then finds what it missed.
    case watching
    /// Scans alone.
    case polling
    /// The folder is not there, or must not be read.
    case missing
}

/// One drop folder at this moment, as those who watch it see it.
public struct WatchSnapshot: Sendable, Hashable {
    public var name: String
    public var path: FilePath
    public var mode: WatchMode
    /// Why it polls or is missing.
    public var reason: String?
    /// How many files are not claimed yet.
    public var settlingCount: Int
    /// The oldest of them; at most ``mostSettling`` are shown.
    public var settling: [SettlingFile]
    /// How long a manifest waits for its media, in seconds.
    public var mediaWait: TimeInterval
    /// How often the kernel lost events since the start.
    public var overflows: Int
    /// What holds up all that is to be sent of this watch, as a sentence without its full stop; nil when nothing does.
    public var obstacle: String?

    /// How many files that settle are listed by name for each watch.
    public static let mostSettling = 1000

    public init(
        name: String, path: FilePath, mode: WatchMode, reason: String? = nil, settlingCount: Int = 0,
        settling: [SettlingFile] = [], mediaWait: TimeInterval = 600, overflows: Int = 0, obstacle: String? = nil
    ) {
        self.name = name
        self.path = path
        self.mode = mode
        self.reason = reason
        self.settlingCount = settlingCount
        self.settling = settling
        self.mediaWait = mediaWait
        self.overflows = overflows
        self.obstacle = obstacle
    }
}

/// What the daemon as a whole is at.
public enum DaemonState: String, Sendable, Hashable, CaseIterable {
    case starting
    case running
    /// An operator stopped it from taking up work.
    case paused
    /// The account refuses it: nothing goes on until someone acts.
    case blocked
    /// It works, but not as it should.
    case degraded
    /// It is about to stop.
    case draining
}

/// What stands outside the ledger, at one moment: the other half of ``DaemonReport``.
public struct DaemonSnapshot: Sendable, Hashable {
    /// The account's rate budget.
    public struct Budget: Sendable, Hashable {
        public var requestsPerMinute: Int
        /// Requests made in the last 60 seconds.
        public var used: Int
        /// Until when the server asked for quiet.
        public var pausedUntil: Date?

        public init(requestsPerMinute: Int, used: Int = 0, pausedUntil: Date? = nil) {
            self.requestsPerMinute = requestsPerMinute
            self.used = used
            self.pausedUntil = pausedUntil
        }
    }

    /// Requests under way.
    public struct Concurrency: Sendable, Hashable {
        public var inFlight: Int
        /// As many as are allowed now.
        public var limit: Int
        /// As many as may ever be allowed.
        public var maximum: Int

        public init(inFlight: Int = 0, limit: Int, maximum: Int) {
            self.inFlight = inFlight
            self.limit = limit
            self.maximum = maximum
        }
    }

    /// What keeps a server in trouble from being hammered.
    public struct Breaker: Sendable, Hashable {
        public enum State: String, Sendable, Hashable, CaseIterable {
            case closed, open
            case halfOpen = "half_open"
        }

        public var state: State
        /// When the server is probed next.
        public var nextProbe: Date?

        public init(state: State = .closed, nextProbe: Date? = nil) {
            self.state = state
            self.nextProbe = nextProbe
        }
    }

    /// Something that went wrong, and when.
    public struct Trouble: Sendable, Hashable {
        public var at: Date
        public var message: String

        public init(at: Date, message: String) {
            self.at = at
            self.message = message
        }
    }

    /// That an operator paused the daemon, or one watch of it.
    public struct Pause: Sendable, Hashable {
        /// nil for the whole daemon.
        public var watch: String?
        /// The operator's user name.
        public var by: String
        public var uid: Int
        public var since: Date

        public init(watch: String?, by: String, uid: Int, since: Date) {
            self.watch = watch
            self.by = by
            self.uid = uid
            self.since = since
        }
    }

    /// Which configuration holds.
    public struct Configuration: Sendable, Hashable {
        /// When it was read.
        public var appliedAt: Date
        /// Why the one that was read last does not hold; nil when it does.
        public var refused: Trouble?

        public init(appliedAt: Date, refused: Trouble? = nil) {
            self.appliedAt = appliedAt
            self.refused = refused
        }
    }

    public var version: String
    public var pid: Int
    public var state: DaemonState
    /// One sentence.
    public var reason: String
    public var startedAt: Date
    public var watches: [WatchSnapshot]
    public var budget: Budget
    public var concurrency: Concurrency
    public var breaker: Breaker
    /// Never holds the API key.
    public var lastError: Trouble?
    /// What holds up all that is to be sent or asked, as a sentence without its full stop; nil when nothing does.
    public var obstacle: String?
    public var pauses: [Pause]
    public var configuration: Configuration

    public init(
        version: String, pid: Int, state: DaemonState, reason: String, startedAt: Date, watches: [WatchSnapshot] = [],
        budget: Budget, concurrency: Concurrency, breaker: Breaker = Breaker(), lastError: Trouble? = nil,
        obstacle: String? = nil, pauses: [Pause] = [], configuration: Configuration? = nil
    ) {
        self.version = version
        self.pid = pid
        self.state = state
        self.reason = reason
        self.startedAt = startedAt
        self.watches = watches
        self.budget = budget
        self.concurrency = concurrency
        self.breaker = breaker
        self.lastError = lastError
        self.obstacle = obstacle
        self.pauses = pauses
        self.configuration = configuration ?? Configuration(appliedAt: startedAt)
    }
}
