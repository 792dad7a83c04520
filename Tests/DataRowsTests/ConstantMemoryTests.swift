import DataRows
import Foundation
import Glibc
import SystemPackage
import Testing

@Suite struct ConstantMemory {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    // Each in a process of its own, since the memory of this one is shared with all tests.

    @Test(.enabled(if: LargeManifest.isMeasurable), .timeLimit(.minutes(5)))
    func aMillionRowsTakeNoMoreMemoryThanAWindow() async {
        await #expect(processExitsWith: .success) { try LargeManifest.millionRows() }
    }

    @Test(.enabled(if: LargeManifest.isMeasurable), .timeLimit(.minutes(5)))
    func aRowOfAHundredMegabytesIsRejectedWithoutBeingHeld() async {
        await #expect(processExitsWith: .success) { try LargeManifest.hugeRow() }
    }

    @Test func aRowOfFiveMegabytesIsReadAndWritten() throws {
        let object = "{\"a\":[" + Array(repeating: "\"1234567\"", count: 500_000).joined(separator: ",") + "]}"
        // Alone: with others it would be in a chunk of its own.
        let text = "[{\"row_data\":\(object)}]"
        let manifest = try scratch.manifest(text)
        let survey = try Survey(manifest)
        #expect(survey.summary.validRows == 1)
        #expect(survey.rows[0].byteRange.count > 5_000_000)
        #expect(try splice(manifest).text.contains(object))
    }

    @Test func rowsAreNotHeldAtTheSizeLimitEither() throws {
        for (length, isValid) in [(9_000_000, true), (9_999_990, false)] {
            let text = "[{\"row_data\":{\"a\":\"" + String(repeating: "x", count: length) + "\"}}]"
            let survey = try Survey(scratch.manifest(text))
            #expect((survey.summary.validRows == 1) == isValid)
        }
    }
}

/// What the tests of memory do in a process of their own.
enum LargeManifest {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Address sanitizing takes memory of its own for all that is read.
    static var isMeasurable: Bool { dlsym(nil, "__asan_init") == nil }

    private static func require(_ condition: Bool, _ what: String) throws {
        if !condition { throw Failure(description: what) }
    }

    /// The most memory that this process ever had, in KiB (Linux's `VmHWM`).
    private static func peakKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) } ?? 0
    }

    private static func create(_ path: FilePath) throws -> FileDescriptor {
        try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
    }

    static func millionRows() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("large.json")
        let file = try create(path)
        try file.writeAll("[".utf8)
        for block in 0..<1000 {
            var text = ""
            for row in block * 1000..<(block + 1) * 1000 {
                if row > 0 { text += ",\n" }
                text += #"{"row_data":"https://storage.example.com/a-bucket/folder/image-\#(row).jpg","#
                text += #""external_id":"image-\#(row)"}"#
            }
            try file.writeAll(text.utf8)
        }
        try file.writeAll("]".utf8)
        try file.close()
        let manifest = try ManifestFile(path: path, format: ManifestFormat(.document))
        try require(manifest.byteCount > 90_000_000, "\(manifest.byteCount) bytes")
        let before = try peakKiB()
        var last: Int64 = 0
        let summary = try ManifestSurvey.run(manifest, policy: RowPolicy()) { last = $0.byteRange.upperBound }
        try require(summary.validRows == 1_000_000, "\(summary)")
        let writer = RowWriter(
            try RowContext(datasetID: DatasetID(rawValue: "set"), policy: RowPolicy(), summary: summary))
        var chunk = ChunkBuffer(limit: 1_000_000)
        var rows = 0
        try RowReader.read(
            manifest, byteRange: 1..<last, firstRow: 0, rowCount: summary.rows, policy: RowPolicy()
        ) { row in
            if chunk.bytes.count + 402 > chunk.target {
                rows += chunk.count
                chunk.removeAll()
            }
            _ = try writer.append(row, to: &chunk)
        }
        try require(rows + chunk.count == 1_000_000, "\(rows) rows")
        let grown = try peakKiB() - before
        try require(grown < 8 * 1024, "\(grown) KiB more")
    }

    static func hugeRow() throws {
        let scratch = try Scratch()
        let path = scratch.path.appending("huge.jsonl")
        let file = try create(path)
        try file.writeAll("{\"row_data\":\"".utf8)
        let piece = [UInt8](repeating: 0x78, count: 1 << 20)
        for _ in 0..<100 { try file.writeAll(piece) }
        try file.writeAll("\"}\n{\"row_data\":\"t\"}\n".utf8)
        try file.close()
        let before = try peakKiB()
        let survey = try Survey(ManifestFile(path: path, format: ManifestFormat(.lines)))
        try require(survey.rows.map(\.problems.first?.code) == ["row_too_large", nil], "\(survey.rows)")
        try require(survey.rows[0].problems[0].message.contains("104857615 bytes"), "\(survey.rows)")
        // At most the largest row and a window, twice while the window grows.
        let grown = try peakKiB() - before
        try require(grown < 24 * 1024, "\(grown) KiB more")
    }
}
