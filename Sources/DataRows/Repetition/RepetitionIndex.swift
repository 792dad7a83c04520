internal import Glibc
public import SystemPackage

/// Which rows of a manifest repeat an earlier one, and how many such came before each.
///
/// Pass 1 fills it, and pass 2 asks it, perhaps after a restart: so it lies in a file beside the manifest's other
/// state. Only repetitions are in the file; a manifest without any has none.
public struct RepetitionIndexBuilder: ~Copyable {
    private let path: FilePath
    private let memoryRows: Int
    private let shareRows: Int
    private let told: Repeated
    private var table: RepetitionTable
    private var spill: Spill?
    /// Made once there is something to write: most manifests have no repetitions.
    private var runs: PairFile?
    private var found: [Pair] = []
    private var runStarts: [Int64] = []

    static let headerBytes: Int64 = 16
    /// "drrep\0\0\1", so that a foreign file is not taken for an index.
    static let magic: UInt64 = 0x0100_0070_6572_7264
    private static let batch = 4096

    /// Begins an index.
    ///
    /// - Parameters:
    ///   - path: the file that it will lie in; beside it, files with its name and more appear meanwhile.
    ///   - memoryRows: for how many different rows memory is used, 20 bytes each; beyond, a file serves. 16 for tests, at least.
    public init(at path: FilePath, memoryRows: Int = 1 << 20) {
        self.init(at: path, telling: .ordinal, memoryRows: memoryRows, shareRows: memoryRows)
    }

    /// As above; `shareRows` is for how many different rows memory is used in the end, when the rest is counted.
    init(at path: FilePath, telling told: Repeated, memoryRows: Int, shareRows: Int) {
        self.path = path
        self.told = told
        self.memoryRows = max(memoryRows, 16)
        self.shareRows = max(shareRows, 16)
        table = RepetitionTable(capacity: self.memoryRows, told: told)
        runStarts = [Self.headerBytes]
    }

    deinit {
        // There only if it was not finished.
        if runs != nil { unlink(path.string + ".part") }
    }

    /// Takes in one row.
    ///
    /// Rows come in order; those that need no ordinal may be left out.
    ///
    /// - Throws: `Errno`.
    public mutating func add(row: Int, hash: UInt64) throws {
        try Self.take(
            Pair(first: hash, second: UInt64(row)), level: 0, &table, &spill, &found, &runs, path)
    }

    private static func take(
        _ pair: Pair, level: Int, _ table: inout RepetitionTable, _ spill: inout Spill?, _ found: inout [Pair],
        _ runs: inout PairFile?, _ path: FilePath
    ) throws {
        guard let earlier = table.take(pair.first, row: pair.second) else {
            if spill == nil { spill = try Spill(FilePath(path.string + ".spill"), level: level) }
            try spill?.add(pair)
            return
        }
        if earlier > 0 {
            found.append(Pair(first: pair.second, second: UInt64(earlier)))
            if found.count == batch {
                try write(&found, &runs, path)
            }
        }
    }

    private static func write(_ found: inout [Pair], _ runs: inout PairFile?, _ path: FilePath) throws {
        if found.isEmpty { return }
        let file =
            try runs ?? PairFile(FilePath(path.string + ".part"), isNameless: false, headerBytes: headerBytes)
        runs = file
        try file.append(found)
        found.removeAll(keepingCapacity: true)
    }

    /// Whether a repetition is known by now; more may come to light in the end.
    var hasFound: Bool { !found.isEmpty }

    /// Ends the index and makes it last.
    ///
    /// - Returns: the index; nil if no row repeats another, and then there is no file.
    /// - Throws: `Errno`.
    public consuming func finish() throws -> RepetitionIndex? {
        try Self.write(&found, &runs, path)
        table = RepetitionTable(capacity: 1, told: told)
        if let spill { try settle(spill) }
        guard let runs else {
            if unlink(path.string) != 0, errno != ENOENT { throw Errno(rawValue: errno) }
            return nil
        }
        let result = runStarts.count == 1 ? runs : try merged(runs)
        try Self.seal(result)
        let part = result === runs ? ".part" : ".merged"
        guard rename(path.string + part, path.string) == 0 else { throw Errno(rawValue: errno) }
        return try RepetitionIndex(at: path)
    }

