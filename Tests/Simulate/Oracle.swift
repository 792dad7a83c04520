import DataRows
import Foundation
import GRDB
import LabelboxSimulator
import Reporting
import SystemPackage

/// Judges a run when it has ended: by what was dropped, what the server holds, and what was written about it.
///
/// Rows never leave the server in these runs, so what holds of them at the end held at every step.
struct Oracle {
    let plan: Plan
    let folders: Folders
    let farEnd: FarEnd
    /// Drops that were ended, in that order; one may have been put in the place of another.
    let dropped: [Int]

    /// What is wrong; nothing, if all is well.
    func judge() throws -> [String] {
        let imports = try ledgersImports()
        return judgeFiles(imports) + judgeServer() + judgeResults(imports) + judgeStatuses(imports) + judgeBudget()
    }

    /// How often each manifest must have been imported, and may have been.
    private var bounds: [ClosedRange<Int>] { Self.bounds(plan, dropped) }

    private static func bounds(_ plan: Plan, _ dropped: [Int]) -> [ClosedRange<Int>] {
        var bounds = plan.manifests.map { _ in 0...0 }
        for number in dropped {
            let drop = plan.drops[number]
            let old = bounds[drop.manifest]
            bounds[drop.manifest] = old.lowerBound + (drop.isOptional ? 0 : 1)...old.upperBound + 1
        }
        return bounds
    }

    /// An import as the ledger has it in the end.
    private struct Import {
        let path: String
        let phase: String
        let results: String
        /// The manifest that lies where the ledger says that it was put.
        let manifest: Int?
        let total: Int
        let ended: Int
    }

