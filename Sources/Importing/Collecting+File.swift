internal import DataRows
internal import LabelboxAPI

/// The results of a task of the older form: a file at an address that the task names.
extension Collecting {
    func readFile(of task: TaskID, status: String) async throws -> TaskReport {
        let empty = TaskReport(status: status)
        // Asked for anew, since such an address expires.
        guard let snapshot = try await client.tasks([task], user: account.user())[task] else {
            throw ResultsMissing(task: task)
        }
        guard let url = snapshot.resultURL, !url.isEmpty else { return empty }
        do throws(LabelboxError) {
            let start = Contents(report: empty)
            return try await client.legacyTaskResult(url, into: start) { $0.take($1) }.whole
        } catch {
            switch error.kind {
            // Without it, what exists can still be looked up.
            case .notFound: return empty
            default: throw error
            }
        }
    }

    private struct ResultsMissing: Error, CustomStringConvertible {
        let task: TaskID
        var description: String { "task \(task) cannot be seen; it is asked after again" }
    }

    private struct Contents: Sendable {
        var report: TaskReport
        var hasCreated = false
        var hasKeys = false

        mutating func take(_ entry: LegacyResult) {
            switch entry {
            case .created(let row):
                hasCreated = true
                if row.globalKey != nil { hasKeys = true }
                report.add(row)
            case .failed(let row):
                if report.reason.isEmpty, report.status == "FAILED" { report.reason = row.message }
                report.add(row)
            case .error(let text): report.reason = text
            }
        }

        var whole: TaskReport {
            var report = report
            report.isWithoutKeys = hasCreated && !hasKeys
            return report
        }
    }
}
