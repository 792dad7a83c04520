import DataRows
import Foundation
import Ledger
import Locking
import Reporting
import SystemPackage
import Testing

@Suite("Reporting service", .timeLimit(.minutes(1)))
struct ReportingServiceTests {
    private func status(_ fixture: LedgerFixture, _ name: String) throws -> StatusFields? {
        let file = StatusLayout(stateDirectory: fixture.folder.path).file(watch: "cats", path: FilePath(name))
        guard let data = FileManager.default.contents(atPath: file.string) else { return nil }
        return try JSONDecoder().decode(StatusFields.self, from: data)
    }

    private struct StatusFields: Decodable, Equatable { var state: String }

    private func service(
        _ fixture: LedgerFixture, files: any FileWriting = PlainFiles(), watches: Locked<[WatchSnapshot]> = Locked([]),
        events: Locked<[String]> = Locked([]), boot: String = "first"
    ) -> ReportingService {
        ReportingService(
            store: fixture.ledger,
            folder: StatusFolder(StatusLayout(stateDirectory: fixture.folder.path), files: files, boot: boot),
            snapshot: { DaemonSnapshot.sample(now: LedgerFixture.start, watches: watches.withLock { $0 }) },
            now: { LedgerFixture.start }, report: { event in events.withLock { $0.append("\(event)") } })
    }

    /// Runs the service through one start and stop, which writes the last state of everything.
    private func runOnce(_ service: ReportingService) async {
        service.stop()
        await service.run()
    }

    @Test("many manifests that end at once all have their status, and a start after that rewrites none")
    func many() async throws {
        let fixture = try LedgerFixture()
        let names = (0..<300).map { "m\($0).json" }
        try await fixture.open(names)
        try await fixture.plan()
        try await fixture.submit()
        try await fixture.settle()
        try await fixture.close()
        let writes = Locked(0)
        await runOnce(service(fixture, files: CountingFiles(count: writes)))
        for name in names { #expect(try status(fixture, name)?.state == "complete_with_errors") }
        #expect(writes.withLock { $0 } >= names.count)
        writes.withLock { $0 = 0 }
        await runOnce(service(fixture, files: CountingFiles(count: writes)))
        #expect(writes.withLock { $0 } <= 2)
    }

    @Test("of two files that were dropped under one name the later has the status, whichever ends last")
    func sameName() async throws {
        var fixture = try LedgerFixture()
        try await fixture.open(["x.json"])
        try await fixture.plan()
        // The clock was set back in between.
        fixture.now -= 3_600
        let later = NewImport(
            id: ImportID(rawValue: "later"), watch: "cats", path: "x.json", claimedPath: "/claimed/later.x.json",
            bytes: 1, seenAt: fixture.now)
        let elsewhere = NewImport(
            id: ImportID(rawValue: "elsewhere"), watch: "dogs", path: "x.json", claimedPath: "/claimed/dogs.x.json",
            bytes: 1, seenAt: fixture.now)
        try await fixture.ledger.open([later], at: fixture.now)
        try await fixture.ledger.open([elsewhere], at: fixture.now)
        await runOnce(service(fixture))
        #expect(try status(fixture, "x.json")?.state == "queued")
        fixture.now += 7_200
        try await fixture.submit()
        try await fixture.settle()
        try await fixture.close()
        await runOnce(service(fixture))
        #expect(try await fixture.record("x.json").shownState == .completeWithErrors)
        #expect(try status(fixture, "x.json")?.state == "queued")
        #expect(try await fixture.ledger.find(watch: "cats", path: "x.json").first?.id.rawValue == "later")
    }

    @Test("what holds everything up stands in the status of each import that needs it, and goes when it is over")
    func obstacle() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["held.json"])
        try await fixture.plan()
        let obstacle = Locked<String?>(nil)
        let service = ReportingService(
            store: fixture.ledger,
            folder: StatusFolder(StatusLayout(stateDirectory: fixture.folder.path), files: PlainFiles(), boot: "first"),
            snapshot: {
                var snapshot = DaemonSnapshot.sample(now: LedgerFixture.start, watches: [])
                snapshot.obstacle = obstacle.withLock { $0 }
                return snapshot
            }, now: { LedgerFixture.start })
        let run = Task { await service.run() }
        /// The sentence, once it is as wanted.
        func sentence(_ isSo: (String) -> Bool) async throws -> String {
            let file = StatusLayout(stateDirectory: fixture.folder.path).file(watch: "cats", path: "held.json")
            while true {
                if let data = FileManager.default.contents(atPath: file.string) {
                    let text = try JSONDecoder().decode([String: Anything].self, from: data)["state_reason"]?.text ?? ""
                    if isSo(text) { return text }
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let usual = try await sentence { !$0.isEmpty }
        #expect(!usual.contains("Labelbox does not answer"))
        obstacle.withLock { $0 = "Labelbox does not answer" }
        service.signal()
        #expect(try await sentence { $0 != usual } == usual.dropLast() + "; Labelbox does not answer.")
        obstacle.withLock { $0 = nil }
        service.signal()
        #expect(try await sentence { !$0.contains("Labelbox") } == usual)
        service.stop()
        await run.value
    }

    /// A value of which only texts matter.
    private struct Anything: Decodable {
        var text: String?
        init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
    }

    @Test("after a loss of power statuses that were not on the disk are written anew, and no others")
    func powerLoss() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["sealed.json"])
        await runOnce(service(fixture))
        let layout = StatusLayout(stateDirectory: fixture.folder.path)
        let seal = FileManager.default.contents(atPath: layout.sealFile.string)
        try await fixture.open(["lost.json"])
        await runOnce(service(fixture))
        // What the disk has after the cut: the seal before the last, and files that have names and no content.
        try #require(seal).write(to: URL(filePath: layout.sealFile.string))
        let sealed = layout.file(watch: "cats", path: "sealed.json"),
            lost = layout.file(watch: "cats", path: "lost.json")
        for file in [sealed, lost] { try Data().write(to: URL(filePath: file.string)) }
        await runOnce(service(fixture, boot: "second"))
        #expect(try status(fixture, "lost.json")?.state == "queued")
        #expect(FileManager.default.contents(atPath: sealed.string) == Data())
    }

