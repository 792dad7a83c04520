public import Foundation
internal import Ledger
public import Reporting

/// Manifests, one a line.
public enum ImportTable {
    public static func lines(_ reports: [StatusReport], palette: Palette, width: Int?, now: Date) -> [String] {
        var table = TextTable([
            .init("MANIFEST", cut: .beginning), .init("STATE"), .init("AGE", isRight: true),
            .init("ROWS", isRight: true), .init("BAD", isRight: true), .init("DONE", isRight: true),
            .init("WHY", cut: .end),
        ])
        for report in reports {
            let since = report.finishedAt ?? report.seenAt
            table.add([
                "\(report.watch):\(report.manifest)", report.state.rawValue,
                AgeText.of(now.timeIntervalSince(since)), "\(report.rows.total)",
                "\(report.rows.failed + report.rows.rejected)", StatusText.percent(report.progress),
                report.stateReason,
            ])
        }
        var row = -1
        return table.lines(width: width) { column, text in
            if column == 0 { row += 1 }
            return column == 1 ? palette.state(text, reports[row].state) : text
        }
    }
}
