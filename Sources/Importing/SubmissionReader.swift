internal import DataRows
internal import Foundation
internal import Ledger
internal import SystemPackage

/// Pass 2: the rows of a submission, each as it is sent.
///
/// What a row looks like on the wire is a function of its manifest's bytes and of the ledger, so it is made when it is
/// needed and never stored: once to be sent, and again when results are to be matched with rows. All of it runs on a
/// thread of the workbench.
struct SubmissionReader: Sendable {
    let ledger: any SegmentSource
    let workFolder: WorkFolder

    /// What becomes of a row before it is sent.
    enum Fate {
        /// It stands at the end of the chunk, and its names are there.
        case send(RowIdentity)
        /// It cannot be sent.
        case fail(ErrorEntry, RowNames)
        /// It is not sent, and names a row that is to be deleted.
        case delete(RowTarget?, RowNames)
    }

    /// What reading needs from outside.
    struct Needs {
        /// The metadata fields that there are.
        var ontology: () throws -> DataRows.MetadataOntology
        /// Where a text that is too long for a row was uploaded to.
        var textURL: ([UInt8], SegmentRecord) throws -> String
        /// Whether to stop.
        var isAbandoned: () -> Bool
        /// Whether rows are only to be recognised: then the chunk need not have more of a row than its names.
        var namesOnly = false
        /// Whether a row of a segment is passed over, and never handed on.
        var isLeftOut: (_ segment: Int64, _ row: Int) -> Bool = { _, _ in false }
    }

    /// Tells of each row that is to be sent, in the order of segments and rows.
    ///
    /// Rows are written to `chunk`, which `body` or `full` empties; `full` is called when the next row finds no room, and
    /// `body` for each row with its segment and number.
    func read(
        _ submission: SubmissionRecord, chunk: inout ChunkBuffer, needs: Needs,
        full: (inout ChunkBuffer) throws -> Void,
        body: (SegmentRecord, Int, Fate, inout ChunkBuffer) throws -> Void
    ) throws {
        var open: OpenImport?
        try forEachSegment(of: submission.id) { segment in
            var next = segment.firstRow
            do {
                if open?.id != segment.importID {
                    open = try OpenImport(segment, submission.submitWith.form, workFolder: workFolder)
                }
                guard let open else { return }
                try read(segment, of: open, chunk: &chunk, needs: needs, full: full) { row, fate, chunk in
                    next = row + 1
                    try body(segment, row, fate, &chunk)
                }
            } catch let error as UnreadableManifest {
                // The claimed file was taken away or changed under us. Its rows cannot be known any more.
                open = nil
                for row in next..<segment.firstRow + segment.rowCount where segment.only?.contains(row) ?? true {
                    try body(segment, row, .fail(error.entry(row: row), RowNames()), &chunk)
                }
            }
        }
    }

    /// Tells of the segments of a submission, in their order.
    func forEachSegment(of submission: SubmissionID, _ body: (SegmentRecord) throws -> Void) throws {
        var after: Int64 = 0
        while true {
            let last = after
            let page = try Workbench.wait {
                try await ledger.segments(of: submission, after: last, limit: Self.segmentsAtOnce)
            }
            for segment in page { try body(segment) }
            guard let end = page.last, page.count == Self.segmentsAtOnce else { return }
            after = end.id
        }
    }

    private static let segmentsAtOnce = 1_000

    // MARK: One segment

    private func read(
        _ segment: SegmentRecord, of open: OpenImport, chunk: inout ChunkBuffer, needs: Needs,
        full: (inout ChunkBuffer) throws -> Void, body: (Int, Fate, inout ChunkBuffer) throws -> Void
    ) throws {
        // Looked up when the first row names a file; most manifests name none.
        var media: [ExactName: MediaOutcome]?
        let ordinals = try open.ordinals(segment.firstRow..<segment.firstRow + segment.rowCount)
        try open.translatingTrouble {
            try RowReader.read(
                open.manifest, byteRange: segment.offset..<segment.offset + segment.length, firstRow: segment.firstRow,
                rowCount: segment.rowCount, policy: open.instructions.policy
            ) { row in
                if row.index & 0xff == 0, needs.isAbandoned() { throw CancellationError() }
                guard segment.only?.contains(row.index) ?? true else { return }
                if needs.isLeftOut(segment.id, row.index) { return }
                if open.instructions.policy.operation == .delete {
                    return try body(row.index, .delete(row.deletionTarget, row.names), &chunk)
                }
                var addition = RowAddition(ordinal: ordinals[row.index] ?? 0)
                if let name = row.mediaPath(open.instructions.policy) {
                    let known = try media ?? mediaOutcomes(of: segment)
                    media = known
                    let outcome = known[ExactName(name)]
                    if let failure = outcome?.failure {
                        var failure = failure
                        failure.row = row.index
                        failure.byteOffset = row.byteRange.lowerBound
                        return try body(row.index, .fail(failure, open.writer.names(of: row)), &chunk)
                    }
                    addition.mediaURL = outcome?.url
                    addition.mediaDigest = outcome?.sha256
                } else if let text = row.textToUpload(open.instructions.policy) {
                    addition.mediaURL = try needs.textURL(text, segment)
                }
                try body(row.index, write(row, addition, open, &chunk, needs, full), &chunk)
            }
        }
    }

