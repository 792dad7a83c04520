internal import DataRows
public import Reporting

/// What `check` found in all manifests that it looked at, and in the media of folders.
public struct CheckTotals: Sendable, JSONWritable {
    public var manifests = 0
    /// Of them, those that would not be imported at all.
    public var refused = 0
    public var rows = 0
    public var validRows = 0
    public var rejectedRows = 0
    public var errors = 0
    public var warnings = 0
    public var bytes: Int64 = 0
    public var mediaFiles = 0
    public var mediaBytes: Int64 = 0
    public var missingMedia = 0
    /// Media that no manifest names, and that would be imported on its own; each is a row.
    public var looseFiles = 0
    public var looseBytes: Int64 = 0
    /// Files that the watch would not take, by its rules.
    public var ignoredFiles = 0
    /// Files and folders that could not be read, so that nothing is known of them.
    public var unreadable = 0
    public var chunks = 0
    public var tasks = 0
    public var requests = 0
    public var seconds: Double = 0
    /// How the gravest ended.
    public private(set) var status = ExitStatus.ok

    /// Rows to be sent, by what may share a task: batches cross manifests.
    private var batches: [String: (rows: Int, bytes: Int64)] = [:]
    private var separateRequests = 0

    public init() {}

    /// Adds what was found in a manifest.
    public mutating func add(_ report: ManifestCheck.Report) {
        manifests += 1
        if report.status == .failed { refused += 1 }
        rows += report.rows
        validRows += report.validRows
        rejectedRows += report.rejectedRows
        errors += report.errorsTotal
        warnings += report.warningsTotal
        bytes += report.bytes
        mediaFiles += report.mediaFiles
        mediaBytes += report.mediaBytes
        missingMedia += report.missingMediaTotal
        raise(report.status)
        guard report.refusal == nil, report.validRows > 0 else { return }
        if report.operation == .delete {
            separateRequests += report.requests
            return
        }
        // Its uploads are its own, its chunks and tasks it shares.
        separateRequests += report.requests - report.chunks - report.tasks * 5 - 2
        let share = "\(report.dataset?.rawValue ?? "") \(report.operation?.rawValue ?? "")"
        batches[share, default: (0, 0)].rows += report.validRows
        batches[share, default: (0, 0)].bytes += Int64(report.payloadBytes)
    }

    /// Adds a file that would be imported on its own.
    public mutating func addLoose(bytes: Int64, dataset: String) {
        looseFiles += 1
        looseBytes += bytes
        separateRequests += 1
        batches["\(dataset) create", default: (0, 0)].rows += 1
        batches["\(dataset) create", default: (0, 0)].bytes += 300
    }

    /// Makes the end at least as grave.
    public mutating func raise(_ status: ExitStatus) {
        func gravity(_ status: ExitStatus) -> Int {
            [.ok, .missingMedia, .withErrors, .online, .failed].firstIndex(of: status) ?? 5
        }
        if gravity(status) > gravity(self.status) { self.status = status }
    }

    /// Works out what all of it costs.
    public mutating func finish(maximumChunkBytes: Int, maximumRowsPerTask: Int, requestsPerMinute: Int) {
        chunks = 0
        tasks = 0
        for batch in batches.values {
            let some = (batch.rows + maximumRowsPerTask - 1) / max(1, maximumRowsPerTask)
            tasks += some
            chunks += max(some, Int((batch.bytes + Int64(maximumChunkBytes) - 1) / Int64(max(1, maximumChunkBytes))))
        }
        requests = separateRequests + chunks + tasks * 5 + (batches.isEmpty ? 0 : batches.count + 1)
        seconds = Double(requests) * 60 / Double(max(1, requestsPerMinute))
    }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("total", true)
            json.member("manifests", manifests)
            json.member("refused", refused)
            json.member("rows") { json in
                json.object { json in
                    json.member("total", rows)
                    json.member("valid", validRows)
                    json.member("rejected", rejectedRows)
                }
            }
            json.member("errors_total", errors)
            json.member("warnings_total", warnings)
            json.member("bytes", bytes)
            json.member("media") { json in
                json.object { json in
                    json.member("files", mediaFiles)
                    json.member("bytes", mediaBytes)
                    json.member("missing_total", missingMedia)
                }
            }
            json.member("loose_media") { json in
                json.object { json in
                    json.member("files", looseFiles)
                    json.member("bytes", looseBytes)
                }
            }
            json.member("ignored_files", ignoredFiles)
            json.member("unreadable", unreadable)
            json.member("chunks", chunks)
            json.member("tasks", tasks)
            json.member("requests", requests)
            json.member("seconds", Double(Int((seconds * 10).rounded())) / 10)
        }
    }

    /// For people.
    public var lines: [String] {
        var lines = [
            "in all: \(CheckText.count(manifests, "manifest")), \(refused) of which cannot be imported",
            "  rows      \(rows) in all, \(validRows) to be imported, \(rejectedRows) rejected",
            "  problems  \(CheckText.count(errors, "error")), \(CheckText.count(warnings, "warning"))",
            "  media     \(CheckText.count(mediaFiles, "file")), \(ByteCount.text(mediaBytes)), \(missingMedia) not there",
        ]
        if looseFiles > 0 {
            lines.append(
                "  loose     \(CheckText.count(looseFiles, "file")) without a manifest, \(ByteCount.text(looseBytes)): a row each"
            )
        }
        if ignoredFiles > 0 { lines.append("  ignored   \(CheckText.count(ignoredFiles, "file"))") }
        if unreadable > 0 { lines.append("  unread    \(unreadable) could not be read") }
        lines.append("  bytes     \(bytes)")
        return lines + CheckText.cost(requests: requests, chunks: chunks, tasks: tasks, seconds: seconds)
    }
}
