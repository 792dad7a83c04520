internal import DataRows
public import Foundation
public import Ledger
internal import Locking
internal import SystemPackage

/// What the daemon is at, for whoever asks now: the documents behind its port.
///
/// It only reads, does nothing while nobody asks, and answers also while the ledger cannot be read, with what it knew last.
public final class CurrentStatus: Sendable {
    /// How long an answer serves others: less than anybody notices.
    static let age: Duration = .milliseconds(500)

    private let activity: Activity
    private let exposition: MetricsExposition
    private let snapshot: @Sendable () async -> DaemonSnapshot
    private let latest: Freshest<DaemonReport>
    private let page: Freshest<[UInt8]>

    /// - Parameters:
    ///   - store: The ledger, which may be read only.
    ///   - snapshot: What stands outside the ledger.
    ///   - now: For what people read.
    ///   - activity: How things move.
    ///   - exposition: The metrics.
    public init(
        store: any LedgerStore, snapshot: @escaping @Sendable () async -> DaemonSnapshot,
        now: @escaping @Sendable () -> Date, activity: Activity, exposition: MetricsExposition
    ) {
        self.activity = activity
        self.exposition = exposition
        self.snapshot = snapshot
        let known = Locked<DaemonReport?>(nil)
        let look = Locked(DaemonLook(store: store))
        let latest = Freshest(for: Self.age, now: { activity.now }) {
            let current = await snapshot()
            // One at a time makes this value, so nobody else has the look in hand.
            var mine = look.withLock { $0 }
            let report: DaemonReport
            do {
                report = try await mine.report(current, at: now())
            } catch {
                // It says itself in its state what is wrong with the ledger.
                let last = known.withLock { $0 }
                report = DaemonReport(
                    current, totals: last?.totals ?? LedgerTotals(), oldest: last?.oldest ?? [:], at: now())
            }
            look.withLock { [mine] in $0 = mine }
            known.withLock { $0 = report }
            return report
        }
        self.latest = latest
        let failures = Locked(PageDocument.Failures())
        page = Freshest(for: Self.age, now: { activity.now }) {
            await PageDocument(
                await latest.value(), store: store, activity: activity, failures: failures, now: now()
            ).jsonLine
        }
    }

    /// Whether all is well, and if not, why: one line.
    ///
    /// It asks nothing of the ledger, so it tells at once also when that is slow.
    public func health() async -> (isWell: Bool, line: String) {
        let snapshot = await snapshot()
        return (snapshot.state == .running, "\(snapshot.state.rawValue): \(HarmlessText.of(snapshot.reason))")
    }

    /// The metrics, in Prometheus' text format.
    public func metrics() async -> [UInt8] { exposition.text(await latest.value()) }

    /// The document of `status/datarowd.json`.
    public func status() async -> [UInt8] { await latest.value().fileBytes }

    /// What the page shows, as JSON.
    public func pageDocument() async -> [UInt8] { await page.value() }

    /// The last hour, as JSON.
    public func history() -> [UInt8] {
        var json = JSONWriter()
        let slots = activity.hour()
        json.object { json in
            json.member("schema", "datarowd.history/1")
            json.member("slot_seconds", RecentHour.slotSeconds)
            // Of the last slot only this much has passed.
            json.member("last_slot_seconds", RecentHour.elapsed(at: activity.now))
            json.member("rows", slots.map(\.rows))
            json.member("bytes", slots.map(\.bytes))
            json.member("requests", slots.map(\.requests))
        }
        return json.bytes
    }
}
