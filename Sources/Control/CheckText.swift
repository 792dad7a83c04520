internal import DataRows
internal import Reporting

/// What `check` found, for people.
public enum CheckText {
    public static func lines(_ report: ManifestCheck.Report) -> [String] {
        var lines = [VisibleText.of(report.manifest)]
        if let refusal = report.refusal {
            return lines + ["  cannot be imported: \(VisibleText.of(refusal))"]
        }
        lines.append(
            "  rows      \(report.rows) in all, \(report.validRows) to be imported, \(report.rejectedRows) rejected")
        if report.mediaFiles > 0 {
            lines.append(
                "  media     \(report.mediaFiles) files, \(report.mediaBytes) bytes, \(report.missingMediaTotal) not there"
            )
        }
        lines.append("  bytes     \(report.bytes)")
        lines.append("  requests  about \(report.requests): \(report.chunks) chunks, \(report.tasks) tasks")
        lines.append("  time      at least \(report.seconds) s at the configured rate")
        for problem in report.problems {
            lines.append(
                "  error     row \(problem.row), byte \(problem.byteOffset), \(VisibleText.of(problem.pointer)): "
                    + "\(problem.code): \(VisibleText.of(problem.message))")
        }
        if report.errorsTotal > report.problems.count { lines.append("  …") }
        for name in report.missingMedia { lines.append("  missing   \(VisibleText.of(name))") }
        if report.missingMediaTotal > report.missingMedia.count { lines.append("  …") }
        for warning in report.warnings {
            lines.append("  warning   row \(warning.row): \(warning.code): \(VisibleText.of(warning.message))")
        }
        if report.warningsTotal > report.warnings.count {
            lines.append("  … \(report.warningsTotal) warnings in all")
        }
        return lines
    }
}
