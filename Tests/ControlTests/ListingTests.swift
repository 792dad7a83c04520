import Control
import DataRows
import Foundation
import Intake
import Ledger
import Reporting
import SystemPackage
import Testing

@Suite("Listing")
struct ListingTests {
    private func list(_ fixture: StateFixture, _ wish: ImportList.Wish = .init()) async throws -> ([String], Bool) {
        var found: [String] = []
        let hasMore = try await ImportList(try StateFolder.open(fixture.path), wish).forEach(now: StateFixture.now) {
            found.append("\($0.manifest) \($0.state.rawValue)")
        }
        return (found, hasMore)
    }

    private func fixture() async throws -> StateFixture {
        let fixture = try StateFixture()
        try await fixture.open("bad.json", ago: 7200)
        try await fixture.finish(state: .rejected)
        try await fixture.open("good.json")
        try await fixture.finish()
        try await fixture.open("waits.json")
        try await fixture.writeDaemon(settling: ["new.json"])
        return fixture
    }

    @Test("what is unfinished comes first, with what settles, then what ended, newest first")
    func order() async throws {
        let (found, hasMore) = try await list(try await fixture())
        #expect(found == ["new.json settling", "waits.json queued", "good.json complete", "bad.json rejected"])
        #expect(!hasMore)
    }

    @Test("a list is narrowed by state, age and number")
    func filters() async throws {
        let fixture = try await fixture()
        #expect(try await list(fixture, .init(state: .complete)).0 == ["good.json complete"])
        #expect(try await list(fixture, .init(state: .settling)).0 == ["new.json settling"])
        #expect(try await list(fixture, .init(olderThan: 3600)).0 == ["bad.json rejected"])
        #expect(try await list(fixture, .init(isUnfinished: true)).0 == ["new.json settling", "waits.json queued"])
        let (found, hasMore) = try await list(fixture, .init(limit: 2))
        #expect(found == ["new.json settling", "waits.json queued"])
        #expect(hasMore)
    }

    @Test("the table of manifests")
    func importTable() async throws {
        let fixture = try await fixture()
        var reports: [StatusReport] = []
        try await ImportList(try StateFolder.open(fixture.path), .init()).forEach(now: StateFixture.now) {
            reports.append($0)
        }
        let lines = ImportTable.lines(reports, palette: .none, width: 100, now: StateFixture.now)
        #expect(
            lines == [
                "MANIFEST         STATE       AGE  ROWS  BAD   DONE  WHY",
                "cats:new.json    settling     3s     0    0    0 %  Waits until nobody writes to it any more: it is…",
                "cats:waits.json  queued    1m30s     0    0    0 %  Taken from the drop folder; it is read and chec…",
                "cats:good.json   complete     0s    10    0  100 %  All 10 rows are done: 10 created.",
                "cats:bad.json    rejected     0s    10    0  100 %  Nothing was imported: Row 3 has no row_data; me…",
            ])
        for line in lines { #expect(VisibleText.width(line) <= 100) }
    }

    @Test("one manifest in full")
    func full() async throws {
        let fixture = try StateFixture()
        try await fixture.open("rows.json", id: "import-1")
        try await fixture.finish(failed: 2)
        let state = try StateFolder.open(fixture.path)
        let report = try await ManifestName("import-1").report(in: state, directory: "/", now: StateFixture.now)
        let lines = StatusText(palette: .none, width: 80, now: StateFixture.now + 5).lines(report)
        #expect(
            lines == [
                "cats:rows.json",
                "  state       complete_with_errors",
                "  why         2 of 10 rows could not be imported (8 created); mend the manifest and drop it again.",
                "  import      import-1",
                "  operation   create in dataset dataset",
                "  rows        10: 8 created, 2 failed",
                "  results     /r",
                "  seen        10:58:30 UTC, 1m35s ago",
                "  started     11:00:00 UTC, 5s ago",
                "  finished    11:00:00 UTC, 5s ago",
                "",
                "  TASK    STATUS    ROWS   DONE  AGE",
                "  task-1  COMPLETE    10  100 %   0s",
            ])
    }

    @Test("the daemon and its watches, alive and dead")
    func overview() async throws {
        let fixture = try await fixture()
        let state = try StateFolder.open(fixture.path)
        var lines = Overview(state.daemon, isAlive: true).lines(palette: .none, width: 70, now: StateFixture.now)
        #expect(lines[0] == "datarowd 1.2.3, pid 4711: running")
        #expect(lines[2] == "  requests: 12 of 1200 a minute")
        #expect(lines[4].hasPrefix("WATCH  MODE      SETTLING  WAITING  MOVING  DONE  BAD  OLDEST  FOLDER"))
        #expect(lines[5].hasPrefix("cats   watching         1        1       0     1    1"))
        lines = Overview(state.daemon, isAlive: false).lines(palette: .none, width: 70, now: StateFixture.now + 60)
        #expect(lines[0] == "datarowd 1.2.3 is not running, last heard of 1m00s ago")
        #expect(Overview(nil, isAlive: false).lines(palette: .none, width: 70, now: StateFixture.now).count == 1)
    }

    @Test("the table of tasks, for people and for programs")
    func tasks() async throws {
        let fixture = try await fixture()
        let entries = try await fixture.ledger.tasks(isOpen: nil, limit: 10).map {
            TaskTable.Entry($0.0, imports: $0.1)
        }
        let lines = TaskTable.lines(entries, width: 80, now: StateFixture.now)
        #expect(
            lines == [
                "TASK    STATUS    ROWS   DONE  AGE  MANIFESTS       WHY",
                "task-1  COMPLETE    10  100 %   0s  cats:good.json",
            ])
        let json = String(decoding: try #require(entries.first).jsonLine, as: UTF8.self)
        #expect(json.hasPrefix(#"{"task_id":"task-1","submission_id":""#))
        #expect(json.hasSuffix(#""reason":"","manifests":["cats:good.json"]}"#))
    }

    @Test("a file is explained by the rule for its name and by what became of it")
    func explains() async throws {
        let fixture = try await fixture()
        let folder = fixture.drop.appending("cats")
        let watches = [
            Explanation.Watch(
                name: "cats", path: folder,
                rules: FileRules(DropFolderSettings(name: "cats", path: folder, stateDirectory: fixture.path)),
                mediaRoots: ["/media"])
        ]
        let explanation = Explanation(watches: watches, state: try StateFolder.open(fixture.path))
        func explain(_ path: FilePath, _ kind: FileOnDisk = .absent) async throws -> [String] {
            try await explanation.lines(path, kind: kind, directory: folder, now: StateFixture.now)
        }
        #expect(
            try await explain("x.part", .regular(bytes: 7)) == [
                "A file of 7 B is there.", "Watch cats: ignored: x.part matches 'ignore' pattern *.part.",
            ])
        let bad = try await explain("bad.json")
        #expect(bad[0] == "No file is there now.")
        #expect(bad[1] == "Watch cats: a manifest: its name matches 'manifests' pattern *.json.")
        #expect(bad[2].hasPrefix("Taken 2h00m ago as import id-bad.json: rejected. Nothing was imported"))
        #expect(try await explain("new.json")[2].hasPrefix("Settling since 3s: "))
        #expect(try await explain("/media/x.jpg")[0].contains("media root of watch cats"))
        #expect(try await explain("/etc/passwd")[0].contains("does not lie beneath any watch"))
        let early = Explanation(watches: watches, state: nil)
        let lines = try await early.lines("a.jpg", kind: .other, directory: folder, now: StateFixture.now)
        #expect(lines.last?.contains("has not run") == true)
    }
}
