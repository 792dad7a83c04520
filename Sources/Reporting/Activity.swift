internal import DataRows
package import Ledger
internal import Locking

/// What goes on, as far as it is not in the ledger: how fast, and how much since the start.
///
/// Fed by those who do it, as they do it; read by whoever shows it.
public final class Activity: Sendable {
    /// Rows of one watch by their outcome, since the process started.
    public typealias Outcomes = [RowOutcome: Int]

    /// How a row ended.
    public enum RowOutcome: String, Sendable, CaseIterable {
        case created, updated, deleted, failed, rejected
        case alreadyPresent = "already_present"
    }

    /// How one import moves.
    struct Pace: Sendable {
        var estimator: ProgressEstimator
        /// Rows that get their outcome in a second.
        var rows = ProgressEstimator()
        /// Bytes that are uploaded in a second.
        var bytes = ProgressEstimator()
    }

    private struct State: Sendable {
        var hour = RecentHour()
        /// As they were last, by watch.
        var rows: [String: RowCounts]?
        var ended: [String: Outcomes] = [:]
        var paces: [ImportID: Pace] = [:]
    }

    /// So many imports' paces are remembered; of others it is not told how fast they are.
    static let mostPaces = 1024

    private let elapsed: @Sendable () -> Duration
    private let state = Locked(State())

    /// - Parameter elapsed: the time since any fixed point, on a monotonic clock.
    public init(elapsed: @escaping @Sendable () -> Duration) { self.elapsed = elapsed }

    /// Now, on the clock that was given.
    var now: Duration { elapsed() }

    /// Takes note of bytes that were sent.
    public func sent(bytes: Int64) {
        let now = elapsed()
        state.withLock { $0.hour.add(bytes: bytes, at: now) }
    }

    /// Takes note of a request that ended.
    public func requestEnded() {
        let now = elapsed()
        state.withLock { $0.hour.add(requests: 1, at: now) }
    }

    /// Takes note of how many rows the ledger has by now; to be called by one only, with what it read in that order.
    ///
    /// What is less than before was taken back, so that rows can be tried again; the counters since the start only grow.
    package func observe(_ totals: LedgerTotals) {
        let now = elapsed()
        state.withLock { state in
            defer { state.rows = totals.rows }
            // What was there at the start was not done by this process.
            guard let before = state.rows else { return }
            for (watch, rows) in totals.rows {
                let last = before[watch] ?? RowCounts()
                for outcome in RowOutcome.allCases {
                    let more = rows.count(outcome) - last.count(outcome)
                    guard more > 0 else { continue }
                    state.ended[watch, default: [:]][outcome, default: 0] += more
                    state.hour.add(rows: more, at: now)
                }
            }
        }
    }

    /// Takes note of how an import moves.
    func observe(_ record: ImportRecord, estimator: ProgressEstimator?) {
        let now = elapsed()
        state.withLock { state in
            guard !record.shownState.isFinal, let estimator else {
                state.paces[record.id] = nil
                return
            }
            guard state.paces[record.id] != nil || state.paces.count < Self.mostPaces else { return }
            var pace = state.paces[record.id] ?? Pace(estimator: estimator)
            pace.estimator = estimator
            pace.rows.observe(ProgressWork(total: record.rows.total, done: record.rows.ended), at: now)
            pace.bytes.observe(
                ProgressWork(total: Int(record.media.bytes), done: Int(record.media.uploadedBytes)), at: now)
            state.paces[record.id] = pace
        }
    }

    func pace(of id: ImportID) -> Pace? { state.withLock { $0.paces[id] } }

    /// The last hour, until now.
    package func hour() -> [RecentHour.Slot] {
        let now = elapsed()
        return state.withLock { $0.hour }.slots(at: now)
    }

    /// Rows that ended since the start, by watch.
    package func ended() -> [String: Outcomes] { state.withLock { $0.ended } }
}

extension RowCounts {
    func count(_ outcome: Activity.RowOutcome) -> Int {
        switch outcome {
        case .created: created
        case .updated: updated
        case .deleted: deleted
        case .failed: failed
        case .rejected: rejected
        case .alreadyPresent: alreadyPresent
        }
    }
}
