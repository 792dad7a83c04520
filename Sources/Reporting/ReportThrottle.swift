package import DataRows

/// Decides when the status of which import is written: at once when it ends, else once in an interval.
///
/// Instants are durations since any fixed point of a monotonic clock. What is remembered is bounded: beyond that,
/// statuses are written more often than they need be, never too late.
package struct ReportThrottle: Sendable {
    /// What is known of an import that moves.
    private struct Entry: Sendable {
        var written: Duration
        /// The oldest change that is not written yet.
        var waitingSince: Int?
        var estimator = ProgressEstimator()
    }

    let interval: Duration
    let limit: Int
    private var entries: [ImportID: Entry] = [:]
    /// Imports that wait, in the order in which they began to, and so by revision; some may have ended since.
    ///
    /// None is taken before those ahead of it, so one may wait longer than it must, but never longer than an interval.
    private var queue: [(due: Duration, id: ImportID)] = []
    private var head = 0

    package init(interval: Duration = .seconds(1), limit: Int = 16_384) {
        self.interval = interval
        self.limit = limit
    }

    /// How many imports are remembered.
    package var count: Int { entries.count }

    /// Says whether a change is to be written now; if not, it will be among those of `due(at:)`.
    ///
    /// Where many imports change together (`isCrowded`), those that are new wait too: of ten thousand that end within a
    /// second each is written once.
    package mutating func admits(
        _ id: ImportID, revision: Int, isFinal: Bool, isCrowded: Bool = false, at now: Duration
    ) -> Bool {
        if isFinal {
            entries[id] = nil
            return true
        }
        guard let entry = entries[id] else {
            if entries.count >= limit { forget(before: now - interval) }
            guard entries.count < limit else { return true }
            entries[id] = Entry(written: now, waitingSince: isCrowded ? revision : nil)
            if isCrowded { queue.append((now + interval, id)) }
            return !isCrowded
        }
        if entry.waitingSince != nil { return false }
        if now - entry.written >= interval {
            entries[id]?.written = now
            return true
        }
        entries[id]?.waitingSince = revision
        queue.append((entry.written + interval, id))
        return false
    }

    /// Takes the imports whose time has come.
    package mutating func due(at now: Duration) -> [ImportID] {
        var due: [ImportID] = []
        dropEnded()
        while head < queue.count, queue[head].due <= now {
            let id = queue[head].id
            entries[id]?.waitingSince = nil
            entries[id]?.written = now
            due.append(id)
            dropEnded()
        }
        return due
    }

    /// Goes to the first that still waits.
    private mutating func dropEnded() {
        while head < queue.count, entries[queue[head].id]?.waitingSince == nil { head += 1 }
        if head > 1024, head * 2 > queue.count {
            queue.removeFirst(head)
            head = 0
        }
    }

    /// When the next import is due.
    package var nextDue: Duration? { head < queue.count ? queue[head].due : nil }

    /// The oldest change that is not written yet.
    package mutating func oldestWaiting() -> Int? {
        dropEnded()
        return head < queue.count ? entries[queue[head].id]?.waitingSince : nil
    }

    /// Takes note of how far an import is, and returns what is known of its pace.
    package mutating func observe(_ id: ImportID, work: ProgressWork, at now: Duration) -> ProgressEstimator? {
        entries[id]?.estimator.observe(work, at: now)
        return entries[id]?.estimator
    }

    /// Forgets imports that would not be held back anyway.
    private mutating func forget(before instant: Duration) {
        entries = entries.filter { $0.value.waitingSince != nil || $0.value.written > instant }
    }
}
