internal import DataRows
internal import Files
internal import Foundation
internal import Glibc
internal import LabelboxAPI
internal import Ledger
internal import SystemPackage
internal import Transport

/// Handing over by `appendRowsToDataset`: one file of rows, one call, one task.
extension Submitting {
    /// Writes the file, uploads it, makes the intent durable, and calls.
    func append(_ item: Leased<SubmissionRecord>) async throws {
        let (file, rows) = try await writeFile(item.item)
        guard rows > 0 else {
            try await settling.settle(item, report: TaskReport(status: "NOT_SENT"))
            return
        }
        let url: String
        do throws(LabelboxError) {
            url = try await client.uploadFile(
                content: .file(file), byteCount: file.length, filename: "json_import.json",
                contentType: "application/json", progress: nil
            ).url
        } catch {
            // All rows are in one file, and fewer rows make a smaller one.
            guard error.kind == .tooLarge else { throw error }
            return try await settling.refused(item, error)
        }
        try await ledger.recordIntent(item, manifestURL: url, at: context.clock.now)
        let dataset = item.item.datasetID
        try await call(item, rows: rows, chunks: 1) { () async throws(LabelboxError) in
            (try await client.appendRows(to: dataset, jsonURL: url), .inProgress)
        }
    }

    /// The rows as one JSON list, in a file that has no name, so that a crash leaves nothing of it.
    ///
    /// The service sets no limit to it, so it is never in memory as a whole.
    private func writeFile(_ submission: SubmissionRecord) async throws -> (FileSlice, rows: Int) {
        let abandonment = Abandonment()
        return try await abandonment.guarding {
            try await workbench.run {
                let file = try NamelessFile(in: workFolder.root)
                var rows = 0
                var chunk = ChunkBuffer()
                func flush(_ chunk: inout ChunkBuffer) throws {
                    guard !chunk.isEmpty else { return }
                    // Each chunk begins with the bracket of a list; from the second on, a comma stands in its place.
                    if rows > 0 {
                        try file.write([UInt8(ascii: ",")])
                        try file.write(chunk.bytes.dropFirst())
                    } else {
                        try file.write(chunk.bytes[...])
                    }
                    rows += chunk.count
                    chunk.removeAll()
                }
                try reader.read(
                    submission, chunk: &chunk,
                    needs: SubmissionReader.Needs(
                        ontology: { try Workbench.wait { try await account.ontology() } },
                        textURL: { text, segment in
                            try Workbench.wait { try await texts.url(of: text, for: segment) }
                        },
                        isAbandoned: { abandonment.isAbandoned }),
                    full: flush,
                    body: { _, _, _, chunk in if chunk.bytes.count >= Self.flushedBytes { try flush(&chunk) } })
                try flush(&chunk)
                try file.write([UInt8(ascii: "]")])
                return (file.slice(), rows)
            }
        }
    }

    /// So much of the file is gathered before it is written.
    private static let flushedBytes = 256 << 10
}

/// A file for as long as it is open.
private final class NamelessFile {
    private let descriptor: FileDescriptor
    private let folder: FilePath
    private var length: Int64 = 0
    private var isGiven = false

    /// Makes an empty one.
    ///
    /// - Throws: ``FileError``.
    init(in folder: FilePath) throws {
        self.folder = folder
        let name = folder.appending(".\(UUID().uuidString)\(TemporaryName.suffix)")
        do {
            descriptor = try FileDescriptor.open(
                name, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        } catch let error as Errno {
            throw FileError("create", name, error)
        }
        unlink(name.string)
    }

    deinit {
        // Nothing is lost with it.
        if !isGiven { try? descriptor.close() }
    }

    func write(_ bytes: some Collection<UInt8>) throws {
        do { length += Int64(try descriptor.writeAll(bytes)) } catch let error as Errno {
            throw FileError("write to a file in", folder, error)
        }
    }

    /// The whole of it, to be read; to be called once.
    func slice() -> FileSlice {
        isGiven = true
        return FileSlice(owning: descriptor, name: folder.appending("json_import.json"), length: length)
    }
}
