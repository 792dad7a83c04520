public import Ledger

/// Why the results of an import could not be joined.
public enum ResultsMergeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A part cannot be opened or read.
    case unreadable(part: String, why: String)
    /// A part is not what was written.
    case damaged(part: String, why: String)

    /// What, why, and the way out.
    public var description: String {
        switch self {
        case .unreadable(let part, let why):
            "the results in \(part) cannot be read: \(why); make the file readable and they are joined again"
        case .damaged(let part, let why):
            "the results in \(part) are damaged: \(why); drop the manifest again, rows with keys are not imported twice"
        }
    }
}

/// Joins the parts of an import's results in the order of rows.
///
/// Each part ascends by row, but parts overlap: rows that were sent a second time are in parts of their own. A part is
/// opened when its first row is reached and forgotten at its end, so what is held depends on how many overlap, never
/// on how many there are.
public struct ResultsMerger {
    /// What a merge found.
    public struct Summary: Sendable, Hashable {
        public var lines = 0
        /// Lines that were left out since the row had one already.
        public var repeated = 0
        public var counts: [ResultLine.Outcome: Int] = [:]

        public init() {}
    }

    /// How much is read ahead for all parts together, in bytes.
    private static let readAhead = 4 << 20
    private static let largestWindow = 64 << 10
    private static let smallestWindow = 4 << 10
    private static let outputSize = 64 << 10

    private let parts: [ResultsPart]

    /// - Parameter parts: in any order.
    public init(_ parts: [ResultsPart]) {
        self.parts = parts.sorted { $0.firstRow < $1.firstRow }
    }

    /// Writes all lines to `sink`, in pieces that end with a line.
    ///
    /// - Parameters:
    ///   - sink: Takes the next bytes.
    ///   - visit: Called for each line that is written, in order of rows.
    /// - Returns: How many lines there were.
    /// - Throws: ``ResultsMergeError``, or what `sink` and `visit` throw.
    @discardableResult
    public func merge(
        into sink: ([UInt8]) throws -> Void, visit: (_ row: Int, _ outcome: ResultLine.Outcome) throws -> Void
    ) throws -> Summary {
        var summary = Summary()
        var counts = [Int](repeating: 0, count: ResultLine.Outcome.allCases.count)
        var open = RowHeap()
        var unopened = parts[...]
        var output: [UInt8] = []
        output.reserveCapacity(Self.outputSize + Self.smallestWindow)
        var last = -1
        while true {
            while let part = unopened.first, open.first.map({ part.firstRow <= $0.row }) ?? true {
                unopened.removeFirst()
                let reader = ResultsPartReader(part)
                if try reader.advance(windowSize: Self.window(open.count + 1)) { open.insert(reader) }
            }
            guard let reader = open.first else { break }
            guard reader.row >= last else {
                throw ResultsMergeError.damaged(
                    part: reader.name, why: "it holds row \(reader.row), before its first row")
            }
            if reader.row == last {
                summary.repeated += 1
            } else {
                last = reader.row
                reader.window.withUnsafeBytes { output.append(contentsOf: $0[reader.line]) }
                counts[reader.outcome.index] += 1
                summary.lines += 1
                try visit(reader.row, reader.outcome)
                if output.count >= Self.outputSize {
                    try sink(output)
                    output.removeAll(keepingCapacity: true)
                }
            }
            if try reader.advance(windowSize: Self.window(open.count)) { open.sinkFirst() } else { open.removeFirst() }
        }
        if !output.isEmpty { try sink(output) }
        for outcome in ResultLine.Outcome.allCases where counts[outcome.index] > 0 {
            summary.counts[outcome] = counts[outcome.index]
        }
        return summary
    }

    private static func window(_ count: Int) -> Int {
        max(smallestWindow, min(largestWindow, readAhead / max(1, count)))
    }
}

extension ResultLine.Outcome {
    fileprivate var index: Int {
        switch self {
        case .created: 0
        case .updated: 1
        case .alreadyPresent: 2
        case .failed: 3
        case .rejected: 4
        case .deleted: 5
        }
    }
}

/// Readers by the rows that they stand at: a binary heap, least first.
private struct RowHeap {
    private var readers: [ResultsPartReader] = []

    var first: ResultsPartReader? { readers.first }
    var count: Int { readers.count }

    mutating func insert(_ reader: ResultsPartReader) {
        readers.append(reader)
        var child = readers.count - 1
        while child > 0, readers[child].row < readers[(child - 1) / 2].row {
            readers.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        readers.swapAt(0, readers.count - 1)
        readers.removeLast()
        sinkFirst()
    }

    /// Puts the first reader where it belongs after it went to another row.
    mutating func sinkFirst() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < readers.count {
                if readers[child].row < readers[least].row { least = child }
            }
            if least == parent { return }
            readers.swapAt(parent, least)
            parent = least
        }
    }
}
