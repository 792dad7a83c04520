internal import DataRows
public import Foundation
public import Ledger
public import Reporting
internal import SystemPackage

/// Tasks, one a line.
public struct TaskTable: Sendable {
    /// A task and whose rows are in it.
    public struct Entry: Sendable, JSONWritable {
        public var submission: String
        public var task: StatusReport.TaskReport
        public var phase: SubmissionPhase
        public var reason: String
        /// As `watch:path`.
        public var manifests: [String]

        public init(_ entry: TaskEntry, imports: [ImportRecord]) {
            submission = entry.submission.rawValue
            task = StatusReport.TaskReport(entry)
            phase = entry.phase
            reason = entry.reason
            manifests = imports.map { "\($0.watch):\($0.path.string)" }
        }

        public func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("task_id", task.taskID)
                json.member("submission_id", submission)
                json.member("status", task.status)
                json.member("phase", phase.rawValue)
                json.member("rows", task.rows)
                json.member("completion_percentage", task.completionPercentage)
                json.member("submitted_at", task.submittedAt)
                json.member("finished_at", task.finishedAt)
                json.member("reason", reason)
                json.member("manifests", manifests)
            }
        }
    }

    public static func lines(_ entries: [Entry], width: Int?, now: Date) -> [String] {
        var table = TextTable([
            .init("TASK"), .init("STATUS"), .init("ROWS", isRight: true), .init("DONE", isRight: true),
            .init("AGE", isRight: true), .init("MANIFESTS", cut: .end), .init("WHY", cut: .end),
        ])
        for entry in entries {
            let more = entry.manifests.count > 2 ? " and \(entry.manifests.count - 2) more" : ""
            table.add(
                values(entry.task, now: now) + [entry.manifests.prefix(2).joined(separator: ", ") + more, entry.reason])
        }
        return table.lines(width: width)
    }

    /// The tasks of one manifest.
    static func lines(of report: StatusReport, width: Int?, now: Date) -> [String] {
        var table = TextTable([
            .init("TASK"), .init("STATUS"), .init("ROWS", isRight: true), .init("DONE", isRight: true),
            .init("AGE", isRight: true),
        ])
        for task in report.tasks { table.add(values(task, now: now)) }
        return table.lines(width: width)
    }

    private static func values(_ task: StatusReport.TaskReport, now: Date) -> [String] {
        let age = task.submittedAt.map { AgeText.of((task.finishedAt ?? now).timeIntervalSince($0)) }
        return [
            task.taskID ?? "-", task.status, "\(task.rows)", StatusText.percent(task.completionPercentage / 100),
            age ?? "-",
        ]
    }
}
