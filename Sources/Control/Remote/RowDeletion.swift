internal import DataRows
public import LabelboxAPI
public import Reporting
public import SystemPackage

/// Deletes rows, or tells what would be deleted.
public struct RowDeletion: Sendable {
    /// What the world around it gives.
    public struct Surroundings: Sendable {
        public var client: LabelboxClient
        /// For a list of what is to be deleted, which may be long.
        public var temporaryFolder: FilePath
        /// Whether it is to stop before the next request.
        public var isStopped: @Sendable () -> Bool
        public var sleep: @Sendable (Duration) async throws -> Void

        public init(
            client: LabelboxClient, temporaryFolder: FilePath,
            isStopped: @escaping @Sendable () -> Bool,
            sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
        ) {
            self.client = client
            self.temporaryFolder = temporaryFolder
            self.isStopped = isStopped
            self.sleep = sleep
        }
    }

    /// How far it went.
    public struct Progress: Sendable, Hashable {
        public var total = 0
        public var counts: [DeletionLine.Outcome: Int] = [:]

        public init(total: Int = 0) { self.total = total }

        public subscript(outcome: DeletionLine.Outcome) -> Int { counts[outcome] ?? 0 }

        /// One sentence: how many of how many, and what of the others.
        ///
        /// - Parameter isOver: Whether no more are tried.
        /// - Returns: A sentence without its full stop.
        public func sentence(isOver: Bool) -> String {
            var text = "deleted \(self[.deleted]) of \(total) data rows"
            if self[.notFound] > 0 { text += ", \(self[.notFound]) not found" }
            if self[.notDeleted] > 0 { text += ", \(self[.notDeleted]) still there" }
            if self[.unknown] > 0 { text += ", \(self[.unknown]) of which it is not known" }
            let rest = total - counts.values.reduce(0, +)
            if rest > 0 { text += ", \(rest) \(isOver ? "not tried" : "to go")" }
            return text
        }
    }

    private let around: Surroundings
    private let perRequest: Int

    /// - Parameters:
    ///   - around: What the world gives.
    ///   - perRequest: Rows in one call, 1 to 10,000.
    public init(_ around: Surroundings, perRequest: Int) {
        self.around = around
        self.perRequest = min(max(1, perRequest), LabelboxClient.mostDeletedRows)
    }

    // MARK: Finding

    private func found(_ selection: RowSelection) async throws -> RowSelection.Found {
        var selection = selection
        let found: RowSelection.Found
        do {
            found = try await selection.find(
                by: around.client, spoolFolder: around.temporaryFolder, sleep: around.sleep)
        } catch let error as LabelboxError {
            throw ControlError("rows delete", error)
        }
        if found.ambiguousTotal > 0 {
            let list = found.ambiguous.map { entry in
                "\n  '\(VisibleText.of(entry.externalID))': \(entry.rows.map(\.rawValue).joined(separator: ", "))"
            }
            let more = found.ambiguousTotal > found.ambiguous.count ? "\n  …" : ""
            throw ControlError(
                "rows delete",
                why:
                    "several data rows have the same external id, for \(found.ambiguousTotal) of those that were given; "
                    + "nothing was deleted",
                hint: "name those rows by --id:\(list.joined())\(more)", status: .data)
        }
        return found
    }

    // MARK: The dry run

    /// What would be deleted.
    public struct Forecast: Sendable, JSONWritable {
        public var rows: Int
        public var notFound: Int
        /// The first names that no row has.
        public var missing: [RowName]
        /// The first rows.
        public var first: [RowLine]

