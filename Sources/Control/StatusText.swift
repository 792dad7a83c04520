public import Foundation
internal import Ledger
public import Reporting

/// One manifest in full, for people.
public struct StatusText: Sendable {
    private let palette: Palette
    private let width: Int?
    private let now: Date

    public init(palette: Palette, width: Int?, now: Date) {
        self.palette = palette
        self.width = width
        self.now = now
    }

    /// All that is known of a manifest.
    public func lines(_ report: StatusReport) -> [String] {
        var lines = [palette.bold("\(report.watch):\(VisibleText.of(report.manifest))")]
        func add(_ title: String, _ text: String?) {
            guard let text, !text.isEmpty else { return }
            lines.append("  " + title + String(repeating: " ", count: max(1, 12 - title.count)) + VisibleText.of(text))
        }
        lines.append("  state       \(palette.state(report.state.rawValue, report.state))")
        add("why", report.stateReason)
        add("import", report.id)
        add("operation", report.operation.map { "\($0)\(report.datasetID.map { " in dataset \($0)" } ?? "")" })
        add("rows", Self.rows(report.rows))
        add("media", Self.media(report.media))
        add("missing", report.missing.isEmpty ? nil : report.missing.prefix(10).joined(separator: ", "))
        if !report.state.isFinal, report.state != .settling {
            add(
                "progress",
                "\(Self.percent(report.progress))\(report.etaSeconds.map { ", \(AgeText.of(Double($0))) left" } ?? "")")
        }
        add("results", report.resultsFile)
        add("failed rows", report.failedRowsFile)
        add("seen", time(report.seenAt))
        add("started", report.startedAt.map(time))
        add("finished", report.finishedAt.map(time))
        if !report.tasks.isEmpty {
            lines.append("")
            lines += TaskTable.lines(of: report, width: width, now: now).map { "  " + $0 }
        }
        if !report.errors.isEmpty {
            lines += ["", "  " + palette.bad(report.errorsTotal == 1 ? "1 error" : "\(report.errorsTotal) errors")]
            lines += report.errors.prefix(10).map(entry)
            if report.errorsTotal > 10 { lines.append("  … and \(report.errorsTotal - 10) more: see the results file") }
        }
        if !report.warnings.isEmpty {
            let title = report.warningsTotal == 1 ? "1 warning" : "\(report.warningsTotal) warnings"
            lines += ["", "  " + title] + report.warnings.prefix(10).map(entry)
            if report.warningsTotal > 10 {
                lines.append("  … and \(report.warningsTotal - 10) more: see the status file for the first hundred")
            }
        }
        return lines
    }

    private func entry(_ error: ErrorEntry) -> String {
        let place = [
            error.row.map { "row \($0)" }, error.byteOffset.map { "byte \($0)" },
            error.pointer.flatMap { $0.isEmpty ? nil : $0 },
        ].compactMap(\.self).joined(separator: ", ")
        return "  " + VisibleText.of("\(place.isEmpty ? "" : place + ": ")\(error.message) [\(error.code)]")
    }

    private func time(_ date: Date) -> String {
        "\(Timestamp.clock(date, near: now)), \(AgeText.of(now.timeIntervalSince(date))) ago"
    }

    static func percent(_ fraction: Double) -> String { "\(Int((fraction * 100).rounded(.down))) %" }

    static func rows(_ rows: RowCounts) -> String? {
        guard rows.total > 0 else { return nil }
        let parts = [
            (rows.created, "created"), (rows.updated, "updated"), (rows.deleted, "deleted"),
            (rows.alreadyPresent, "already there"), (rows.failed, "failed"), (rows.rejected, "rejected"),
            (max(0, rows.total - rows.ended), "to go"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(rows.total): \(parts.joined(separator: ", "))"
    }

    static func media(_ media: MediaCounts) -> String? {
        guard media.files > 0 else { return nil }
        return "\(media.uploadedFiles) of \(media.files) files uploaded, "
            + "\(ByteCount.text(media.uploadedBytes)) of \(ByteCount.text(media.bytes))"
    }
}
