import CZlib
import DataRows
import Foundation
import Glibc
import SystemPackage

/// Times what is done with a manifest's bytes on one core, without the network; for `Scripts/bench`.
///
/// `scan-rows FILE FOLDER REPETITIONS [PART…]`: FOLDER takes work files; without a PART it is all of them, in their order. Prints one line of JSON with the file's size and, for each
/// part, the CPU seconds of the fastest repetition:
///
/// - `read`: the file is read, and nothing is done with it; of a compressed one, zlib inflates it
/// - `check`: pass 1 as the daemon has it, all rules and repeated keys, but without the file's SHA-256
/// - `pass1`: the same with it; of a compressed file, with what inflating and keeping the text costs
/// - `pass2`: all rows are written into chunks; those that have no global key get one
@main struct ScanRows {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let repetitions = Int(arguments[3]), repetitions > 0,
            let format = ManifestFormat(fileName: arguments[1])
        else {
            print("arguments: FILE FOLDER REPETITIONS [PART…]; FILE ends in .json or .ndjson, perhaps with .gz")
            exit(64)
        }
        var run = Run(path: FilePath(arguments[1]), folder: FilePath(arguments[2]), format: format)
        var fastest: [String: Double] = [:]
        for _ in 0..<repetitions {
            for (name, part) in run.parts where arguments.count == 4 || arguments[4...].contains(name) {
                let start = cpuSeconds()
                try part(&run)
                fastest[name] = min(fastest[name] ?? .infinity, cpuSeconds() - start)
            }
        }
        var figures = fastest.map { "\"\($0.key)\": \($0.value)" }.sorted()
        figures.append("\"bytes\": \(run.textBytes), \"rows\": \(run.rows), \"file_bytes\": \(run.fileBytes)")
        print("{\(figures.joined(separator: ", "))}")
    }

    /// Of this process, all threads.
    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

private struct Run {
    let path: FilePath
    let folder: FilePath
    let format: ManifestFormat
    var textBytes: Int64 = 0
    var fileBytes: Int64 = 0
    var rows = 0
    private var summary: SurveySummary?
    private var place: Range<Int64> = 0..<0

    init(path: FilePath, folder: FilePath, format: ManifestFormat) {
        self.path = path
        self.folder = folder
        self.format = format
    }

    var parts: [(String, (inout Run) throws -> Void)] {
        [
            ("read", { try $0.read() }), ("check", { try $0.survey(hashes: false) }),
            ("pass1", { try $0.survey(hashes: true) }), ("pass2", { try $0.write() }),
        ]
    }

    private var plain: FilePath { folder.appending("text") }

    private func manifest(hashes: Bool) throws -> ManifestFile {
        let original = hashes ? nil : ManifestFile.Digest(byteCount: 0, sha256: [])
        guard format.isCompressed else { return try ManifestFile(path: path, format: format, original: original) }
        return try ManifestInflation.inflate(
            ManifestFile(path: path, format: format), to: plain, limits: InflationLimits(maximumBytes: 1 << 40))
    }

    mutating func read() throws {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        fileBytes = try file.seek(offset: 0, from: .end)
        try file.seek(offset: 0, from: .start)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        guard format.isCompressed else {
            while try file.read(into: buffer) > 0 {}
            return
        }
        let text = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { text.deallocate() }
        var stream = z_stream()
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Errno.noMemory
        }
        defer { inflateEnd(&stream) }
        while case let count = try file.read(into: buffer), count > 0 {
            stream.next_in = buffer.bindMemory(to: UInt8.self).baseAddress
            stream.avail_in = UInt32(count)
            repeat {
                stream.next_out = text.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(text.count)
                guard inflate(&stream, Z_NO_FLUSH) >= 0 else { throw Errno.ioError }
            } while stream.avail_out == 0
        }
    }

    mutating func survey(hashes: Bool) throws {
        var first: Int64 = 0
        var end: Int64 = 0
        var count = 0
        let summary = try ManifestSurvey.run(
            manifest(hashes: hashes), policy: RowPolicy(), now: 1_800_000_000, keys: folder.appending("keys"),
            prepare: {}, again: { count = 0 }
        ) { row in
            if count == 0 { first = row.byteRange.lowerBound }
            end = row.byteRange.upperBound
            count += 1
        }
        guard summary.rejectedRows == 0 else { throw Errno.invalidArgument }
        rows = summary.rows
        textBytes = summary.bytes
        place = first..<end
        self.summary = summary
    }

    func write() throws {
        guard let summary else { return }
        let file =
            format.isCompressed
            ? try ManifestFile(path: plain, format: ManifestFormat(format.layout))
            : try ManifestFile(path: path, format: format)
        let policy = RowPolicy()
        let writer = RowWriter(
            try RowContext(
                datasetID: DatasetID(rawValue: "cmdset0000000000000000001"), policy: policy, summary: summary))
        var chunk = ChunkBuffer()
        try RowReader.read(file, byteRange: place, firstRow: 0, rowCount: rows, policy: policy) { row in
            do {
                _ = try writer.append(row, to: &chunk)
            } catch RowWritingError.chunkFull {
                chunk.removeAll()
                _ = try writer.append(row, to: &chunk)
            }
        }
    }
}
