import DataRows
import Foundation
import SystemPackage
import Testing

@Suite(.serialized) struct ConstantMemory {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Writes rows without holding them.
    private func manifest(
        rows: Int, open: String = "[", between: String = ",\n", close: String = "]"
    ) throws -> ManifestFile {
        let path = scratch.path.appending("large.json")
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        var text = open
        for row in 0..<rows {
            if row > 0 { text += between }
            text +=
                #"{"row_data":"https://storage.example.com/a-bucket/folder/image-\#(row).jpg","external_id":"image-\#(row)","global_key":"key-\#(row)"}"#
            if text.utf8.count > 1 << 20 {
                try file.writeAll(text.utf8)
                text = ""
            }
        }
        try file.writeAll((text + close).utf8)
        try file.close()
        return try ManifestFile(path: path, format: ManifestFormat(.document))
    }

    /// The memory of this process in use, in KiB (Linux's `VmRSS`).
    private func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }

    @Test(.timeLimit(.minutes(5))) func aMillionRowsTakeNoMoreMemoryThanAWindow() throws {
        let manifest = try manifest(rows: 1_000_000)
        #expect(manifest.byteCount > 100_000_000)
        let before = try residentKiB()
        var last: Int64 = 0
        var highest = 0
        let summary = try ManifestSurvey.run(manifest, policy: RowPolicy()) { row in
            last = row.byteRange.upperBound
            if row.index % 250_000 == 0 { highest = max(highest, try residentKiB()) }
        }
        #expect(summary.validRows == 1_000_000)
        #expect(highest - before < 32 * 1024)
        // Pass 2, in chunks that are used again.
        let writer = RowWriter(
            try RowContext(datasetID: DatasetID(rawValue: "set"), policy: RowPolicy(), summary: summary))
        var chunk = ChunkBuffer(limit: 1_000_000)
        var rows = 0
        try RowReader.read(
            manifest, byteRange: 1..<last, firstRow: 0, rowCount: summary.rows, policy: RowPolicy()
        ) { row in
            if !chunk.fits(400) {
                rows += chunk.count
                chunk.removeAll()
                highest = max(highest, try residentKiB())
            }
            _ = try writer.append(row, to: &chunk)
        }
        #expect(rows + chunk.count == 1_000_000)
        #expect(highest - before < 32 * 1024)
    }

    @Test func aRowOfFiveMegabytesIsReadAndWritten() throws {
        let object = "{\"a\":[" + Array(repeating: "\"1234567\"", count: 500_000).joined(separator: ",") + "]}"
        let text = "[{\"row_data\":\"t\"},{\"row_data\":\(object)},{\"row_data\":\"u\"}]"
        let manifest = try scratch.manifest(text)
        let survey = try Survey(manifest)
        #expect(survey.summary.validRows == 3)
        #expect(survey.rows[1].byteRange.count > 5_000_000)
        #expect(try splice(manifest).text.contains(object))
    }

    @Test func aRowOfAHundredMegabytesIsRejectedWithoutBeingHeld() throws {
        let path = scratch.path.appending("huge.jsonl")
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        try file.writeAll("{\"row_data\":\"".utf8)
        let piece = [UInt8](repeating: 0x78, count: 1 << 20)
        for _ in 0..<100 { try file.writeAll(piece) }
        try file.writeAll("\"}\n{\"row_data\":\"t\"}\n".utf8)
        try file.close()
        let before = try residentKiB()
        let survey = try Survey(ManifestFile(path: path, format: ManifestFormat(.lines)))
        #expect(survey.rows.map(\.problems.first?.code) == ["row_too_large", nil])
        #expect(survey.rows[0].problems[0].message.contains("104857615 bytes"))
        #expect(try residentKiB() - before < 40 * 1024)
    }

    @Test func rowsAreNotHeldAtTheSizeLimitEither() throws {
        for (length, isValid) in [(9_000_000, true), (9_999_990, false)] {
            let text = "[{\"row_data\":{\"a\":\"" + String(repeating: "x", count: length) + "\"}}]"
            let survey = try Survey(scratch.manifest(text))
            #expect((survey.summary.validRows == 1) == isValid)
        }
    }
}
