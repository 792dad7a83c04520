internal import SystemPackage

/// Finds rows of a manifest that are for the same global key, or the same data row, as an earlier one.
///
/// 12 bytes of memory a key for the first 65,536 of them and a file for the rest, so that no manifest is too large. Two
/// different keys whose 64-bit hashes are alike would count as one; among ten million keys that is once in 400,000 manifests.
struct RepeatedKeysBuilder: ~Copyable {
    private var builder: RepetitionIndexBuilder
    private let prepare: () throws -> Void
    private var isPrepared = false
    private var count = 0
    private let preparedFrom: Int

    /// Small enough for a processor's cache; what does not fit costs less in the end, share by share.
    private static let memoryRows = 1 << 16
    private static let shareRows = 1 << 18
    /// Row numbers are kept in 32 bits; what lies beyond is left to the service.
    private static let lastRow = Int(UInt32.max) - 1

    /// - Parameters:
    ///   - path: where the index will lie, if there is any repetition; files with its name and more appear meanwhile.
    ///   - prepare: called once before the first of them, to make their folder.
    init(at path: FilePath, memoryRows: Int? = nil, prepare: @escaping () throws -> Void) {
        builder = RepetitionIndexBuilder(
            at: path, telling: .firstRow, memoryRows: memoryRows ?? Self.memoryRows,
            shareRows: memoryRows ?? Self.shareRows)
        // Nothing is written for fewer rows than these.
        preparedFrom = min(memoryRows ?? Self.memoryRows, 2_000)
        self.prepare = prepare
    }

    /// Takes in a valid row.
    ///
    /// - Throws: `Errno`, or what the preparation throws.
    @inline(__always) mutating func add(_ row: borrowing SurveyedRow) throws {
        guard row.keyHash != 0 || row.otherKeyHash != 0 else { return }
        try add(row.keyHash, row.otherKeyHash, row.index)
    }

    private mutating func add(_ key: UInt64, _ other: UInt64, _ row: Int) throws {
        guard row <= Self.lastRow else { return }
        if !isPrepared, count >= preparedFrom {
            try prepare()
            isPrepared = true
        }
        count += 1
        if key != 0 { try builder.add(row: row, hash: key) }
        if other != 0, other != key { try builder.add(row: row, hash: other) }
    }

    /// Ends the search.
    ///
    /// - Returns: which rows repeat an earlier one; nil if none does, and then there is no file.
    /// - Throws: `Errno`, or what the preparation throws.
    consuming func finish() throws -> RepeatedKeys? {
        if builder.hasFound, !isPrepared { try prepare() }
        return try builder.finish().map(RepeatedKeys.init)
    }
}

/// Which rows of a manifest are for the same key as an earlier one; asked for row after row.
struct RepeatedKeys {
    private let index: RepetitionIndex
    private var page: [Int: Int] = [:]
    private var rows = 0..<0
    private static let pageRows = 4096

    init(_ index: RepetitionIndex) { self.index = index }

    /// The first row that is for the same key as this one; nil if this is the first, or the only one.
    ///
    /// - Throws: `Errno`.
    mutating func first(before row: Int) throws -> Int? {
        if !rows.contains(row) {
            rows = row..<row + Self.pageRows
            page = try index.ordinals(for: rows)
        }
        return page.isEmpty ? nil : page[row].map { $0 - 1 }
    }
}
