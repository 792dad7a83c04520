internal import DataRows
internal import Reporting

/// What `check` found, for people.
public enum CheckText {
    public static func lines(_ report: ManifestCheck.Report) -> [String] {
        var lines = [VisibleText.of(report.manifest)]
        if let refusal = report.refusal {
            lines.append("  cannot be imported: \(VisibleText.of(refusal))")
            if report.rows == 0 { return lines }
        }
        lines.append(
            "  rows      \(report.rows) in all, \(report.validRows) to be imported, \(report.rejectedRows) rejected")
        if report.mediaFiles > 0 {
            lines.append(
                "  media     \(count(report.mediaFiles, "file")), \(ByteCount.text(report.mediaBytes)), "
                    + "\(report.missingMediaTotal) not there")
        }
        lines.append("  bytes     \(report.bytes)")
        if report.refusal == nil {
            lines += cost(
                requests: report.requests, chunks: report.chunks, tasks: report.tasks, seconds: report.seconds)
        }
        for problem in report.problems {
            lines.append(
                "  error     row \(problem.row), byte \(problem.byteOffset), \(VisibleText.of(problem.pointer)): "
                    + "\(problem.code): \(VisibleText.of(problem.message))")
        }
        if report.errorsTotal > report.problems.count { lines.append("  … \(report.errorsTotal) errors in all") }
        for name in report.missingMedia { lines.append("  missing   \(VisibleText.of(name))") }
        if report.missingMediaTotal > report.missingMedia.count {
            lines.append("  … \(report.missingMediaTotal) files in all that are not there")
        }
        for warning in report.warnings {
            lines.append("  warning   row \(warning.row): \(warning.code): \(VisibleText.of(warning.message))")
        }
        if report.warningsTotal > report.warnings.count {
            lines.append("  … \(report.warningsTotal) warnings in all")
        }
        return lines
    }

    static func cost(requests: Int, chunks: Int, tasks: Int, seconds: Double) -> [String] {
        [
            "  requests  about \(requests): \(count(chunks, "chunk")), \(count(tasks, "task"))",
            "  time      \(time(seconds)) at the configured rate",
        ]
    }

    /// A lower bound in words: requests are what is counted, and bytes take their time beside.
    static func time(_ seconds: Double) -> String {
        seconds < 1 ? "less than a second" : "about \(AgeText.of(seconds.rounded(.up)))"
    }

    static func count(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }
}
