internal import Crypto
package import DataRows
internal import Foundation
internal import Intake
package import LabelboxAPI
internal import Ledger
internal import Locking
internal import Logging
package import SystemPackage

/// Prepares one manifest after another as imports do, by the same code, and tells what would be sent; nothing is.
///
/// For tests that compare the outcome with that of Labelbox's own client.
package final class Rehearsal: Sendable {
    /// Something that would be uploaded before the rows.
    package struct Upload: Sendable {
        /// What stands in the rows in its place.
        package var url: String
        package var name: String
        package var contentType: String
        /// 32 bytes.
        package var sha256: [UInt8]
        /// The content is a text of a row, and no file.
        package var isText: Bool
    }

    /// A row as it would be sent.
    package struct SentRow: Sendable {
        /// Its number in the manifest.
        package var row: Int
        /// Which of the chunks it stands in.
        package var chunk: Int
        /// Where in the chunk it begins, and ends.
        package var place: Range<Int>
    }

    /// What came of one manifest.
    package struct Outcome: Sendable {
        /// Why nothing of it is imported.
        package var refusal: (code: String, message: String)?
        package var rowCount = 0
        package var operation = ""
        /// What pass 1 rejects.
        package var rejected: [RowProblem] = []
        package var warnings: [RowProblem] = []
        /// Rows that fail when they are written, or whose file cannot be had: their numbers and codes.
        package var failed: [(row: Int, code: String, message: String)] = []
        package var sent: [SentRow] = []
        /// Whole, as they would be uploaded.
        package var chunks: [[UInt8]] = []
        package var uploads: [Upload] = []
    }

    private let stateDirectory: FilePath
    private let datasetID: DatasetID
    private let folder: DropFolder
    private let ontology: DataRows.MetadataOntology
    private let count = Locked(0)

    /// Creates one.
    ///
    /// - Parameters:
    ///   - folder: the manifests, and the files that they name, lie beneath it.
    ///   - stateDirectory: an empty folder, for what is unfolded or counted.
    ///   - datasetID: where the rows go.
    ///   - ontology: the metadata fields that there are, as the service told.
    package init(
        folder: FilePath, stateDirectory: FilePath, datasetID: DatasetID, ontology: LabelboxAPI.MetadataOntology
    ) {
        self.stateDirectory = stateDirectory
        self.datasetID = datasetID
        self.ontology = DataRows.MetadataOntology(ontology)
        var settings = DropFolderSettings(name: "rehearsal", path: folder, stateDirectory: stateDirectory)
        settings.settle = .zero
        settings.mediaGrace = .zero
        self.folder = DropFolder(
            settings, clock: ContinuousClock(), wallClock: { Date() },
            logger: Logger(label: "rehearsal", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Prepares a manifest.
    ///
    /// Blocks its thread, so it is not to be called on one of Swift's own.
    ///
    /// - Parameters:
    ///   - path: the manifest, relative to the folder.
    ///   - policy: the rules of the watch.
    /// - Returns: what would be sent; a manifest or row that is refused is no error.
    /// - Throws: when the state directory cannot be written, or the manifest not be read.
    package func prepare(_ path: FilePath, policy: RowPolicy) throws -> Outcome {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let watch = ImportWatch(
            folder: folder, datasetID: datasetID, operations: Set(RowOperation.allCases), policy: policy,
            invalidRows: .skip, maximumRowsPerTask: 20_000, linger: .zero, maximumManifestBytes: 1 << 34,
            mediaURLAge: .seconds(3600))
        let work = WorkFolder(stateDirectory: stateDirectory)
        let id = ImportID(rawValue: "rehearsal-\(number)")
        defer { work.remove(id) }
        let claimed = folder.settings.path.appending(path.components)
        let draft = PlanDraft(
            record: ImportRecord(
                unstored: id, watch: watch.name, path: path, claimedPath: claimed, bytes: 0, at: Date()),
            watch: watch)
        var outcome = Outcome()
        do {
            try survey(draft, work, &outcome)
        } catch let error as ManifestError {
            outcome.refusal = (error.code, "\(error)")
        } catch let error as IntakeRefusal {
            outcome.refusal = ("unreadable_manifest", "\(error)")
        }
        guard outcome.refusal == nil else { return outcome }
        try write(draft, watch, work, &outcome)
        return outcome
    }

    private func survey(_ draft: PlanDraft, _ work: WorkFolder, _ outcome: inout Outcome) throws {
        var rejected: [RowProblem] = []
        var warnings: [RowProblem] = []
        let summary = try Planning.survey(
            draft, work, now: Date(), isCancelled: { false },
            again: {
                rejected = []
                warnings = []
            }
        ) { row in
            rejected += row.problems
            warnings += row.warnings
        }
        outcome.rejected = rejected
        outcome.warnings = warnings
        outcome.rowCount = summary.rows
        outcome.operation = summary.operation.rawValue
        if draft.plan.ending != nil, let error = draft.plan.errors.first {
            outcome.refusal = (error.code, error.message)
        }
    }

    private func write(
        _ draft: PlanDraft, _ watch: ImportWatch, _ work: WorkFolder, _ outcome: inout Outcome
    ) throws {
        let segments = draft.takeSegments()
        guard !segments.isEmpty else { return }
        let names = Set(segments.flatMap(\.mediaNames).map(ExactName.init(_:)))
        let (media, uploads) = try Workbench.wait { [self] in
            await upload(names.map(\.text).sorted(), draft)
        }
        outcome.uploads = uploads
        let planned = PlannedRows(
            records: segments.enumerated().map { index, segment in
                SegmentRecord(
                    unstored: Int64(index + 1), of: segment.planned, importID: draft.record.id, watch: watch.name,
                    path: draft.record.path, claimedPath: draft.record.claimedPath,
                    instructions: draft.plan.instructions)
            }, media: media)
        let reader = SubmissionReader(ledger: planned, workFolder: work)
        let submission = SubmissionRecord(
            unstored: SubmissionID(rawValue: "rehearsal"), datasetID: datasetID, operation: draft.plan.operation,
            rows: outcome.rowCount, at: Date())
        var chunk = ChunkBuffer()
        var texts: [Upload] = []
        var chunks: [[UInt8]] = []
        var sent: [SentRow] = []
        var failed: [(row: Int, code: String, message: String)] = []
        func full(_ chunk: inout ChunkBuffer) {
            guard !chunk.isEmpty else { return }
            chunk.close()
            chunks.append(chunk.bytes)
            chunk = ChunkBuffer()
        }
        let ontology = ontology
        try reader.read(
            submission, chunk: &chunk,
            needs: SubmissionReader.Needs(
                ontology: { ontology },
                textURL: { text, _ in
                    let digest = [UInt8](SHA256.hash(data: text))
                    let url = "https://upload.invalid/text/\(Hexadecimal.string(digest))"
                    texts.append(
                        Upload(
                            url: url, name: "row_data.txt", contentType: "text/plain", sha256: digest, isText: true))
                    return url
                },
                isAbandoned: { false }),
            full: full,
            body: { _, row, fate, chunk in
                switch fate {
                case .send:
                    let start = sent.last.flatMap { $0.chunk == chunks.count ? $0.place.upperBound + 1 : nil } ?? 1
                    sent.append(SentRow(row: row, chunk: chunks.count, place: start..<chunk.bytes.count))
                case .fail(let error, _): failed.append((row, error.code, error.message))
                // Labelbox's client has no manifests of deletions, so there is nothing to compare.
                case .delete: break
                }
            })
        full(&chunk)
        outcome.chunks = chunks
        outcome.sent = sent
        outcome.failed = failed
        outcome.uploads += texts
    }

    // MARK: Files

    private func upload(_ names: [String], _ draft: PlanDraft) async -> ([ExactName: MediaOutcome], [Upload]) {
        var outcomes: [ExactName: MediaOutcome] = [:]
        var uploads: [Upload] = []
        for name in names {
            do {
                let upload = try await upload(name, draft)
                uploads.append(upload)
                outcomes[ExactName(name)] = MediaOutcome(unstored: upload.url, sha256: upload.sha256, failure: nil)
            } catch {
                let failure = (error as? FileRefusal)?.entry ?? ErrorEntry(code: "media_missing", message: "\(error)")
                outcomes[ExactName(name)] = MediaOutcome(unstored: nil, sha256: nil, failure: failure)
            }
        }
        return (outcomes, uploads)
    }

    private struct FileRefusal: Error {
        let entry: ErrorEntry
    }

    private func upload(_ name: String, _ draft: PlanDraft) async throws -> Upload {
        var resolution = await folder.resolveMedia(path: name, manifestRelativePath: draft.record.path)
        // A file that nobody writes is ready at the second look.
        for _ in 0..<10 {
            guard case .settling = resolution else { break }
            resolution = await folder.resolveMedia(path: name, manifestRelativePath: draft.record.path)
        }
        guard case .ready(let media) = resolution else {
            if case .refused(let refusal) = resolution {
                throw FileRefusal(entry: ErrorEntry(code: refusal.code.rawValue, message: refusal.message))
            }
            throw FileRefusal(entry: ErrorEntry(code: "media_missing", message: "\(name): \(resolution)"))
        }
        let bytes = try Data(contentsOf: URL(filePath: folder.mediaPath(media).string))
        let digest = [UInt8](SHA256.hash(data: bytes))
        if let expected = draft.expectation(of: name),
            (expected.bytes ?? media.size) != media.size || (expected.sha256 ?? digest) != digest
        {
            throw FileRefusal(entry: ErrorEntry(code: "media_missing", message: "\(name) is not what was announced"))
        }
        let judgement = draft.watch.media.judge(
            name: name, size: media.size, head: Array(bytes.prefix(MediaRules.headBytes)))
        if let refusal = judgement.refusal {
            throw FileRefusal(entry: ErrorEntry(code: refusal.code, message: refusal.message))
        }
        return Upload(
            url:
                "https://upload.invalid/file/\(Hexadecimal.string(SHA256.hash(data: Data(media.relativePath.string.utf8))))",
            name: media.relativePath.lastComponent?.string ?? "file",
            contentType: judgement.contentType, sha256: digest, isText: false)
    }
}

/// What a ledger would hold of one planned import.
private struct PlannedRows: SegmentSource {
    let records: [SegmentRecord]
    let media: [ExactName: MediaOutcome]

    func segments(of submission: SubmissionID, after: Int64, limit: Int) async throws -> [SegmentRecord] {
        Array(records.lazy.filter { $0.id > after }.prefix(limit))
    }

    func mediaOutcomes(segment origin: Int64) async throws -> [ExactName: MediaOutcome] { media }
}
