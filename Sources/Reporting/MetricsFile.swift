package import Foundation
internal import Metering

/// Keeps `status/metrics.prom` what the metrics are, for node_exporter's textfile collector.
package struct MetricsFile: Sendable {
    /// The shortest time between two versions; a collector looks every 15 s or more seldom.
    static let interval: Duration = .seconds(5)
    /// While a file is unfinished its age grows, though nothing else may change.
    static let agingInterval: Duration = .seconds(15)

    private let exposition: MetricsExposition
    private let folder: StatusFolder
    private var written: (instant: Duration, report: DaemonReport, changes: Int)?
    /// When there will be something to write, if nothing changes.
    package private(set) var nextDue: Duration?

    package init(_ exposition: MetricsExposition, folder: StatusFolder) {
        self.exposition = exposition
        self.folder = folder
    }

    /// Writes them if they changed and it is time to.
    package mutating func pass(_ report: DaemonReport, at instant: Duration, now: Date) throws(StatusFileError) {
        var report = report
        report.updatedAt = now
        let changes = exposition.meters.changes
        let isAging = report.snapshot.watches.contains { report.oldestUnfinished($0) != nil }
        if let written {
            let age = instant - written.instant
            var before = written.report
            before.updatedAt = report.updatedAt
            let hasChanged = changes != written.changes || before != report
            let wait = hasChanged ? Self.interval : isAging ? Self.agingInterval : nil
            guard let wait else {
                nextDue = nil
                return
            }
            guard age >= wait else {
                nextDue = written.instant + wait
                return
            }
        }
        try folder.write(metrics: exposition.text(report))
        written = (instant, report, changes)
        nextDue = isAging ? instant + Self.agingInterval : nil
    }

    /// Removes them: figures of a daemon that was stopped would be taken for those of one that lives.
    package func remove() throws(StatusFileError) { try folder.removeMetrics() }
}
