public import DataRows
internal import Files
public import Foundation
public import Intake
public import Reporting
public import Settings
public import SystemPackage

/// A dry run of one manifest, without the network: what would be imported, what not, and what it would cost.
public struct ManifestCheck: Sendable {
    /// How the daemon would treat it.
    public struct Rules: Sendable {
        public var policy: RowPolicy
        /// Where rows go whose manifest does not say; `nil` where that is not known either.
        public var dataset: DatasetID?
        public var operations: Set<DataRows.RowOperation>
        /// Whether a manifest with an invalid row is rejected as a whole.
        public var rejectsInvalidRows: Bool
        /// In bytes, once inflated.
        public var maximumManifestBytes: Int64
        public var maximumRowsPerTask: Int
        public var deletesPerRequest: Int
        public var requestsPerMinute: Int
        /// Where named files may lie.
        public var locator: MediaLocator
        /// The metadata fields that there are; `nil` where nobody was asked.
        public var ontology: MetadataOntology?

        /// The rules of a watch.
        ///
        /// - Parameters:
        ///   - watch: Whose rules; `nil` for the defaults, and any dataset.
        ///   - requestsPerMinute: The account's budget.
        ///   - locator: Where named files may lie.
        public init(_ watch: WatchSettings?, requestsPerMinute: Int, locator: MediaLocator) {
            let rules = watch ?? WatchSettings(name: "defaults", path: "/", dataset: "")
            policy = rules.rowPolicy
            dataset = watch.map { DatasetID(rawValue: $0.dataset) }
            operations = Set(rules.operations.compactMap { DataRows.RowOperation(rawValue: $0.rawValue) })
            rejectsInvalidRows = rules.onInvalidRow == .reject
            maximumManifestBytes = rules.maxManifestSize
            maximumRowsPerTask = rules.maxRowsPerTask
            deletesPerRequest = rules.deletesPerRequest
            self.requestsPerMinute = requestsPerMinute
            self.locator = locator
        }
    }

    /// What was found.
    public struct Report: Sendable, JSONWritable {
        public var manifest: String
        /// Set where the manifest as a whole cannot be read; nothing of it would be imported.
        public var refusal: String?
        /// Where its rows would go; `nil` where neither the manifest nor a watch says.
        public var dataset: DatasetID?
        public var operation: DataRows.RowOperation?
        public var rows = 0
        public var validRows = 0
        public var rejectedRows = 0
        public var bytes: Int64 = 0
        /// The most bytes that its rows take in chunks.
        public var payloadBytes = 0
        public var mediaFiles = 0
        public var mediaBytes: Int64 = 0
        /// The first that are not there, or may not be read, each with why.
        public var missingMedia: [String] = []
        public var missingMediaTotal = 0
        public var chunks = 0
        public var tasks = 0
        public var requests = 0
        /// At the configured rate.
        public var seconds: Double = 0
        /// The first problems.
        public var problems: [RowProblem] = []
        public var errorsTotal = 0
        public var warnings: [RowProblem] = []
        public var warningsTotal = 0

        /// Whether everything would be imported.
        public var isClean: Bool { refusal == nil && rejectedRows == 0 && missingMediaTotal == 0 }

        /// How `check` ends for this manifest.
        public var status: ExitStatus {
            if refusal != nil || (rows > 0 && validRows == 0) { return .failed }
            if rejectedRows > 0 { return .withErrors }
            return missingMediaTotal > 0 ? .missingMedia : .ok
        }

