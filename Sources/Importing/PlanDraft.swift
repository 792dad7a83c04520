internal import DataRows
internal import Files
internal import Foundation
internal import Ledger
internal import SystemPackage

/// A plan while its manifest is being read.
///
/// Used by one thread at a time: that of the workbench while rows are read, the task's own before and after.
final class PlanDraft: @unchecked Sendable {
    // `@unchecked`: see above; the hand-over is the end of `Workbench.run`.

    /// A run of rows that is being gathered, or is complete.
    struct Segment: Sendable {
        var planned: PlannedSegment
        /// The local files that its rows name, each once, in order.
        var mediaNames: [String] = []
    }

    let record: ImportRecord
    let watch: ImportWatch
    var format = ManifestFormat(.document)
    /// Whether its rows are read from a copy in the work folder.
    var isInflated = false
    /// The media file that the manifest is the sidecar of, relative to the drop folder.
    var sidecarOf: FilePath?
    /// What the manifest says of the files that it names, by their paths: `./a.jpg` and `a.jpg` are one.
    private var files: [FilePath: ManifestHeader.FileClaim] = [:]
    var isFirstPart = true
    private(set) var plan: ImportPlan
    private(set) var problemsPart: ResultsPart?
    /// Whether there are files of this import that its rows cannot be read without.
    private(set) var needsWorkFolder = false
    private(set) var hasMedia = false
    private(set) var segmentCount = 0

    private var complete: [Segment] = []
    private var heldNames = 0
    private var current: Segment?
    private var valid = RowRuns()
    private var names = Set<ExactName>()
    private var repetition: RepetitionIndexBuilder?
    private var problems: ProblemLines

    init(record: ImportRecord, watch: ImportWatch) {
        self.record = record
        self.watch = watch
        problems = ProblemLines()
        plan = Self.emptyPlan(watch)
    }

    private static func emptyPlan(_ watch: ImportWatch) -> ImportPlan {
        var plan = ImportPlan(
            datasetID: watch.datasetID, operation: watch.policy.operation.rawValue, batchKey: "",
            maximumRowsPerTask: watch.maximumRowsPerTask, linger: watch.linger.seconds, instructions: Data())
        plan.holdsForMedia = watch.invalidRows == .reject
        return plan
    }

    /// Forgets all rows, since they are told anew; segments that were stored are dropped with the next part.
    func beginAgain() {
        isFirstPart = true
        plan = Self.emptyPlan(watch)
        problems = ProblemLines()
        hasMedia = false
        segmentCount = 0
        complete = []
        heldNames = 0
        current = nil
        valid = RowRuns()
        names = []
        repetition = nil
    }

    // MARK: Reading

    /// A segment is also cut by its bytes, so that rows of a megabyte are sent by hundreds and not by ten thousands.
    private static let segmentBytes: Int64 = 256 << 20

    /// Segments are stored before the manifest's end only past so many; what is stored may begin to be uploaded.
    private static let mostHeld = 50_000

    /// Whether so much is held that it must be stored before the manifest's end.
    var segmentIsFull: Bool { heldNames + complete.count >= Self.mostHeld }

    func take(_ row: SurveyedRow, workFolder: WorkFolder) throws {
        if let segment = current,
            segment.planned.rowCount >= watch.mostRows(row.operation) || segment.planned.length >= Self.segmentBytes
        {
            closeSegment()
        }
        var segment =
            current
            ?? Segment(
                planned: PlannedSegment(
                    firstRow: row.index, rowCount: 0, validRows: 0, offset: row.byteRange.lowerBound, length: 0))
        segment.planned.rowCount += 1
        if row.warningCount > 0 {
            plan.warningsTotal += row.warningCount
            plan.warnings += row.warnings.prefix(ErrorEntry.kept - plan.warnings.count).map(ErrorEntry.init)
        }
        segment.planned.length = row.byteRange.upperBound - segment.planned.offset
        if row.problems.isEmpty {
            segment.planned.validRows += 1
            valid.append(row.index)
            if let name = row.mediaPath, names.insert(ExactName(name)).inserted {
                segment.mediaNames.append(name)
                hasMedia = true
            }
            if watch.policy.globalKey == .derive, !row.hasGlobalKey {
                if repetition == nil {
                    try workFolder.create(for: record.id)
                    repetition = RepetitionIndexBuilder(at: workFolder.repeats(record.id))
                }
                try repetition?.add(row: row.index, hash: row.repetitionHash)
            }
        } else {
            try problems.append(row.problems, row: row.index, names: row.names, part: workFolder.problems(record.id)) {
                try workFolder.create(for: record.id)
            }
            plan.errorsTotal += row.problems.count
            for problem in row.problems where plan.errors.count < ErrorEntry.kept {
                plan.errors.append(ErrorEntry(problem))
            }
        }
        current = segment
    }

