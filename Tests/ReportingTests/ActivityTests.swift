import DataRows
import Foundation
import Ledger
import Locking
import Reporting
import SystemPackage
import Testing

@Suite("The last hour")
struct RecentHourTests {
    @Test("what is done is in the slot of its time, and leaves after an hour")
    func slots() {
        var hour = RecentHour()
        hour.add(rows: 5, at: .seconds(3))
        hour.add(rows: 2, bytes: 100, requests: 1, at: .seconds(9.9))
        hour.add(rows: 1, at: .seconds(10))
        var now = hour.slots(at: .seconds(19))
        #expect(now.count == 360)
        #expect(now.suffix(2).map(\.rows) == [7, 1])
        #expect(now.suffix(2).map(\.bytes) == [100, 0])
        now = hour.slots(at: .seconds(3599))
        #expect(now.prefix(3).map(\.rows) == [7, 1, 0])
        #expect(hour.slots(at: .seconds(3600)).map(\.rows).reduce(0, +) == 1)
        #expect(hour.slots(at: .seconds(100_000)).map(\.rows).reduce(0, +) == 0)
    }

    @Test("a slot that comes round again is empty, after however long")
    func reused() {
        var hour = RecentHour()
        for turn in 0..<5 {
            hour.add(rows: 1, at: .seconds(turn * 3600 + 5))
            #expect(hour.slots(at: .seconds(turn * 3600 + 5)).map(\.rows).reduce(0, +) == 1)
        }
        hour.add(rows: 9, at: .seconds(1_000_000))
        #expect(hour.slots(at: .seconds(1_000_000)).last?.rows == 9)
        // Of a time that is long gone.
        hour.add(rows: 4, at: .seconds(5))
        #expect(hour.slots(at: .seconds(1_000_000)).map(\.rows).reduce(0, +) == 9)
    }
}

@Suite("Activity")
struct ActivityTests {
    private let time = Locked(Duration.zero)

    private func totals(_ watch: String = "cats", created: Int, failed: Int = 0) -> LedgerTotals {
        var totals = LedgerTotals()
        var rows = RowCounts()
        rows.created = created
        rows.failed = failed
        totals.rows[watch] = rows
        return totals
    }

    private func activity() -> Activity { Activity { [time] in time.withLock { $0 } } }

    @Test("rows that were there at the start were not done by this process")
    func baseline() {
        let activity = activity()
        activity.observe(totals(created: 1_000_000))
        #expect(activity.ended().isEmpty)
        activity.observe(totals(created: 1_000_003))
        #expect(activity.ended() == ["cats": [.created: 3]])
        #expect(activity.hour().map(\.rows).reduce(0, +) == 3)
    }

    @Test("rows that are taken back to be tried again make no counter shrink, and count again when they end")
    func takenBack() {
        let activity = activity()
        activity.observe(totals(created: 0))
        activity.observe(totals(created: 10, failed: 5))
        activity.observe(totals(created: 10, failed: 0))
        #expect(activity.ended() == ["cats": [.created: 10, .failed: 5]])
        activity.observe(totals(created: 14, failed: 1))
        #expect(activity.ended() == ["cats": [.created: 14, .failed: 6]])
    }

    @Test("bytes and requests are in the slot in which they moved")
    func moved() {
        let activity = activity()
        activity.sent(bytes: 10)
        time.withLock { $0 = .seconds(25) }
        activity.sent(bytes: 7)
        activity.requestEnded()
        #expect(activity.hour().suffix(3).map(\.bytes) == [10, 0, 7])
        #expect(activity.hour().suffix(3).map(\.requests) == [0, 0, 1])
    }
}

@Suite("Commands that mend")
struct MendingCommandsTests {
    private func status(_ path: String, _ state: ImportState, failedRows: String? = nil) -> StatusReport {
        let file = SettlingFile(
            path: FilePath(path), bytes: 1, since: LedgerFixture.start, reason: "", nextLook: nil, isManifest: true)
        var status = StatusReport(settling: file, watch: "cats", now: LedgerFixture.start)
        status.state = state
        status.failedRowsFile = failedRows
        return status
    }

    @Test(
        "the rows that failed are mended and dropped, a manifest that was refused as a whole, and a failed one is retried"
    )
    func lines() {
        #expect(
            MendingCommands(
                status("a/b.json", .completeWithErrors, failedRows: "/s/failed/it's.ndjson"), manifest: FilePath("/x")
            ).lines == [
                "datarowctl status cats:a/b.json", #"${EDITOR:-vi} '/s/failed/it'\''s.ndjson'"#,
                #"datarowctl drop '/s/failed/it'\''s.ndjson' --watch cats --wait"#,
            ])
        #expect(
            MendingCommands(status("b.json", .rejected), manifest: FilePath("/s/failed/b.json")).lines == [
                "datarowctl status cats:b.json", "${EDITOR:-vi} /s/failed/b.json",
                "datarowctl drop /s/failed/b.json --watch cats --wait",
            ])
        #expect(
            MendingCommands(status("b.json", .failed), manifest: FilePath("/s/failed/b.json")).lines == [
                "datarowctl status cats:b.json", "datarowctl retry cats:b.json",
            ])
    }

    @Test(
        "a shell takes the word as it was, whatever is in it",
        arguments: ["plain-1.json", "a b", "$(rm x)", "it's", "a;b", "`x`", "-rf", "~", "*", "\\", "\"", "ä", "#", "!"])
    func words(text: String) throws {
        let word = try #require(MendingCommands.word(text))
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", "printf %s \(word)"]
        let pipe = Pipe()
        shell.standardOutput = pipe
        try shell.run()
        let printed = try #require(try pipe.fileHandleForReading.readToEnd())
        shell.waitUntilExit()
        // printf itself takes -rf for options.
        #expect(String(decoding: printed, as: UTF8.self) == text || text == "-rf")
        #expect(text != "-rf" || word == "'-rf'")
    }

    @Test("a name that no terminal shows as it is makes no command", arguments: ["a\nb", "a\u{1b}[31m", "a\u{202e}b"])
    func unshowable(name: String) { #expect(MendingCommands(status(name, .failed), manifest: nil).lines.isEmpty) }
}
