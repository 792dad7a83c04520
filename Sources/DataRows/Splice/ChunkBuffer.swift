/// A JSON array of rows that grows up to a limit: the content of one file that is uploaded.
public struct ChunkBuffer: Sendable {
    /// The most bytes that it may have when it is closed, with one row in it.
    public let limit: Int
    /// The most bytes that it may have with more than one row.
    ///
    /// Chunks are held in memory while they are sent, two of them at a time, and a request costs less than these bytes do.
    public let target: Int
    private static let usualTarget = 4_000_000
    /// How many rows it has.
    public private(set) var count = 0
    /// The array so far; whole once ``close()`` was called.
    public internal(set) var bytes: [UInt8]
    private var isClosed = false

    /// Creates an empty one.
    ///
    /// - Parameter limit: the most bytes; Labelbox's own client stays at or below 10,000,000.
    public init(limit: Int = 10_000_000) {
        self.limit = limit
        target = min(limit, Self.usualTarget)
        bytes = []
        // All at once: memory that is not written to costs nothing, and growing would hold what was written twice.
        bytes.reserveCapacity(target)
        bytes.append(0x5b)
    }

    /// One that takes no memory and that nothing should be added to, in the place of one that was given away.
    package static var none: ChunkBuffer { ChunkBuffer(limit: 1) }

    /// Whether nothing is in it.
    public var isEmpty: Bool { count == 0 }

    /// Ends the array.
    ///
    /// Nothing can be added then.
    public mutating func close() {
        guard !isClosed else { return }
        bytes.append(0x5d)
        isClosed = true
    }

    /// Empties it for the next rows; the memory is kept.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(0x5b)
        count = 0
        isClosed = false
    }

    /// Notes that a row was written to the end of `bytes`.
    mutating func countRow() { count += 1 }

    /// The string whose inside stands in a range of the bytes, such as one of a ``RowIdentity``.
    public func string(in range: Range<Int>) -> String {
        bytes.withUnsafeBytes { bytes in
            let inner = UnsafeRawBufferPointer(rebasing: bytes[range])
            return inner.contains(0x5c)
                ? String(decoding: JSONText.unescapedLossily(inner), as: UTF8.self)
                : String(decoding: inner, as: UTF8.self)
        }
    }

    /// The same as a name, to match by.
    public func name(in range: Range<Int>) -> ExactName { ExactName(string(in: range)) }
}

/// Where in its chunk a row's names stand, until the chunk is emptied.
public struct RowIdentity: Sendable, Equatable {
    /// The row's number in its manifest.
    public var row: Int
    /// The inside of the string that is its global key, or that of the row which it is matched on.
    public var globalKey: Range<Int>?
    /// The value of its external id, as JSON.
    public var externalID: Range<Int>?
    /// The global key was derived from the row's content.
    public var isDerived = false
    /// The existing row that it changes; nil for one that is created in any case.
    public var target: Target?

    /// What a row is matched on: the inside of the string that says it.
    public enum Target: Sendable, Equatable {
        case id(Range<Int>)
        case globalKey(Range<Int>)
    }
}