    private func mediaOutcomes(of segment: SegmentRecord) throws -> [ExactName: MediaOutcome] {
        try Workbench.wait { try await ledger.mediaOutcomes(segment: segment.origin) }
    }

    private func write(
        _ row: borrowing SourceRow, _ addition: RowAddition, _ open: OpenImport, _ chunk: inout ChunkBuffer,
        _ needs: Needs, _ full: (inout ChunkBuffer) throws -> Void
    ) throws -> Fate {
        while true {
            do throws(RowWritingError) {
                return .send(
                    try needs.namesOnly
                        ? open.writer.appendNames(of: row, addition, to: &chunk)
                        : open.writer.append(row, addition, to: &chunk))
            } catch {
                switch error {
                case .problem(let problem):
                    return .fail(ErrorEntry(problem), open.writer.names(of: row))
                case .mediaRequired(let index):
                    return .fail(
                        ErrorEntry(
                            row: index, byteOffset: row.byteRange.lowerBound, code: "media_missing",
                            message: "nothing is known of the file that this row names; drop the row again"),
                        open.writer.names(of: row))
                case .ontologyRequired:
                    open.learn(try needs.ontology())
                case .chunkFull:
                    try full(&chunk)
                }
            }
        }
    }
}

/// A manifest that is being read again, with all that its rows need.
private final class OpenImport {
    let id: ImportID
    let manifest: ManifestFile
    let instructions: Instructions
    private(set) var writer: RowWriter
    private let form: RowWriter.Form
    private var context: RowContext
    private let repeats: RepetitionIndex?
    private let name: String
    private let claimedPath: FilePath

    init(_ segment: SegmentRecord, _ form: RowWriter.Form, workFolder: WorkFolder) throws {
        id = segment.importID
        self.form = form
        name = segment.path.string
        claimedPath = segment.claimedPath
        instructions = try Instructions.decode(segment.instructions)
        do {
            let path = instructions.isInflated ? workFolder.inflated(id) : segment.claimedPath
            manifest = try ManifestFile(path: path, format: ManifestFormat(instructions.layout))
            context = RowContext(
                datasetID: instructions.datasetID, policy: instructions.policy,
                operation: instructions.policy.operation,
                defaults: try RowDefaults(
                    instructions.defaults.map { Array($0.utf8) }, mediaType: instructions.policy.mediaType,
                    file: segment.path.string),
                isEnvelope: instructions.isEnvelope)
            repeats = instructions.hasRepeats ? try RepetitionIndex(at: workFolder.repeats(id)) : nil
        } catch {
            throw Self.judged(error, name, claimedPath)
        }
        writer = RowWriter(context, form: form)
    }

    func learn(_ ontology: DataRows.MetadataOntology) {
        context.ontology = ontology
        writer = RowWriter(context, form: form)
    }

    func ordinals(_ rows: Range<Int>) throws -> [Int: Int] {
        guard let repeats else { return [:] }
        do { return try repeats.ordinals(for: rows) } catch { throw Self.judged(error, name, claimedPath) }
    }

    func translatingTrouble(_ body: () throws -> Void) throws {
        do { try body() } catch let error as ManifestError {
            throw UnreadableManifest(name: name, cause: error)
        } catch let error as Errno {
            throw Self.judged(error, name, claimedPath)
        }
    }

    /// Tells a manifest that is lost from one that cannot be read just now: its rows are not failed for that.
    private static func judged(_ error: any Error, _ name: String, _ path: FilePath) -> any Error {
        guard let errno = error as? Errno else { return UnreadableManifest(name: name, cause: error) }
        // Where the folder is away as well, as one that was unmounted, the manifest comes back with it.
        if errno == .noSuchFileOrDirectory, !FolderAbsence.isAway(path.removingLastComponent()) {
            return UnreadableManifest(name: name, cause: error)
        }
        return ManifestTrouble(name: name, cause: errno)
    }
}

/// A claimed manifest that cannot be read for a reason that passes: too many open files, a disk that fails.
private struct ManifestTrouble: Error, CustomStringConvertible {
    let name: String
    let cause: Errno

    var description: String { "the claimed manifest \(name) cannot be read just now (\(cause)); it is tried again" }
}

/// A claimed manifest that is not there any more, or is not what it was.
private struct UnreadableManifest: Error {
    let name: String
    let cause: any Error

    func entry(row: Int) -> ErrorEntry {
        ErrorEntry(
            row: row, code: "manifest_lost",
            message: "the claimed manifest \(name) could not be read again (\(cause)); drop it again: "
                + "rows that were imported already are not imported twice")
    }
}