        public func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("dry_run", true)
                json.member("rows", rows)
                json.member("not_found", notFound)
                json.member("missing", missing.map(\.description))
                json.member("first_rows", first)
            }
        }

        /// For people.
        public func lines(width: Int?) -> [String] {
            var lines: [String] = []
            if !first.isEmpty { lines += RowTable.lines(first, width: width) }
            if rows > first.count { lines.append("… and \(rows - first.count) more") }
            lines += missing.map { "not found: \($0)" }
            if notFound > missing.count { lines.append("… and \(notFound - missing.count) more that were not found") }
            lines.append(
                rows == 1
                    ? "1 data row would be deleted, and with it all of its labels, for good."
                    : "\(rows) data rows would be deleted, and with them all of their labels, for good.")
            lines.append("Nothing was deleted: say --yes to do it.")
            return lines
        }
    }

    /// How many rows a forecast shows.
    private static let shown = 10
    /// Ids that were given are looked at so far, to tell those that are not there.
    private static let checked = 1_000

    /// Tells what would be deleted; changes nothing.
    ///
    /// - Throws: ``ControlError``, also when there is nothing to be deleted.
    public func forecast(_ selection: RowSelection) async throws -> Forecast {
        let found = try await found(selection)
        do {
            var missing = found.missing
            var first: [RowLine] = []
            var absent: Set<DataRowID> = []
            let entries = try found.spool.first(Self.checked)
            let given = entries.filter { if case .id = $0.name { true } else { false } }.map(\.id)
            // Rows that were found by name or time a moment ago are there.
            if selection.createdAfter == nil {
                let existing = try await existing(given)
                for id in given where !existing.contains(id) && absent.insert(id).inserted {
                    missing.add(.id(id.rawValue))
                }
            }
            for entry in entries where !absent.contains(entry.id) && first.count < Self.shown {
                if let row = try await around.client.dataRow(entry.id, detail: .dated) { first.append(RowLine(row)) }
            }
            let gone = entries.count { absent.contains($0.id) }
            let forecast = Forecast(
                rows: found.spool.count - gone, notFound: missing.total, missing: missing.first, first: first)
            if forecast.rows == 0 { throw nothing(missing) }
            return forecast
        } catch let error as LabelboxError {
            throw ControlError("rows delete", error)
        }
    }

    private func nothing(_ missing: RowSelection.Missing) -> ControlError {
        let list = missing.first.prefix(10).map { "\n  \($0)" }.joined()
        return ControlError(
            "rows delete", why: "there is no such data row, so nothing was deleted",
            hint: missing.total == 0 ? "see 'datarowctl rows list'" : "check what was given:\(list)", status: .noInput)
    }

    private func existing(_ ids: [DataRowID]) async throws(LabelboxError) -> Set<DataRowID> {
        var existing: Set<DataRowID> = []
        var rest = ids[...]
        var size = 100
        while !rest.isEmpty {
            do throws(LabelboxError) {
                existing.formUnion(try await around.client.datasets(ofRows: Array(rest.prefix(size))).keys)
                rest = rest.dropFirst(size)
            } catch {
                guard size > 1, error.kind == .queryTooComplex || error.kind == .tooLarge else { throw error }
                size /= 2
            }
        }
        return existing
    }

    // MARK: Deleting

    /// How often rows are asked to be deleted whose answers are lost, and that are there all the same.
    private static let attempts = 5

    /// Deletes the rows.
    ///
    /// - Parameters:
    ///   - selection: Which.
    ///   - told: Given what became of rows, after each request.
    /// - Returns: How far it went, and why it did not go to the end where it did not.
    /// - Throws: ``ControlError`` when nothing could be begun; what `told` throws.
    public func run(
        _ selection: RowSelection, told: ([DeletionLine], Progress) throws -> Void
    ) async throws -> (progress: Progress, failure: ControlError?) {
        let found = try await found(selection)
        guard found.spool.count > 0 else { throw nothing(found.missing) }
        var progress = Progress(total: found.spool.count + found.missing.total)
        func tell(_ lines: [DeletionLine]) throws {
            for line in lines { progress.counts[line.outcome, default: 0] += 1 }
            try told(lines, progress)
        }
        if found.missing.total > 0 {
            progress.counts[.notFound] = found.missing.total
            try told(
                found.missing.first.map { DeletionLine(name: $0, id: nil, outcome: .notFound) }, progress)
        }
        var failure: ControlError?
        try await found.spool.forEachBatch(of: perRequest) { batch in
            guard failure == nil, !around.isStopped() else { return }
            var seen: Set<DataRowID> = []
            let entries = batch.filter { seen.insert($0.id).inserted }
            // Given twice, counted once.
            progress.total -= batch.count - entries.count
            var parts: [(rows: [RowSpool.Entry], attempt: Int)] = [(entries, 1)]
            while failure == nil, !around.isStopped(), let (part, attempt) = parts.popLast() {
                let deleted: Set<DataRowID>
                do throws(LabelboxError) {
                    // Once only, on a connection of its own: so it is known when an answer is lost.
                    deleted = try await around.client.deleteDataRows(part.map(\.id), once: true)
                } catch {
                    if part.count > 1, error.kind == .queryTooComplex || error.kind == .tooLarge {
                        let middle = part.count / 2
                        parts += [(Array(part[middle...]), 1), (Array(part[..<middle]), 1)]
                        continue
                    }
                    failure = ControlError(
                        "rows delete", error,
                        unknownOutcome: "run it again: rows that are gone are told as not found")
                    guard error.outcome == .unknown else { continue }
                    let lines = await judge(part, deleted: [], isLost: true)
                    let isKnown = lines.allSatisfy { $0.outcome != .unknown }
                    let rest = zip(part, lines).filter { $1.outcome == .notDeleted }.map(\.0)
                    guard isKnown, rest.isEmpty || attempt < Self.attempts else {
                        try tell(lines)
                        continue
                    }
                    // The look-up gave the answer; what is proven to be there is asked for again.
                    failure = nil
                    try tell(lines.filter { $0.outcome != .notDeleted })
                    if !rest.isEmpty { parts.append((rest, attempt + 1)) }
                    continue
                }
                try tell(await judge(part, deleted: deleted, isLost: attempt > 1))
            }
        }
        return (progress, failure)
    }

    /// Finds out what became of rows that the server did not call deleted.
    private func judge(
        _ part: [RowSpool.Entry], deleted: Set<DataRowID>, isLost: Bool
    ) async -> [DeletionLine] {
        let open = part.map(\.id).filter { !deleted.contains($0) }
        var existing: Set<DataRowID>?
        do throws(LabelboxError) { existing = try await self.existing(open) } catch { existing = nil }
        return part.map { entry in
            let outcome: DeletionLine.Outcome
            if deleted.contains(entry.id) {
                outcome = .deleted
            } else if let existing {
                // With an answer lost, what is gone was deleted by the call that it belonged to.
                outcome = existing.contains(entry.id) ? .notDeleted : isLost ? .deleted : .notFound
            } else {
                outcome = isLost ? .unknown : .notDeleted
            }
            return DeletionLine(name: entry.name, id: entry.id.rawValue, outcome: outcome)
        }
    }

    /// How the command ends.
    public static func status(_ progress: Progress, isStopped: Bool) -> ExitStatus {
        if progress[.unknown] > 0 { return .temporary }
        if isStopped { return .interrupted }
        return progress[.deleted] == progress.total ? .ok : .withErrors
    }
}
