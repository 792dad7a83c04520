public import SystemPackage

/// What pass 1 found out about a whole manifest.
public struct SurveySummary: Sendable, Equatable {
    /// How many rows there are.
    public var rows = 0
    /// How many of them are imported.
    public var validRows = 0
    /// How many of them are not.
    public var rejectedRows = 0
    /// How many warnings there are, of all rows.
    public var warnings = 0
    /// The size of the (uncompressed) text, in bytes.
    public var bytes: Int64 = 0
    /// The size and SHA-256 of the file as it was dropped.
    public var dropped = ManifestFile.Digest(byteCount: 0, sha256: [])
    /// What the manifest says beside its rows.
    public var header = ManifestHeader()
    /// What is done with the rows: the header's word, else the policy's.
    public var operation = RowOperation.create
    /// The rows stand in an envelope, so that their pointers begin with `/rows`.
    public var isEnvelope = false
    /// Some valid row, or the defaults, need the metadata ontology.
    public var needsOntology = false
}

/// Pass 1: reads a whole manifest before anything of it is sent.
public enum ManifestSurvey {
    /// How the survey reads; the defaults are right but for tests.
    package struct Tuning: Sendable {
        package var windowBytes = 1 << 20
        /// How many keys are looked up in memory before a file is used; nil for the usual number.
        package var memoryKeys: Int?
        package init(windowBytes: Int = 1 << 20, memoryKeys: Int? = nil) {
            self.windowBytes = windowBytes
            self.memoryKeys = memoryKeys
        }
    }

    /// So many warnings are told in words; the rest are counted.
    ///
    /// A million rows with the same flaw must not cost a million sentences.
    public static let warningsTold = 1_000

    /// Checks the whole text and every row, and tells of each row in order; repeated global keys are not looked for.
    ///
    /// Memory does not depend on the manifest's size: a window of 1 MiB, more only for a row that is longer.
    ///
    /// - Parameters:
    ///   - manifest: the file, not compressed.
    ///   - policy: the rules; the manifest's header may name another operation.
    ///   - now: the present, in seconds since 1970, for what expires; nil leaves that out.
    ///   - isCancelled: asked every few thousand rows.
    ///   - row: told of each row. Keep what it is given as it likes; throwing ends the survey.
    /// - Returns: what holds of the whole manifest.
    /// - Throws: ``ManifestError`` if the text is malformed or ends too early, `CancellationError`, `Errno`, or what `row` throws.
    public static func run(
        _ manifest: ManifestFile, policy: RowPolicy, now: Int? = nil, isCancelled: () -> Bool = { false },
        row: (SurveyedRow) throws -> Void
    ) throws -> SurveySummary {
        try run(manifest, policy: policy, now: now, tuning: Tuning(), isCancelled: isCancelled, row: row)
    }

    /// Checks the whole text and every row, and that no two rows are for the same global key or data row.
    ///
    /// Where some are, that is known only once all was read: then all is read once more and told anew, with those rows
    /// rejected. Manifests without such rows, which nearly all are, are read once.
    ///
    /// - Parameters:
    ///   - manifest: the file, not compressed.
    ///   - policy: the rules; the manifest's header may name another operation.
    ///   - now: the present, in seconds since 1970, for what expires; nil leaves that out.
    ///   - keys: where the index of repeated keys will lie; files with that name and more appear meanwhile, and only the
    ///     index of a manifest that has some is left.
    ///   - prepare: called before the first of these files is made, to make their folder.
    ///   - isCancelled: asked every few thousand rows.
    ///   - again: called before rows are told anew: what was told so far does not hold.
    ///   - row: told of each row. Keep what it is given as it likes; throwing ends the survey.
    /// - Returns: what holds of the whole manifest.
    /// - Throws: ``ManifestError`` if the text is malformed or ends too early, `CancellationError`, `Errno`, or what the
    ///   closures throw.
    public static func run(
        _ manifest: ManifestFile, policy: RowPolicy, now: Int?, keys: FilePath,
        prepare: @escaping () throws -> Void, isCancelled: () -> Bool = { false }, again: () throws -> Void,
        row: (SurveyedRow) throws -> Void
    ) throws -> SurveySummary {
        try run(
            manifest, policy: policy, now: now, keys: keys, tuning: Tuning(), prepare: prepare,
            isCancelled: isCancelled, again: again, row: row)
    }