    private func closeSegment() {
        guard var segment = current else { return }
        current = nil
        if segment.planned.validRows < segment.planned.rowCount { segment.planned.only = valid }
        valid = RowRuns()
        names.removeAll(keepingCapacity: true)
        guard segment.planned.validRows > 0 else { return }
        segmentCount += 1
        heldNames += segment.mediaNames.count
        complete.append(segment)
    }

    /// What the manifest says of a file.
    func expectation(of name: String) -> ExpectedContent? {
        files[FilePath(name).lexicallyNormalized()].map { ExpectedContent(bytes: $0.bytes, sha256: $0.sha256) }
    }

    func takeSegments() -> [Segment] {
        defer {
            complete = []
            heldNames = 0
        }
        return complete
    }

    // MARK: The end

    func finish(_ summary: SurveySummary, workFolder: WorkFolder) throws {
        closeSegment()
        files = Dictionary(
            summary.header.files.map { (FilePath($0.key.text).lexicallyNormalized(), $0.value) },
            uniquingKeysWith: { $1 })
        problemsPart = try problems.end(firstRow: 0)
        plan.totalRows = summary.rows
        plan.rejectedRows = summary.rejectedRows
        plan.sha256 = Hexadecimal.string(summary.dropped.sha256)
        plan.operation = summary.operation.rawValue
        plan.maximumRowsPerTask = watch.mostRows(summary.operation)
        plan.datasetID = summary.header.datasetID ?? watch.datasetID
        var hasRepeats = false
        if let repetition = repetition.take() { hasRepeats = try repetition.finish() != nil }
        needsWorkFolder = hasRepeats || isInflated
        guard let datasetID = plan.datasetID else {
            return end(
                .rejected, "no dataset is given for it",
                ErrorEntry(
                    code: "dataset_missing",
                    message:
                        "neither the manifest's \"dataset_id\" nor the watch's 'dataset' says where the rows go; add one"
                ))
        }
        guard watch.operations.contains(summary.operation) else {
            return end(
                .rejected, "this watch does not allow its operation",
                ErrorEntry(
                    code: "operation_not_allowed",
                    message: "the operation '\(summary.operation.rawValue)' is not among this watch's 'operations'; "
                        + "drop the manifest elsewhere, or allow it in the configuration"))
        }
        var policy = watch.policy
        policy.operation = summary.operation
        var instructions = Instructions(
            datasetID: datasetID, policy: policy, layout: format.layout, isEnvelope: summary.isEnvelope,
            defaults: summary.header.defaults.map { String(decoding: $0, as: UTF8.self) },
            isInflated: isInflated, hasRepeats: hasRepeats, needsOntology: summary.needsOntology)
        if summary.operation == .upsert { instructions.skipsUnchanged = watch.skipsUnchangedRows }
        plan.instructions = try instructions.encoded()
        plan.batchKey = instructions.batchKey
    }

    /// Ends the import before anything of it was sent.
    func end(_ state: ImportState, _ reason: String, _ error: ErrorEntry) {
        plan.ending = (state, reason)
        plan.errors = [error] + plan.errors.prefix(ErrorEntry.kept - 1)
        plan.errorsTotal += 1
    }

    /// Why it cannot be found out on the server whether it was imported already; nil where it can.
    private var whyNotLookedUp: String? {
        if plan.operation == RowOperation.delete.rawValue {
            return "a name that it deletes may be another row's by now"
        }
        if watch.policy.globalKey == .off { return "rows without a global key cannot be looked up" }
        return nil
    }

    /// Decides whether the rows found go on their way.
    func judge() {
        guard plan.ending == nil else { return }
        if record.origin == .rebuilt, let reason = whyNotLookedUp {
            return end(
                .failed,
                "it is held back, since it may have been imported before the ledger was made anew, and \(reason)",
                ErrorEntry(
                    code: "held_back",
                    message: "\(reason); look what is in the dataset, and drop the manifest again if it is not done"))
        }
        if plan.rejectedRows == plan.totalRows, plan.totalRows > 0 {
            plan.ending = (.rejected, "none of its rows is valid, and nothing was imported")
        } else if plan.rejectedRows > 0, watch.invalidRows == .reject {
            plan.ending = (
                .rejected,
                "nothing was imported, since on_invalid_row is reject and \(plan.rejectedRows) of \(plan.totalRows) rows are invalid"
            )
        }
    }
}

extension ImportWatch {
    /// How many rows share a call: a task, or a deletion.
    fileprivate func mostRows(_ operation: RowOperation) -> Int {
        operation == .delete ? deletesPerRequest : maximumRowsPerTask
    }
}

extension ErrorEntry {
    init(_ problem: RowProblem) {
        self.init(
            row: problem.row, byteOffset: problem.byteOffset, pointer: problem.pointer, code: problem.code,
            message: problem.message)
    }
}
