internal import DataRows
internal import Files
internal import Foundation
internal import Glibc
internal import LabelboxAPI
internal import Ledger
internal import Results
internal import SystemPackage

/// The outcome of each row of a submission, gathered row by row.
struct Judgement: Sendable {
    private(set) var report: TaskReport
    let operation: String
    /// How things were before the call; `nil` where rows are only created.
    let findings: Findings?
    private(set) var segments: [SegmentResults] = []
    /// Keys of rows that one row of the submission created, so that another one updated it.
    private var createdKeys = Set<ExactName>()

    init(report: TaskReport, operation: String, findings: Findings? = nil) {
        self.report = report
        self.operation = operation
        self.findings = findings
    }

    /// Whether each row has an outcome.
    var isWhole: Bool { segments.allSatisfy { $0.open.isEmpty } }

    /// The rows of one segment that have ended, as lines, and those that have not.
    struct SegmentResults: Sendable {
        let segment: SegmentRecord
        var outcome: SegmentOutcome
        var lines: [UInt8] = []
        var firstLine: Int?
        /// Rows without an outcome, and their names for the day that they get one.
        var open = RowRuns()
        fileprivate var openNames: [Int: (key: ArraySlice<UInt8>?, externalID: ArraySlice<UInt8>?)] = [:]

        /// Lines up to this size stay in the ledger; see ``ResultsPart/Lines``.
        private static let inlineBytes = 4 << 10

        private static let mostReserved = 8 << 20

        /// Stores the lines: as a file that is whole or absent, not yet durable, or as bytes for the ledger.
        func write(in folder: WorkFolder) throws -> ResultsPart? {
            guard let firstLine else { return nil }
            if lines.count <= Self.inlineBytes { return ResultsPart(firstRow: firstLine, lines: .inline(Data(lines))) }
            try folder.create(for: segment.importID)
            let path = folder.part(segment.importID, segment: segment.id)
            try AtomicFile.write(lines, to: path, durable: false)
            return ResultsPart(firstRow: firstLine, lines: .file(path))
        }

        mutating func add(_ line: ResultLine) {
            if firstLine == nil { firstLine = line.row }
            line.append(to: &lines)
            switch line.outcome {
            case .created: outcome.created += 1
            case .updated: outcome.updated += 1
            case .alreadyPresent: outcome.alreadyPresent += 1
            case .deleted: outcome.deleted += 1
            case .failed, .rejected: outcome.failed += 1
            }
        }

        /// Adds a row that was created, its key and external id as JSON, its id as it is.
        mutating func addCreated(
            _ row: Int, key: UnsafeRawBufferPointer, externalID: UnsafeRawBufferPointer?, id: UnsafeRawBufferPointer
        ) {
            if firstLine == nil {
                firstLine = row
                // In one piece instead of by doubling; what is not written to costs nothing.
                let line = 128 + key.count + (externalID?.count ?? 0) + id.count
                lines.reserveCapacity(min(segment.sendRows * line, Self.mostReserved))
            }
            ResultLine.appendCreated(row: row, globalKey: key, externalID: externalID, dataRowID: id, to: &lines)
            outcome.created += 1
        }

        mutating func fail(
            _ row: Int, _ error: ErrorEntry, key: ArraySlice<UInt8>?, externalID: ArraySlice<UInt8>?
        ) {
            add(
                ResultLine(
                    row: row, globalKey: key, externalID: externalID, outcome: .failed,
                    failure: .init(code: error.code, message: error.message)))
            guard outcome.errors.count < ErrorEntry.kept else { return }
            var error = error
            error.row = row
            outcome.errors.append(error)
        }
    }

    // MARK: A row

    /// Takes the next row; rows come by segment, and in order.
    mutating func judge(
        _ segment: SegmentRecord, _ row: Int, _ fate: SubmissionReader.Fate, _ chunk: ChunkBuffer
    ) throws {
        let here = enter(segment)
        switch fate {
        case .delete(_, let names):
            segments[here].open.append(row)
            segments[here].openNames[row] = (names.globalKey?[...], names.externalID?[...])
        case .fail(let error, let names):
            segments[here].fail(row, error, key: names.globalKey?[...], externalID: names.externalID?[...])
        case .send(let identity):
            if takeCreated(identity, row, chunk, here) { return }
            let key = identity.globalKey.map { chunk.bytes[$0.lowerBound - 1..<$0.upperBound + 1] }
            let externalID = identity.externalID.map { chunk.bytes[$0] }
            switch word(for: identity, in: chunk, segment, row) {
            case .ended(let outcome, let id):
                segments[here].add(
                    ResultLine(
                        row: row, globalKey: key, externalID: externalID, outcome: outcome,
                        dataRowID: id.map { ResultLine.quoted($0.rawValue) }))
            case .failed(let message):
                segments[here].fail(
                    row, ErrorEntry(row: row, code: "labelbox_refused", message: message), key: key,
                    externalID: externalID)
            case .missing:
                segments[here].fail(
                    row,
                    ErrorEntry(
                        row: row, code: "not_found",
                        message: "there is no row with this global key, so nothing was updated; "
                            + "set the operation to upsert to create what is not there"),
                    key: key, externalID: externalID)
            case .open:
                segments[here].open.append(row)
                segments[here].openNames[row] = (
                    key.map { ArraySlice(Array($0)) }, externalID.map { ArraySlice(Array($0)) }
                )
            }
        }
    }