    package static func run(
        _ manifest: ManifestFile, policy: RowPolicy, now: Int? = nil, keys: FilePath, tuning: Tuning,
        prepare: @escaping () throws -> Void, isCancelled: () -> Bool = { false }, again: () throws -> Void,
        row report: (SurveyedRow) throws -> Void
    ) throws -> SurveySummary {
        var builder = RepeatedKeysBuilder(at: keys, memoryRows: tuning.memoryKeys, prepare: prepare)
        let summary = try pass(manifest, policy, now, tuning, isCancelled, report) { row, operation, _ in
            // To delete a row twice is to delete it.
            if operation != .delete { try builder.add(row) }
        }
        guard var repeated = try builder.finish() else { return summary }
        try again()
        return try pass(manifest, policy, now, tuning, isCancelled, report) { row, _, reject in
            if let first = try repeated.first(before: row.index) { reject(first, &row) }
        }
    }

    package static func run(
        _ manifest: ManifestFile, policy: RowPolicy, now: Int? = nil, tuning: Tuning,
        isCancelled: () -> Bool = { false }, row report: (SurveyedRow) throws -> Void
    ) throws -> SurveySummary {
        try pass(manifest, policy, now, tuning, isCancelled, report) { _, _, _ in }
    }

    // Each valid row goes through `valid` before it is told, with a way to reject it for an earlier one.
    @inline(__always) private static func pass(
        _ manifest: ManifestFile, _ policy: RowPolicy, _ now: Int?, _ tuning: Tuning, _ isCancelled: () -> Bool,
        _ report: (SurveyedRow) throws -> Void,
        valid: (inout SurveyedRow, RowOperation, (Int, inout SurveyedRow) -> Void) throws -> Void
    ) throws -> SurveySummary {
        let options = ManifestWalker.Options(
            depthLimit: policy.depthLimit, maximumRowBytes: policy.maximumRowBytes, windowBytes: tuning.windowBytes,
            hashes: manifest.original == nil)
        var walker = try ManifestWalker(manifest, options: options, isCancelled: isCancelled)
        let defaults = try RowDefaults(walker.header.defaults, mediaType: policy.mediaType, file: manifest.name)
        var summary = SurveySummary()
        summary.operation = walker.header.operation ?? policy.operation
        summary.isEnvelope = walker.isEnvelope
        summary.needsOntology = defaults.needsOntology
        let rules = RowRules(
            policy: policy, operation: summary.operation, defaults: defaults, isEnvelope: summary.isEnvelope, now: now)
        if summary.operation == .delete, try !RowDefaults(walker.header.defaults).isEmpty {
            throw ManifestError(
                code: "defaults_not_allowed", file: manifest.name, pointer: "/defaults",
                reason: "rows that are deleted take no values",
                remedy: "remove \"defaults\", or set another operation if no row was to be deleted")
        }
        var found = SurveyedRow()
        found.operation = summary.operation
        while try walker.next() {
            if walker.row & 0xfff == 0, isCancelled() { throw CancellationError() }
            found.reset()
            found.index = walker.row
            found.byteRange = walker.rowRange
            if walker.isOversize {
                rules.inspectOversize(&found)
            } else {
                let bytes = UnsafePointer(walker.window.bytes)
                rules.inspect(
                    bytes, walker.rowStart, walker.rowEnd, base: walker.window.offset, members: &walker.members,
                    into: &found)
                // Only for a key that is derived does it matter what the row repeats.
                if !found.hasGlobalKey {
                    found.repetitionHash = RepetitionHash.of(bytes + walker.rowStart, walker.rowEnd - walker.rowStart)
                }
            }
            if found.problems.isEmpty {
                try valid(&found, summary.operation) { first, row in
                    let whole = JSONSlice(bytes: walker.window.bytes, start: walker.rowStart, end: walker.rowEnd)
                    rules.reportRepeatedKey(first, whole, walker.window.offset, &row)
                }
            }
            if found.problems.isEmpty {
                summary.validRows += 1
                if found.needsOntology { summary.needsOntology = true }
            } else {
                summary.rejectedRows += 1
                let bytes = UnsafePointer(walker.window.bytes)
                if !walker.isOversize, bytes[walker.rowStart] == 0x7b {
                    found.names = RowNames(walker.members, in: bytes)
                }
            }
            if found.warningCount != 0 {
                summary.warnings += found.warningCount
                found.tellsWarnings = summary.warnings < warningsTold
            }
            try report(found)
        }
        summary.rows = walker.row + 1
        summary.header = walker.header
        summary.bytes = walker.place
        summary.dropped =
            manifest.original ?? ManifestFile.Digest(byteCount: summary.bytes, sha256: walker.sha256() ?? [])
        return summary
    }
}
