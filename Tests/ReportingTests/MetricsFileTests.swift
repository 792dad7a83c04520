import CoreMetrics
import Foundation
import Ledger
import Locking
import Metering
import Reporting
import SystemPackage
import Testing

/// The metrics as a file, for a collector that looks now and then; instants are given.
@Suite("Metrics file")
struct MetricsFileTests {
    /// Notes what is written, or fails.
    private struct Files: FileWriting {
        let writes = Locked<[String]>([])
        let isFull = Locked(false)

        func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
            if isFull.withLock({ $0 }) { throw StatusFileError("write", path, .noSpace) }
            writes.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
        func remove(_ path: FilePath) { writes.withLock { $0.append("removed \(path.lastComponent?.string ?? "")") } }
        func seal(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) { try replace(path, with: bytes) }
        func read(_ path: FilePath, limit: Int) -> [UInt8]? { nil }

        var count: Int { writes.withLock { $0.count } }
    }

    private let files = Files()
    private let meters = Meters()
    private var file: MetricsFile
    private let totals: LedgerTotals
    private static let start = Date(timeIntervalSince1970: 1_795_258_800)

    init() async throws {
        file = MetricsFile(
            MetricsExposition(meters: meters, activity: Activity { .zero }, ledger: "/nowhere"),
            folder: StatusFolder(StatusLayout(stateDirectory: "/state"), files: files, boot: "first"))
        totals = try await LedgerFixture().ledger.totals()
    }

    /// The daemon's state, with something unfinished or not, as it is told so many seconds after the start.
    private func report(_ reason: String = "", unfinished: Bool = false, at seconds: Int) -> DaemonReport {
        var snapshot = DaemonSnapshot.sample(now: Self.start, watches: [])
        snapshot.reason = reason
        snapshot.watches = [WatchSnapshot(name: "cats", path: "/drop/cats", mode: .watching)]
        return DaemonReport(
            snapshot, totals: totals, oldest: unfinished ? ["cats": .init(path: "a.json", since: Self.start)] : [:],
            at: Self.start + Double(seconds))
    }

    private mutating func pass(_ report: DaemonReport, at seconds: Int) throws -> Bool {
        let before = files.count
        try file.pass(report, at: .seconds(seconds), now: Self.start + Double(seconds))
        return files.count > before
    }

    @Test("it is written at once, and then not while nothing changes, however long")
    mutating func idle() throws {
        #expect(try pass(report(at: 0), at: 0))
        #expect(files.writes.withLock { $0[0] }.contains("\ndatarowd_"))
        for seconds in [1, 5, 15, 3_600] {
            #expect(try !pass(report(at: seconds), at: seconds))
            #expect(file.nextDue == nil)
        }
    }

    @Test("what changes is written after 5 seconds, once, and it is told when that will be")
    mutating func changes() throws {
        #expect(try pass(report(at: 0), at: 0))
        for seconds in 1..<5 {
            #expect(try !pass(report("\(seconds)", at: seconds), at: seconds))
            #expect(file.nextDue == .seconds(5))
        }
        #expect(try pass(report("5", at: 5), at: 5))
        #expect(file.nextDue == nil)
        #expect(try !pass(report("5", at: 6), at: 6))
        #expect(try pass(report("60", at: 60), at: 60), "after a rest at once")
    }

    @Test("what is counted is a change, too")
    mutating func counted() throws {
        let metric = try #require(CountedMetrics.all.first { $0.kind == .counter })
        #expect(try pass(report(at: 0), at: 0))
        meters.makeCounter(label: metric.name, dimensions: metric.labels.map { ($0, "x") }).increment(by: 1)
        #expect(try !pass(report(at: 4), at: 4))
        #expect(try pass(report(at: 5), at: 5))
    }

    @Test("while something is unfinished its age is written every 15 seconds, though nothing else changes")
    mutating func aging() throws {
        #expect(try pass(report(unfinished: true, at: 0), at: 0))
        #expect(file.nextDue == .seconds(15))
        #expect(try !pass(report(unfinished: true, at: 14), at: 14))
        #expect(file.nextDue == .seconds(15))
        #expect(try pass(report(unfinished: true, at: 15), at: 15))
        let ages = files.writes.withLock { $0.map { $0.split(separator: "\n").filter { $0.contains("oldest") } } }
        try #require(ages.count == 2)
        #expect(ages[0] != ages[1] && !ages[1].isEmpty)
        #expect(try pass(report(at: 20), at: 20), "that it has ended")
        #expect(file.nextDue == nil)
    }

    @Test("what could not be written is tried again with the next look")
    mutating func full() throws {
        files.isFull.withLock { $0 = true }
        #expect(throws: StatusFileError.self) { try file.pass(report(at: 0), at: .zero, now: Self.start) }
        files.isFull.withLock { $0 = false }
        #expect(try pass(report(at: 1), at: 1))
        try file.remove()
        #expect(files.writes.withLock { $0.last } == "removed metrics.prom")
    }
}