    private func ledgersImports() throws -> [Import] {
        let queue = try DatabaseQueue(path: folders.state.appending("ledger.sqlite").string)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM imports ORDER BY rowid").map { row in
                func text(_ name: String) -> String {
                    String(decoding: (row[name] as Data?) ?? Data(), as: UTF8.self)
                }
                let counted = ["rejected", "created", "updated", "present", "failed", "deleted"]
                let bytes = Folders.read(FilePath(text("destination")))
                return Import(
                    path: text("path"), phase: row["phase"], results: text("results_path"),
                    manifest: plan.manifests.firstIndex { $0.bytes == bytes }, total: row["rows_total"],
                    ended: counted.reduce(0) { $0 + (row["rows_\($1)"] as Int) })
            }
        }
    }

    /// What the ledger has that has not ended.
    static func unfinished(in folders: Folders) throws -> [String] {
        let queue = try DatabaseQueue(path: folders.state.appending("ledger.sqlite").string)
        return try queue.read { db in
            try ["imports": "closed", "submissions": "settled"].sorted { $0.key < $1.key }.flatMap { table, last in
                try Row.fetchAll(
                    db, sql: "SELECT phase, next_attempt, reason FROM \(table) WHERE phase <> ?", arguments: [last]
                ).map { "\(table) \($0)" }
            }
                + Row.fetchAll(db, sql: "SELECT path, phase FROM media WHERE phase NOT IN ('uploaded', 'failed')")
                .map { "media \($0)" }
        }
    }

    // MARK: Files

    /// Manifests that are nowhere although they were dropped.
    static func missing(from folders: Folders, plan: Plan, dropped: [Int]) -> [String] {
        var contents: [[UInt8]: Int] = [:]
        for folder in [folders.drop, folders.state.appending("archive"), folders.state.appending("failed")] {
            for path in folders.files(below: folder) {
                if let bytes = Folders.read(folder.appending(FilePath(path).components)) {
                    contents[bytes, default: 0] += 1
                }
            }
        }
        var problems: [String] = []
        for (manifest, bounds) in zip(plan.manifests, bounds(plan, dropped)) {
            let count = contents[manifest.bytes] ?? 0
            if count < bounds.lowerBound {
                problems.append("\(manifest.path) was dropped \(bounds) times, and is there \(count) times")
            }
        }
        return problems
    }

    private func judgeFiles(_ imports: [Import]) -> [String] {
        var problems: [String] = []
        for entry in imports {
            if entry.phase != "closed" { problems.append("\(entry.path) is not closed but \(entry.phase)") }
            if entry.manifest == nil { problems.append("\(entry.path) is not where the ledger says") }
            if entry.total != entry.ended {
                problems.append("\(entry.path) has \(entry.total) rows, and \(entry.ended) ended")
            }
        }
        for (number, bounds) in bounds.enumerated() {
            let count = imports.count { $0.manifest == number }
            if !bounds.contains(count) {
                problems.append(
                    "\(plan.manifests[number].path) was dropped \(bounds) times and imported \(count) times")
            }
        }
        let left = folders.files(below: folders.drop)
        if !left.isEmpty { problems.append("left in the drop folder: \(left)") }
        let work = folders.files(below: folders.state.appending("work"))
        if !work.isEmpty { problems.append("left among the unfinished: \(work)") }
        return problems
    }

    // MARK: Rows

    /// How often each row may have been dropped at most, in whatever manifest.
    private var mostDrops: [String: Int] {
        var drops: [String: Int] = [:]
        for (manifest, bounds) in zip(plan.manifests, bounds) {
            for row in manifest.rows { drops[row.uid, default: 0] += bounds.upperBound }
        }
        return drops
    }

    private func judgeServer() -> [String] {
        var problems: [String] = []
        var present: [String: Int] = [:]
        for row in farEnd.rows { present[Self.uid(in: row.payload) ?? "?", default: 0] += 1 }
        let allowed = mostDrops
        for (manifest, bounds) in zip(plan.manifests, bounds) {
            for row in manifest.rows {
                let count = present[row.uid] ?? 0
                switch row.fate {
                case .imported:
                    if count > 1 || count < min(1, bounds.lowerBound) {
                        problems.append("row \(row.uid) is there \(count) times")
                    }
                case .refused, .rejected, .missing:
                    if count != 0 { problems.append("row \(row.uid), which is \(row.fate), is there \(count) times") }
                }
            }
        }
        for uid in present.keys.sorted() where allowed[uid] == nil {
            problems.append("row \(uid) is there, and nobody dropped it")
        }
        // The server protects itself by global keys: what arrives twice is seen in what tasks were asked to do.
        var asked: [String: Int] = [:]
        for task in farEnd.tasks where task.status == "COMPLETE" {
            for payload in task.taken + task.duplicates { asked[Self.uid(in: payload) ?? "?", default: 0] += 1 }
        }
        for (uid, count) in asked.sorted(by: { $0.key < $1.key }) where count > allowed[uid] ?? 0 {
            problems.append(
                "row \(uid) was dropped \(allowed[uid] ?? 0) times, and given to \(count) tasks that ended well")
        }
        return problems
    }

    /// The name by which a row is known, from the object that was sent.
    static func uid(in payload: [UInt8]) -> String? {
        let mark = Array("uid-".utf8)
        guard let start = payload.firstRange(of: mark)?.lowerBound else { return nil }
        // As in "uid-3-7-".
        var end = start + mark.count
        var dashes = 0
        while end < payload.count, dashes < 2 {
            if payload[end] == UInt8(ascii: "-") { dashes += 1 }
            end += 1
        }
        return String(decoding: payload[start..<end], as: UTF8.self)
    }

    // MARK: Results

    private struct Line: Decodable {
        var row: Int
        var external_id: String?
        var outcome: String
        var data_row_id: String?
        var error: Failure?
        struct Failure: Decodable {
            var code: String
            var message: String
        }
    }

    private func judgeResults(_ imports: [Import]) -> [String] {
        var problems: [String] = []
        let drops = mostDrops
        let ids = Dictionary(
            farEnd.rows.map { (Self.uid(in: $0.payload) ?? "?", $0.id) }, uniquingKeysWith: { first, _ in first })
        for entry in imports {
            guard let number = entry.manifest else { continue }
            let manifest = plan.manifests[number]
            guard let bytes = Folders.read(FilePath(entry.results)) else {
                problems.append("\(entry.path) has no results")
                continue
            }
            var lines: [Line] = []
            for text in bytes.split(separator: 10) {
                do { lines.append(try JSONDecoder().decode(Line.self, from: Data(text))) } catch {
                    problems.append("\(entry.path): this is no result: \(String(decoding: text, as: UTF8.self))")
                }
            }
            guard lines.map(\.row) == Array(manifest.rows.indices) else {
                problems.append("\(entry.path) has \(manifest.rows.count) rows and results of \(lines.map(\.row))")
                continue
            }
            for (row, line) in zip(manifest.rows, lines) {
                let isRight =
                    switch row.fate {
                    case .imported:
                        (line.outcome == "created" || line.outcome == "already_present" && drops[row.uid] != 1)
                            && line.data_row_id == ids[row.uid]
                    case .refused, .missing: line.outcome == "failed"
                    case .rejected: line.outcome == "rejected"
                    }
                if !isRight {
                    problems.append(
                        "row \(row.uid), to be \(row.fate), is \(line.outcome) as \(line.data_row_id ?? "nothing") "
                            + "(\(line.error?.code ?? "no error"): \(line.error?.message ?? "")); "
                            + "on the server it is \(ids[row.uid] ?? "not")")
                }
            }
        }
        return problems
    }

    // MARK: Statuses

    private struct Status: Decodable {
        var state: String
        var rows: Rows
        struct Rows: Decodable {
            var total: Int
            var rejected: Int
            var created: Int
            var already_present: Int
            var failed: Int
        }
    }

    /// The status of each path tells the end of what was imported there last.
    private func judgeStatuses(_ imports: [Import]) -> [String] {
        let layout = StatusLayout(stateDirectory: folders.state)
        let last = Dictionary(imports.map { ($0.path, $0) }, uniquingKeysWith: { _, later in later })
        return last.values.sorted { $0.path < $1.path }.compactMap { entry in
            let file = layout.file(watch: "drops", path: FilePath(entry.path))
            guard let bytes = Folders.read(file) else { return "\(entry.path) has no status" }
            guard let status = try? JSONDecoder().decode(Status.self, from: Data(bytes)) else {
                return "\(entry.path): this is no status: \(String(decoding: bytes, as: UTF8.self))"
            }
            let rows = status.rows
            let ended = rows.rejected + rows.created + rows.already_present + rows.failed
            let isWhole = rows.rejected + rows.failed == 0
            let isRight =
                rows.total == entry.total && ended == entry.ended
                && (isWhole ? status.state == "complete" : status.state != "complete")
                && ["complete", "complete_with_errors", "failed", "rejected"].contains(status.state)
            return isRight ? nil : "\(entry.path) ended with \(entry.ended) rows, and its status is \(status)"
        }
    }

    // MARK: Budget

    /// Over all lives: a daemon that is killed and started again has no more than one that lives on.
    private func judgeBudget() -> [String] {
        let starts = farEnd.starts.joined().sorted()
        var problems: [String] = []
        var first = 0
        for (index, start) in starts.enumerated() {
            while starts[first] <= start - 60_000_000_000 { first += 1 }
            if index - first + 1 > plan.requestsPerMinute {
                problems.append("\(index - first + 1) requests began within 60 s")
                break
            }
        }
        return problems
    }
}