    /// Takes a row that was to be created, has a key, and was created: nearly all do, so no text is made for it.
    ///
    /// - Returns: whether it is one of those.
    private mutating func takeCreated(
        _ identity: RowIdentity, _ row: Int, _ chunk: ChunkBuffer, _ here: Int
    ) -> Bool {
        guard identity.target == nil, let key = identity.globalKey else { return false }
        return chunk.bytes.withUnsafeBytes { bytes in
            let name = UnsafeRawBufferPointer(rebasing: bytes[key])
            // One with escapes is not written as the server tells it.
            guard let start = name.baseAddress, memchr(start, 0x5c, name.count) == nil else { return false }
            return report.withCreatedID(ofKey: name) { id in
                segments[here].addCreated(
                    row, key: UnsafeRawBufferPointer(rebasing: bytes[key.lowerBound - 1..<key.upperBound + 1]),
                    externalID: identity.externalID.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }, id: id)
            } != nil
        }
    }

    /// Where the results of a segment are, which is the last or a new one.
    private mutating func enter(_ segment: SegmentRecord) -> Int {
        if segments.last?.segment.id != segment.id {
            segments.append(SegmentResults(segment: segment, outcome: SegmentOutcome(segment: segment.id)))
        }
        return segments.count - 1
    }

    /// Takes the next row with its line; rows come by segment, and in order.
    mutating func take(_ line: ResultLine, of segment: SegmentRecord) {
        let here = enter(segment)
        guard line.outcome == .failed, let failure = line.failure else { return segments[here].add(line) }
        segments[here].fail(
            line.row, ErrorEntry(row: line.row, code: failure.code, message: failure.message), key: line.globalKey,
            externalID: line.externalID)
    }

    private enum Word {
        case ended(ResultLine.Outcome, DataRowID?)
        case failed(String)
        /// The row that it was to update was not there.
        case missing
        case open
    }

    private mutating func word(
        for identity: RowIdentity, in chunk: ChunkBuffer, _ segment: SegmentRecord, _ row: Int
    ) -> Word {
        switch identity.target {
        case .id(let range)?:
            return word(forID: DataRowID(rawValue: chunk.string(in: range)), identity, chunk, segment, row)
        case .globalKey?: return word(forKeyOf: identity, chunk, segment, row)
        case nil: return word(forNew: identity, chunk, segment, row)
        }
    }

    private func externalID(_ identity: RowIdentity, _ chunk: ChunkBuffer) -> ExactName? {
        identity.externalID.map { chunk.name(in: $0.lowerBound + 1..<$0.upperBound - 1) }
    }

    /// A row that was to be updated, whatever its names are or were.
    private mutating func word(
        forID id: DataRowID, _ identity: RowIdentity, _ chunk: ChunkBuffer, _ segment: SegmentRecord, _ row: Int
    ) -> Word {
        if findings?.isUnchanged(segment.id, row) ?? false { return .ended(.alreadyPresent, id) }
        if report.hasReported(id) { return .ended(.updated, id) }
        if let key = identity.globalKey, case .failed(let message)? = report.word(for: chunk.name(in: key)) {
            return .failed(message)
        }
        return report.takeFailure(externalID: externalID(identity, chunk)).map(Word.failed) ?? .open
    }

    /// A row that was to be updated where its key existed, and else, in an upsert, to be created.
    private mutating func word(
        forKeyOf identity: RowIdentity, _ chunk: ChunkBuffer, _ segment: SegmentRecord, _ row: Int
    ) -> Word {
        if findings?.isMissing(segment.id, row) ?? false { return .missing }
        guard let range = identity.globalKey else { return .open }
        let key = chunk.name(in: range)
        if findings?.isUnchanged(segment.id, row) ?? false, let id = report.row(foundBy: key) {
            return .ended(.alreadyPresent, id)
        }
        let wasThere = findings?.wasPresent(segment.id, row) ?? true
        switch report.word(for: key) {
        case .created(let id)?:
            // Of two rows with one new key the first creates what the second updates.
            return .ended(wasThere || !createdKeys.insert(key).inserted ? .updated : .created, id)
        case .failed(let message)?: return .failed(message)
        case .unknown?, nil:
            // That a row exists says that it was created; it does not say that it was changed.
            guard !wasThere, let id = report.row(foundBy: key) else { return .open }
            return .ended(createdKeys.insert(key).inserted ? .created : .updated, id)
        }
    }

    private static let oneOfSeveral =
        " (said of one of several rows that have no global key and cannot be told apart, perhaps of this one: look at the "
        + "dataset before you drop it again, and give rows keys)"

    /// Takes what was said of a row without a key; its content is looked at only where nothing else tells it.
    private mutating func takeKeyless(
        _ identity: RowIdentity, _ chunk: ChunkBuffer
    ) -> (word: TaskReport.Word, isCertain: Bool)? {
        var content: Int?
        // Behind the bracket of the list.
        if report.needsContent, let row = try? JSONParser.parse(Array(chunk.bytes.dropFirst())) {
            let payload = row["payload"] ?? row
            content = (payload["row_data"] ?? payload["rowData"])?.string.map(KeylessWords.mark)
        }
        return report.takeWord(externalID: externalID(identity, chunk), content: content)
    }

    private mutating func word(
        forNew identity: RowIdentity, _ chunk: ChunkBuffer, _ segment: SegmentRecord, _ row: Int
    ) -> Word {
        guard let range = identity.globalKey else {
            guard let (word, isCertain) = takeKeyless(identity, chunk) else { return .open }
            switch word {
            // Which of the rows that were made is this one nobody knows; that one was made for it is known.
            case .created(let id): return .ended(.created, isCertain ? id : nil)
            case .failed(let message): return .failed(isCertain ? message : message + Self.oneOfSeveral)
            case .unknown: return .open
            }
        }
        let key = chunk.name(in: range)
        var word = report.word(for: key)
        if word == nil, report.isWithoutKeys {
            word = takeKeyless(identity, chunk)?.word
        }
        switch word {
        case .created(let id)?:
            return .ended(.created, id)
        case .failed(let message)? where TaskReport.isDuplicate(message):
            // The key is in use. Whoever sent it before, the row is there; whether it was we decides how it is called.
            guard let id = report.row(foundBy: key) else {
                // Refused for another row's sake, it is to be sent again without that one.
                return TaskReport.isForDuplicates(message) ? .open : .failed(message)
            }
            let isOurs = findings.map { !$0.wasPresent(segment.id, row) } ?? (segment.earlierSends > 0)
            return .ended(isOurs ? .created : .alreadyPresent, id)
        case .failed(let message)?:
            return .failed(message)
        case .unknown?, nil:
            guard let id = report.row(foundBy: key) else { return .open }
            // A task that was refused for keys in use has made no row: what exists was there before.
            let isNew = !report.isRefusedForDuplicates || segment.earlierSends > 0
            return .ended(isNew ? .created : .alreadyPresent, id)
        }
    }

    // MARK: What is left

    /// Fails the rows that have no outcome.
    mutating func failOpen(_ error: ErrorEntry) throws {
        for index in segments.indices where !segments[index].open.isEmpty {
            var open = segments[index]
            // Lines ascend by row: those of the open rows go among the others.
            var late = SegmentResults(segment: open.segment, outcome: SegmentOutcome(segment: open.segment.id))
            for run in open.open.runs {
                for row in run {
                    let names = open.openNames[row]
                    late.fail(row, error, key: names?.key, externalID: names?.externalID)
                }
            }
            open.outcome.failed += late.outcome.failed
            open.outcome.errors += late.outcome.errors.prefix(max(0, ErrorEntry.kept - open.outcome.errors.count))
            open.lines = try Self.interleave(open.lines, late.lines)
            open.firstLine = min(open.firstLine ?? Int.max, late.firstLine ?? Int.max)
            open.open = RowRuns()
            open.openNames = [:]
            segments[index] = open
        }
    }

    private static func interleave(_ first: [UInt8], _ second: [UInt8]) throws -> [UInt8] {
        if first.isEmpty { return second }
        if second.isEmpty { return first }
        var lines: [UInt8] = []
        lines.reserveCapacity(first.count + second.count)
        try ResultsMerger([
            ResultsPart(firstRow: 0, lines: .inline(Data(first))),
            ResultsPart(firstRow: 0, lines: .inline(Data(second))),
        ]).merge(into: { lines += $0 }, visit: { _, _ in })
        return lines
    }
}
