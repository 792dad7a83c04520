public import Files
public import SystemPackage

/// Decides when a file has stopped changing.
///
/// Touches neither disk nor clock: it is told what was seen, by which sign, and when. Instants are
/// durations since some start. Holds at most `capacity` files; about the rest it says so, and they are
/// left for a later scan.
public struct SettleTracker: Sendable {
    /// What made us look.
    public enum Sign: Hashable, Sendable {
        /// The name came by a rename: the file was complete before it had it.
        case movedIn
        /// A writer closed it.
        case closed
        /// Nothing but the look itself.
        case seen
    }

    /// Why a file is not taken yet.
    public enum Reason: Hashable, Sendable {
        case firstSeen, closedLately, stillChanging, openForWriting
        /// It changed while it was read, so many times.
        case changedWhileRead(times: Int)
        /// It is complete, and may yet be named by a manifest.
        case waitingForManifest
        /// It could not be taken; the text says why.
        case troubled(String)
    }

    public enum Decision: Hashable, Sendable {
        /// Complete. The file stays tracked until `take`.
        case ready
        /// Complete, but held back until then for a manifest that names it.
        case held(until: Duration)
        case settling(until: Duration, Reason)
        /// No room to track it.
        case full
    }

    /// One file that is tracked.
    public struct Entry: Hashable, Sendable {
        public fileprivate(set) var identity: FileIdentity
        public fileprivate(set) var reason: Reason
        public let firstSeen: Duration
        /// Since when every look saw it alike.
        public fileprivate(set) var alikeSince: Duration
        /// When to look again.
        public fileprivate(set) var due: Duration
        /// How often it changed under a reader.
        public fileprivate(set) var strikes: Int
        fileprivate var quiet: Duration
        fileprivate var lastSeen: Duration
        fileprivate var isQueued = false
    }

    private let settle: Duration
    private let grace: Duration
    private let capacity: Int
    private var entries: [FilePath: Entry] = [:]
    private var queue = DueQueue()

    /// The first wait after a file changed under its reader; it doubles each time.
    static let firstPenalty = Duration.seconds(2)
    static let longestPenalty = Duration.seconds(60)

    /// * `settle`: how long a file must be left alone.
    /// * `grace`: how long a complete file is held back, counted from when it was first seen.
    public init(settle: Duration, grace: Duration = .zero, capacity: Int) {
        self.settle = settle
        self.grace = grace
        self.capacity = capacity
    }

    public var count: Int { entries.count }
    public var isFull: Bool { entries.count >= capacity }
    public func entry(_ path: FilePath) -> Entry? { entries[path] }

    /// Takes one look at one file.
    public mutating func observe(
        _ path: FilePath, _ identity: FileIdentity, by sign: Sign, at now: Duration
    ) -> Decision {
        var entry: Entry
        if let known = entries[path] {
            entry = known
            if sign != .seen || known.identity != identity {
                restart(&entry, identity, by: sign, isNew: false, at: now)
            }
        } else {
            if isFull { return sign == .movedIn && grace == .zero ? .ready : .full }
            entry = Entry(
                identity: identity, reason: .firstSeen, firstSeen: now, alikeSince: now, due: now, strikes: 0,
                quiet: settle, lastSeen: now)
            restart(&entry, identity, by: sign, isNew: true, at: now)
        }
        entry.lastSeen = now
        return decide(path, &entry, at: now)
    }

    /// Sends a file that looked ready back to wait: a process has it open for writing.
    public mutating func postpone(_ path: FilePath, at now: Duration) {
        guard var entry = entries[path] else { return }
        entry.reason = .openForWriting
        entry.quiet = max(settle, .milliseconds(100))
        entry.alikeSince = now
        _ = decide(path, &entry, at: now)
    }