        public func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("manifest", manifest)
                json.member("refusal", refusal)
                json.member("dataset_id", dataset?.rawValue)
                json.member("operation", operation?.rawValue)
                json.member("rows") { json in
                    json.object { json in
                        json.member("total", rows)
                        json.member("valid", validRows)
                        json.member("rejected", rejectedRows)
                    }
                }
                json.member("bytes", bytes)
                json.member("media") { json in
                    json.object { json in
                        json.member("files", mediaFiles)
                        json.member("bytes", mediaBytes)
                        json.member("missing_total", missingMediaTotal)
                        json.member("missing") { json in json.array(missingMedia) { json, name in json.string(name) } }
                    }
                }
                json.member("chunks", chunks)
                json.member("tasks", tasks)
                json.member("requests", requests)
                json.member("seconds", Double(Int((seconds * 10).rounded())) / 10)
                json.member("errors") { json in json.array(problems) { json, problem in Self.write(problem, to: &json) }
                }
                json.member("errors_total", errorsTotal)
                json.member("warnings") { json in
                    json.array(warnings) { json, problem in Self.write(problem, to: &json) }
                }
                json.member("warnings_total", warningsTotal)
            }
        }

        private static func write(_ problem: RowProblem, to json: inout JSONWriter) {
            json.object { json in
                json.member("row", problem.row)
                json.member("byte_offset", problem.byteOffset)
                json.member("pointer", problem.pointer)
                json.member("code", problem.code)
                json.member("message", problem.message)
            }
        }
    }

    /// How many problems are shown by name.
    public static let shown = 100

    private let rules: Rules

    public init(_ rules: Rules) { self.rules = rules }

    /// Reads a manifest whole, and looks at the files that it names.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - beneath: the same, relative to the drop folder.
    ///   - workFolder: for what does not fit into memory, such as a compressed one's text; all of it is removed again.
    ///   - now: for what expires.
    ///   - named: told of each file that is named and there.
    /// - Returns: what was found.
    /// - Throws: ``ControlError`` when it cannot be opened.
    public func report(
        _ path: FilePath, beneath: FilePath, workFolder: FilePath, now: Date,
        named: (MediaLocator.Place) -> Void = { _ in }
    ) throws(ControlError) -> Report {
        var report = Report(manifest: path.string)
        guard let format = ManifestFormat(fileName: path.lastComponent?.string ?? "") else {
            report.refusal = "its name ends in none of .json, .jsonl, .ndjson (perhaps with .gz): rename it"
            return report
        }
        var media = NamedMedia(manifest: beneath, locator: rules.locator)
        var packing = Packing(chunkBytes: rules.policy.maximumChunkBytes, taskRows: rules.maximumRowsPerTask)
        var span: Range<Int64>?
        var rejected = RowRanges()
        let inflated = workFolder.appending("datarowctl-check-\(getpid())")
        let keys = workFolder.appending("datarowctl-keys-\(getpid())")
        defer {
            unlink(inflated.string)
            unlink(keys.string)
        }
        let (blank, freshMedia, freshPacking) = (report, media, packing)
        do {
            var manifest = try ManifestFile(path: path, format: format)
            if format.isCompressed {
                manifest = try ManifestInflation.inflate(
                    manifest, to: inflated, limits: InflationLimits(maximumBytes: rules.maximumManifestBytes))
            } else if manifest.byteCount > rules.maximumManifestBytes {
                report.refusal =
                    "it has \(manifest.byteCount) bytes, and max_manifest_size allows \(rules.maximumManifestBytes): "
                    + "split it, or raise the limit"
                return report
            }
            let summary = try ManifestSurvey.run(
                manifest, policy: rules.policy, now: Int(now.timeIntervalSince1970), keys: keys, prepare: {},
                again: {
                    (report, media, packing) = (blank, freshMedia, freshPacking)
                    (span, rejected) = (nil, RowRanges())
                }
            ) { row in
                report.warnings += row.warnings.prefix(max(0, Self.shown - report.warnings.count))
                report.warningsTotal += row.warnings.count
                span = (span?.lowerBound ?? row.byteRange.lowerBound)..<row.byteRange.upperBound
                guard row.problems.isEmpty else {
                    rejected.append(row.index)
                    report.errorsTotal += row.problems.count
                    report.problems += row.problems.prefix(max(0, Self.shown - report.problems.count))
                    return
                }
                packing.add(row.payloadBytes)
                report.payloadBytes += row.payloadBytes
                if let name = row.mediaPath { media.look(at: name, named: named) }
                if row.needsTextUpload { media.texts += 1 }
            }
            report.rows = summary.rows
            report.validRows = summary.validRows
            report.rejectedRows = summary.rejectedRows
            report.warningsTotal = summary.warnings
            report.bytes = summary.dropped.byteCount
            report.operation = summary.operation
            report.dataset = summary.header.datasetID ?? rules.dataset
            media.hold(to: summary.header.files)
            if let ontology = rules.ontology, summary.needsOntology, let span {
                try MetadataCheck(ontology: ontology, policy: rules.policy, summary: summary)
                    .run(manifest, span: span, rejected: rejected, into: &report)
            }
        } catch let error as ManifestError {
            report.refusal = "\(error)"
            return report
        } catch let error as Errno {
            throw ControlError(
                path.string, why: "\(error)", hint: "name a manifest that you may read",
                status: error == .noSuchFileOrDirectory ? .noInput : .io)
        } catch {
            throw ControlError(path.string, why: "\(error)", hint: "", status: .io)
        }
        report.mediaFiles = media.count
        report.mediaBytes = media.bytes
        report.missingMedia = media.missing
        report.missingMediaTotal = media.missingTotal
        report.refusal = refusal(report)
        if report.validRows > 0 { (report.chunks, report.tasks) = packing.end() }
        report.requests = requests(report, media: media)
        report.seconds = Double(report.requests) * 60 / Double(max(1, rules.requestsPerMinute))
        return report
    }

    /// Why a manifest that can be read would be rejected as a whole.
    private func refusal(_ report: Report) -> String? {
        if let operation = report.operation, !rules.operations.contains(operation) {
            return "the operation '\(operation.rawValue)' is not among the watch's 'operations': "
                + "drop it elsewhere, or allow it in the configuration"
        }
        if rules.rejectsInvalidRows, report.rejectedRows > 0 {
            return "on_invalid_row is reject, and \(report.rejectedRows) of \(report.rows) rows are invalid"
        }
        return nil
    }

    private func requests(_ report: Report, media: NamedMedia) -> Int {
        if report.refusal != nil || report.validRows == 0 { return 0 }
        if report.operation == .delete {
            // Names become ids first, a job of two requests for every thousand.
            let calls = (report.validRows + rules.deletesPerRequest - 1) / max(1, rules.deletesPerRequest)
            return calls + (report.validRows + 999) / 1000 * 2 + 2
        }
        // A task costs its manifest, its call, two looks at it and its results; and the dataset is looked up once.
        return media.uploads + media.texts + report.chunks + report.tasks * 5 + 2
    }

    /// How rows fall into chunks and tasks.
    struct Packing {
        let chunkBytes: Int
        let taskRows: Int
        private var chunks = 0
        private var tasks = 0
        private var bytes = 0
        private var rows = 0

        init(chunkBytes: Int, taskRows: Int) {
            self.chunkBytes = chunkBytes
            self.taskRows = taskRows
        }

        mutating func add(_ payload: Int) {
            if rows == taskRows { endTask() }
            if bytes > 0, bytes + payload + 1 > chunkBytes {
                chunks += 1
                bytes = 0
            }
            bytes += payload
            rows += 1
        }

        private mutating func endTask() {
            if rows > 0 { tasks += 1 }
            if bytes > 0 { chunks += 1 }
            rows = 0
            bytes = 0
        }

        mutating func end() -> (chunks: Int, tasks: Int) {
            endTask()
            return (chunks, tasks)
        }
    }
}