    @Test("a signal brings the status up to date, an end at once")
    func follows() async throws {
        let fixture = try LedgerFixture()
        let writes = Locked(0)
        let written = AsyncStream<FilePath>.makeStream()
        let service = service(
            fixture, files: CountingFiles(count: writes, written: { written.continuation.yield($0) }))
        let run = Task { await service.run() }
        try await fixture.open(["a.json"])
        service.signal()
        for await path in written.stream where path.lastComponent?.string == "a.json.status.json" { break }
        #expect(try status(fixture, "a.json")?.state == "queued")
        try await fixture.plan()
        try await fixture.submit()
        try await fixture.settle()
        try await fixture.close()
        service.signal()
        for await path in written.stream where path.lastComponent?.string == "a.json.status.json" {
            if try status(fixture, "a.json")?.state == "complete_with_errors" { break }
        }
        run.cancel()
        await run.value
    }

    @Test("cancelling writes the last state of what was held back")
    func lastState() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["a.json"])
        let service = service(fixture)
        let run = Task { await service.run() }
        try await fixture.plan(missing: ["cat.jpg"])
        service.signal()
        run.cancel()
        await run.value
        #expect(try status(fixture, "a.json")?.state == "waiting_for_media")
    }

    @Test("a full disk is reported, and what was missed is written when it clears")
    func diskFull() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["a.json", "b.json"])
        let events = Locked<[String]>([])
        let failing = FailingFiles(errno: .noSpace)
        await runOnce(service(fixture, files: failing, events: events))
        #expect(events.withLock { $0.contains { $0.contains("No space left") } })
        #expect(try status(fixture, "b.json") == nil)
        await runOnce(service(fixture))
        #expect(try status(fixture, "b.json")?.state == "queued")
    }

    @Test("one path that cannot be written does not hold up the others")
    func onePath() async throws {
        let fixture = try LedgerFixture()
        // The status of the first is a file where the second needs a folder.
        try await fixture.open(["x", "x.status.json/y", "z"])
        let events = Locked<[String]>([])
        await runOnce(service(fixture, events: events))
        #expect(try status(fixture, "z")?.state == "queued")
        #expect(events.withLock { $0.count } == 1)
    }

    @Test("files that settle have a status until they are claimed or gone, also over a restart")
    func settling() async throws {
        let fixture = try LedgerFixture()
        func watch(_ names: [String]) -> WatchSnapshot {
            WatchSnapshot(
                name: "cats", path: "/drop", mode: .watching, settlingCount: names.count,
                settling: names.map {
                    SettlingFile(
                        path: FilePath($0), bytes: 1, since: fixture.now, reason: "it grows", nextLook: nil,
                        isManifest: $0.hasSuffix(".json"))
                })
        }
        let watches = Locked([watch(["a.json", "b.json", "c.jpg"])])
        await runOnce(service(fixture, watches: watches))
        #expect(try status(fixture, "a.json")?.state == "settling")
        #expect(try status(fixture, "b.json")?.state == "settling")
        #expect(try status(fixture, "c.jpg") == nil)
        try await fixture.open(["a.json"])
        watches.withLock { $0 = [watch([])] }
        await runOnce(service(fixture, watches: watches))
        #expect(try status(fixture, "a.json")?.state == "queued")
        #expect(try status(fixture, "b.json") == nil)
    }

    @Test("the daemon's status names the oldest unfinished import")
    func daemonFile() async throws {
        var fixture = try LedgerFixture()
        try await fixture.open(["old.json"])
        fixture.now += 60
        try await fixture.open(["young.json"])
        let watches = Locked([WatchSnapshot(name: "cats", path: "/drop", mode: .watching)])
        await runOnce(service(fixture, watches: watches))
        let file = StatusLayout(stateDirectory: fixture.folder.path).daemonFile
        let text = String(decoding: FileManager.default.contents(atPath: file.string) ?? Data(), as: UTF8.self)
        #expect(text.contains(#""oldest_unfinished": {"path": "old.json", "since": "2026-11-21T11:00:00.000Z""#))
        #expect(text.contains(#""imports": {"waiting_for_media": 0, "queued": 2,"#))
    }
}

private struct CountingFiles: FileWriting {
    var count: Locked<Int>
    var written: @Sendable (FilePath) -> Void = { _ in }

    func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        try PlainFiles().replace(path, with: bytes)
        count.withLock { $0 += 1 }
        written(path)
    }
    func seal(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        try PlainFiles().seal(path, with: bytes)
    }
    func remove(_ path: FilePath) throws(StatusFileError) { try PlainFiles().remove(path) }
    func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]? {
        try PlainFiles().read(path, limit: limit)
    }
}

private struct FailingFiles: FileWriting {
    var errno: Errno

    func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        throw StatusFileError("write", path, errno)
    }
    func seal(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        throw StatusFileError("sync", path, errno)
    }
    func remove(_ path: FilePath) throws(StatusFileError) { throw StatusFileError("remove", path, errno) }
    func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]? {
        try PlainFiles().read(path, limit: limit)
    }
}
