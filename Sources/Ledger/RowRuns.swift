/// A set of row numbers, kept as ascending runs.
///
/// A segment that is sent a second time sends only some of its rows: those that the server proved not to have,
/// or one half of those that it refused together. A set of runs stays small where the rows lie together, and is
/// bounded by the segment's length where they do not.
public struct RowRuns: Sendable, Hashable {
    /// Ascending, not empty, neither overlapping nor touching.
    public private(set) var runs: [Range<Int>] = []

    /// The empty set.
    public init() {}

    /// The rows of one range.
    public init(_ range: Range<Int>) {
        if !range.isEmpty { runs = [range] }
    }

    /// How many rows there are.
    public var count: Int { runs.reduce(0) { $0 + $1.count } }
    /// Whether there is no row.
    public var isEmpty: Bool { runs.isEmpty }

    /// Adds a row that is not less than any already added.
    public mutating func append(_ row: Int) {
        if let last = runs.last, row <= last.upperBound {
            if row == last.upperBound { runs[runs.count - 1] = last.lowerBound..<row + 1 }
        } else {
            runs.append(row..<row + 1)
        }
    }

    /// Whether a row is in the set; logarithmic in the number of runs.
    public func contains(_ row: Int) -> Bool {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if row < runs[middle].lowerBound {
                high = middle
            } else if row >= runs[middle].upperBound {
                low = middle + 1
            } else {
                return true
            }
        }
        return false
    }

    /// The first `count` rows, and the others.
    public func split(at count: Int) -> (RowRuns, RowRuns) {
        var first = RowRuns()
        var rest = RowRuns()
        var wanted = max(0, count)
        for run in runs {
            let taken = min(wanted, run.count)
            wanted -= taken
            let cut = run.lowerBound + taken
            if cut > run.lowerBound { first.runs.append(run.lowerBound..<cut) }
            if cut < run.upperBound { rest.runs.append(cut..<run.upperBound) }
        }
        return (first, rest)
    }
}

extension RowRuns {
    /// The runs as `4-7,9-9`, for a column of text.
    public var encoded: String {
        runs.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ",")
    }

    /// Reads ``encoded`` again; `nil` where the text is not such a list.
    public init?(encoded: String) {
        if encoded.isEmpty { return }
        for part in encoded.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, last < Int.max,
                runs.last.map({ first > $0.upperBound }) ?? true
            else { return nil }
            runs.append(first..<last + 1)
        }
    }
}
