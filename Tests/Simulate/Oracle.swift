import DataRows
import Foundation
import LabelboxSimulator
import SystemPackage

/// Judges a run when it has ended: by what was dropped, what the server holds, and what was written about it.
struct Oracle {
    let plan: Plan
    let folders: Folders
    let farEnd: FarEnd
    let dropped: Set<Int>

    /// What is wrong; nothing, if all is well.
    func judge() -> [String] {
        var problems: [String] = []
        let archive = stored("archive/drops")
        let failed = stored("failed/drops")
        let imports = archive + failed
        problems += judgeFiles(imports)
        problems += judgeServer()
        problems += judgeResults()
        problems += judgeBudget()
        return problems
    }

    private func stored(_ folder: String) -> [(path: String, bytes: [UInt8])] {
        let root = folders.state.appending(FilePath(folder).components)
        return folders.files(below: root).map { ($0, Folders.read(root.appending(FilePath($0).components)) ?? []) }
    }

    // MARK: Files

    private func judgeFiles(_ stored: [(path: String, bytes: [UInt8])]) -> [String] {
        var problems: [String] = []
        for (number, manifest) in plan.manifests.enumerated() where dropped.contains(number) {
            let count = stored.count { $0.bytes == manifest.bytes && !$0.path.hasSuffix(".failed.ndjson") }
            if manifest.isOptional ? count > 1 : count != 1 {
                problems.append("\(manifest.path) was dropped once and put away \(count) times")
            }
        }
        let left = folders.files(below: folders.drop)
        if !left.isEmpty { problems.append("left in the drop folder: \(left)") }
        let work = folders.files(below: folders.state.appending("work"))
        if !work.isEmpty { problems.append("left among the unfinished: \(work)") }
        return problems
    }

    // MARK: Rows

    private func judgeServer() -> [String] {
        var problems: [String] = []
        var present: [String: Int] = [:]
        for row in farEnd.rows { present[Self.uid(in: row.payload) ?? "?", default: 0] += 1 }
        var known: Set<String> = []
        for manifest in plan.manifests {
            for row in manifest.rows {
                known.insert(row.uid)
                let count = present[row.uid] ?? 0
                switch row.fate {
                case .imported:
                    if manifest.isOptional ? count > 1 : count != 1 {
                        problems.append("row \(row.uid) is there \(count) times")
                    }
                case .refused, .rejected, .missing:
                    if count != 0 { problems.append("row \(row.uid), which is \(row.fate), is there \(count) times") }
                }
            }
        }
        for uid in present.keys.sorted() where !known.contains(uid) {
            problems.append("row \(uid) is there, and nobody dropped it")
        }
        // The server protects itself by global keys: what arrives twice is seen in what tasks were asked to do.
        var asked: [String: Int] = [:]
        for task in farEnd.tasks where task.status == "COMPLETE" {
            for payload in task.taken + task.duplicates { asked[Self.uid(in: payload) ?? "?", default: 0] += 1 }
        }
        for (uid, count) in asked.sorted(by: { $0.key < $1.key }) where count > 1 {
            problems.append("row \(uid) was given to \(count) tasks that ended well")
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
    }

    private func judgeResults() -> [String] {
        var problems: [String] = []
        let ids = Dictionary(
            farEnd.rows.map { (Self.uid(in: $0.payload) ?? "?", $0.id) }, uniquingKeysWith: { first, _ in first })
        for (number, manifest) in plan.manifests.enumerated() where dropped.contains(number) && !manifest.isOptional {
            let path = folders.state.appending(FilePath("results/drops/\(manifest.path).results.ndjson").components)
            guard let bytes = Folders.read(path) else {
                problems.append("\(manifest.path) has no results")
                continue
            }
            var lines: [Line] = []
            for text in bytes.split(separator: 10) {
                do { lines.append(try JSONDecoder().decode(Line.self, from: Data(text))) } catch {
                    problems.append(
                        "\(manifest.path): a line of its results is no result: \(String(decoding: text, as: UTF8.self))"
                    )
                }
            }
            guard lines.map(\.row) == Array(manifest.rows.indices) else {
                problems.append("\(manifest.path) has \(manifest.rows.count) rows and results of \(lines.map(\.row))")
                continue
            }
            for (row, line) in zip(manifest.rows, lines) {
                let isRight =
                    switch row.fate {
                    case .imported: line.outcome == "created" && line.data_row_id == ids[row.uid]
                    case .refused, .missing: line.outcome == "failed"
                    case .rejected: line.outcome == "rejected"
                    }
                if !isRight {
                    problems.append(
                        "row \(row.uid) is \(row.fate), and its result is \(line), on the server \(ids[row.uid] ?? "none")"
                    )
                }
            }
        }
        return problems
    }

    // MARK: Budget

    /// In each life; what an earlier one asked for is not known to the next.
    private func judgeBudget() -> [String] {
        var problems: [String] = []
        for (life, starts) in farEnd.starts.enumerated() {
            var first = 0
            for (index, start) in starts.enumerated() {
                while starts[first] <= start - 60_000_000_000 { first += 1 }
                if index - first + 1 > plan.requestsPerMinute {
                    problems.append("life \(life) began \(index - first + 1) requests within 60 s")
                    break
                }
            }
        }
        return problems
    }
}