    /// Takes a file up again that had been taken, because it changed or could not be used.
    ///
    /// * `strikes`: how often that happened, this time included; the wait doubles with each.
    /// * `firstSeen`: when it was seen first; nil where that is still known.
    public mutating func settleAgain(
        _ path: FilePath, _ identity: FileIdentity, strikes: Int, reason: Reason? = nil, firstSeen: Duration? = nil,
        at now: Duration
    ) {
        guard entries[path] != nil || !isFull else { return }
        let doublings = min(max(strikes - 1, 0), 10)
        var wait = min(Self.firstPenalty * (1 << doublings), Self.longestPenalty)
        wait = max(wait, settle)
        var entry = Entry(
            identity: identity, reason: reason ?? .changedWhileRead(times: strikes),
            firstSeen: entries[path]?.firstSeen ?? firstSeen ?? now, alikeSince: now, due: now + wait, strikes: strikes,
            quiet: wait,
            lastSeen: now,
            isQueued: entries[path]?.isQueued ?? false)
        _ = decide(path, &entry, at: now)
    }

    /// Forgets a file, because it is handed on or gone.
    @discardableResult
    public mutating func take(_ path: FilePath) -> Entry? { entries.removeValue(forKey: path) }

    /// Forgets files of which nobody has asked since `instant`.
    public mutating func drop(notSeenSince instant: Duration) {
        entries = entries.filter { $0.value.lastSeen >= instant }
    }

    /// The files that are due for another look, earliest first; each must then be observed or taken.
    public mutating func popDue(at now: Duration, limit: Int) -> [FilePath] {
        var due: [FilePath] = []
        while due.count < limit, let first = queue.first, first.due <= now {
            queue.removeFirst()
            guard var entry = entries[first.path], entry.isQueued else { continue }
            if entry.due > now {
                queue.insert(first.path, due: entry.due)
                continue
            }
            entry.isQueued = false
            entries[first.path] = entry
            due.append(first.path)
        }
        return due
    }

    /// When the next look is due.
    ///
    /// It may be a little early, never late.
    public var nextDue: Duration? { queue.first?.due }

    package var queuedLooks: Int { queue.count }

    /// Up to `limit` of the files tracked, in no order.
    public func sample(limit: Int) -> [(path: FilePath, entry: Entry)] {
        entries.prefix(limit).map { ($0.key, $0.value) }
    }

    private mutating func restart(
        _ entry: inout Entry, _ identity: FileIdentity, by sign: Sign, isNew: Bool, at now: Duration
    ) {
        entry.identity = identity
        entry.alikeSince = now
        // Who has changed under a reader is no longer believed at once.
        let penalty = entry.strikes > 0 ? entry.quiet : .zero
        switch sign {
        case .movedIn:
            entry.quiet = penalty
            if entry.strikes == 0 { entry.reason = .firstSeen }
        case .closed:
            entry.quiet = max(settle, penalty)
            if entry.strikes == 0 { entry.reason = .closedLately }
        case .seen:
            entry.quiet = max(settle, penalty)
            if entry.strikes == 0 { entry.reason = isNew ? .firstSeen : .stillChanging }
        }
    }

    private mutating func decide(_ path: FilePath, _ entry: inout Entry, at now: Duration) -> Decision {
        let settled = entry.alikeSince + entry.quiet
        let decision: Decision
        if now < settled {
            entry.due = settled
            decision = .settling(until: settled, entry.reason)
        } else if now < entry.firstSeen + grace {
            entry.due = entry.firstSeen + grace
            entry.reason = .waitingForManifest
            decision = .held(until: entry.due)
        } else {
            entry.due = now
            entries[path] = entry
            return .ready
        }
        if !entry.isQueued {
            entry.isQueued = true
            queue.insert(path, due: entry.due)
        }
        entries[path] = entry
        // Files that were taken leave their place in the queue behind.
        if queue.count > 2 * entries.count + 1_024 { requeue() }
        return decision
    }

    private mutating func requeue() {
        queue = DueQueue()
        for (path, entry) in entries where entry.isQueued { queue.insert(path, due: entry.due) }
    }
}

extension SettleTracker.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .firstSeen: "seen for the first time; it must stay the same for a while"
        case .closedLately: "a writer closed it lately"
        case .stillChanging: "it still changes"
        case .openForWriting: "a process has it open for writing"
        case .changedWhileRead(let times): "it changed while it was read (\(times) \(times == 1 ? "time" : "times"))"
        case .waitingForManifest: "complete; waiting for a manifest that may name it"
        case .troubled(let text): text
        }
    }
}
