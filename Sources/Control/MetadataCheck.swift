internal import DataRows

/// Rows by number, in runs.
struct RowRanges {
    private var runs: [Range<Int>] = []
    private var place = 0

    /// Adds a row after all others.
    mutating func append(_ row: Int) {
        if let last = runs.last, last.upperBound == row {
            runs[runs.count - 1] = last.lowerBound..<row + 1
        } else {
            runs.append(row..<row + 1)
        }
    }

    /// Whether a row is in it; asked for one row after the other.
    mutating func contains(next row: Int) -> Bool {
        while place < runs.count, runs[place].upperBound <= row { place += 1 }
        return place < runs.count && runs[place].contains(row)
    }
}

/// Pass 2 as far as metadata goes: which rows name fields or options that the organization does not have.
struct MetadataCheck {
    private let writer: RowWriter
    private let policy: RowPolicy
    private let rows: Int

    init(ontology: MetadataOntology, policy: RowPolicy, summary: SurveySummary) throws {
        self.policy = policy
        rows = summary.rows
        var context = try RowContext(
            datasetID: DatasetID(rawValue: "checked"), policy: policy, summary: summary, ontology: ontology)
        context.ontology = ontology
        writer = RowWriter(context)
    }

    /// Writes the valid rows as they would be sent, and reports those that cannot be.
    func run(
        _ manifest: ManifestFile, span: Range<Int64>, rejected: RowRanges, into report: inout ManifestCheck.Report
    ) throws {
        var rejected = rejected
        var chunk = ChunkBuffer(limit: policy.maximumChunkBytes)
        // Neither is known before the upload; what they are does not matter here.
        let addition = RowAddition(
            mediaURL: "https://example.invalid/", mediaDigest: [UInt8](repeating: 0, count: 32))
        try RowReader.read(manifest, byteRange: span, firstRow: 0, rowCount: rows, policy: policy) { row in
            guard !rejected.contains(next: row.index) else { return }
            chunk.removeAll()
            do throws(RowWritingError) {
                _ = try writer.append(row, addition, to: &chunk)
            } catch {
                guard case .problem(let problem) = error else { return }
                report.validRows -= 1
                report.rejectedRows += 1
                report.errorsTotal += 1
                if report.problems.count < ManifestCheck.shown { report.problems.append(problem) }
            }
        }
    }
}