    /// Counts the rows that memory had no room for, a share of the hashes at a time.
    private mutating func settle(_ spill: Spill) throws {
        try spill.flush()
        for share in 0..<Spill.shares {
            var table = RepetitionTable(capacity: shareRows, told: told)
            var deeper: Spill?
            var found: [Pair] = []
            let start = runs?.end ?? Self.headerBytes
            try spill.forEach(in: share) { pair in
                try Self.take(pair, level: spill.level + 1, &table, &deeper, &found, &runs, path)
            }
            try Self.write(&found, &runs, path)
            if let runs, runs.end > start, start > Self.headerBytes { runStarts.append(start) }
            if let deeper {
                table = RepetitionTable(capacity: 1, told: told)
                try settle(deeper)
            }
        }
    }

    /// The runs, each in the order of rows, as one.
    private func merged(_ runs: PairFile) throws -> PairFile {
        let output = try PairFile(
            FilePath(path.string + ".merged"), isNameless: false, headerBytes: Self.headerBytes)
        do {
            var cursors: [RunCursor] = []
            for (index, start) in runStarts.enumerated() {
                let end = index + 1 < runStarts.count ? runStarts[index + 1] : runs.end
                if let cursor = try RunCursor(runs.descriptor, start..<end) { cursors.append(cursor) }
            }
            var heap = RunHeap(cursors)
            var batch: [Pair] = []
            while let pair = try heap.next() {
                batch.append(pair)
                if batch.count == Self.batch {
                    try output.append(batch)
                    batch.removeAll(keepingCapacity: true)
                }
            }
            try output.append(batch)
            return output
        } catch {
            unlink(path.string + ".merged")
            throw error
        }
    }

    private static func seal(_ file: PairFile) throws {
        let count = UInt64((file.end - headerBytes) / Int64(PairFile.width))
        let header = [Pair(first: magic, second: count)]
        _ = try header.withUnsafeBytes { try file.descriptor.writeAll(toAbsoluteOffset: 0, $0) }
        guard fdatasync(file.descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }
}

/// The finished index of a manifest's repetitions.
public final class RepetitionIndex: Sendable {
    /// How many rows repeat an earlier one.
    public let count: Int
    private let descriptor: FileDescriptor

    /// Opens the index that lies in a file.
    ///
    /// - Throws: `Errno`; ``DamagedIndex`` if the file is not whole: survey the manifest again.
    public init(at path: FilePath) throws {
        descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        do {
            let header = try PairFile.read(descriptor, from: 0, limit: 1).first
            let size = try descriptor.seek(offset: 0, from: .end)
            guard let header, header.first == RepetitionIndexBuilder.magic,
                header.second == UInt64(max(0, size - RepetitionIndexBuilder.headerBytes)) / UInt64(PairFile.width)
            else { throw DamagedIndex(path: path) }
            count = Int(header.second)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    deinit {
        // It was only read.
        try? descriptor.close()
    }

    /// The ordinals of those rows in a range that repeat an earlier one; all others have 0.
    ///
    /// - Throws: `Errno`.
    public func ordinals(for rows: Range<Int>) throws -> [Int: Int] {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            guard let pair = try PairFile.read(descriptor, from: place(middle), limit: 1).first else { break }
            if pair.first < UInt64(rows.lowerBound) { low = middle + 1 } else { high = middle }
        }
        var ordinals: [Int: Int] = [:]
        while low < count {
            let pairs = try PairFile.read(descriptor, from: place(low), limit: min(4096, count - low))
            if pairs.isEmpty { break }
            for pair in pairs {
                if pair.first >= UInt64(rows.upperBound) { return ordinals }
                ordinals[Int(pair.first)] = Int(pair.second)
            }
            low += pairs.count
        }
        return ordinals
    }

    private func place(_ index: Int) -> Int64 {
        RepetitionIndexBuilder.headerBytes + Int64(index) * Int64(PairFile.width)
    }
}

/// A file that should be an index of repetitions is none, or not whole.
public struct DamagedIndex: Error, CustomStringConvertible {
    /// The file.
    public let path: FilePath

    public var description: String {
        "\(path): not a whole index of repeated rows: remove it, and let the manifest be read again"
    }
}
