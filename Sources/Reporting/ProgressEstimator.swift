public import Ledger

/// How far an import is: its rows and its media on one scale.
public struct ProgressWork: Sendable, Hashable {
    /// What there is to do, in rows.
    public var total: Double
    /// What is done of it.
    public var done: Double

    /// An upload of so many bytes is reckoned as the work of one row.
    ///
    /// A row is some hundred bytes to the server and a moment of its task; 16 KiB keep an import of a few large files
    /// from standing at 99 % while they are uploaded, and one of many small rows from standing at 1 % after them.
    static let bytesPerRow = 16_384.0
    /// The share of a row that is done when it was submitted; the rest is done when its outcome is known.
    static let submittedShare = 0.3

    public init(rows: RowCounts, media: MediaCounts) {
        let total = Double(rows.total)
        let ended = min(Double(rows.ended), total)
        // Rejected rows end without having been submitted.
        let submitted = min(max(Double(rows.submitted + rows.rejected), ended), total)
        let mediaTotal = Double(media.bytes) / Self.bytesPerRow
        let mediaDone = min(Double(media.uploadedBytes) / Self.bytesPerRow, mediaTotal)
        self.total = total + mediaTotal
        done = Self.submittedShare * submitted + (1 - Self.submittedShare) * ended + mediaDone
    }

    /// So many pieces, of which so many are done.
    init(total: Int, done: Int) {
        self.total = Double(total)
        self.done = Double(done)
    }

    /// From 0 to 1; 0 while it is not known what there is to do.
    public var fraction: Double { total > 0 ? min(1, done / total) : 0 }
}

/// Tells from how an import moved how long it will take.
///
/// Instants are durations since any fixed point of a monotonic clock.
public struct ProgressEstimator: Sendable {
    /// How fast what was seen is forgotten: after so many seconds it counts for a third.
    static let memory = 30.0
    /// A guess beyond this is no help to anyone: 30 days.
    static let longest = 2_592_000.0

    private var last: (instant: Duration, done: Double)?
    /// Rows' worth of work and seconds, both fading; their quotient is the rate.
    private var work = 0.0
    private var seconds = 0.0

    public init() {}

    /// Takes note of how far the import is.
    public mutating func observe(_ now: ProgressWork, at instant: Duration) {
        defer { last = (instant, now.done) }
        guard let last, instant > last.instant else { return }
        let elapsed = (instant - last.instant) / .seconds(1)
        let fading = 1 / (1 + elapsed / Self.memory)
        // Rows that are sent again take back some of what was done.
        work = work * fading + max(0, now.done - last.done)
        seconds = seconds * fading + elapsed
    }

    /// Rows' worth of work in a second; `nil` before anything moved.
    public var rate: Double? { seconds > 0 && work > 0 ? work / seconds : nil }

    /// Seconds until all is done at the present rate; `nil` where nobody can say.
    public func eta(_ now: ProgressWork) -> Int? {
        guard now.total > 0, let rate else { return nil }
        let left = (now.total - now.done) / rate
        return left <= Self.longest ? Int(max(0, left).rounded(.up)) : nil
    }
}
