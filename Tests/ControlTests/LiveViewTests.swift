import Control
import Ledger
import Reporting
import SystemPackage
import Testing

@Suite("Live view")
struct LiveViewTests {
    private func report(_ name: String, done: Int, of total: Int, state: ImportState = .importing) -> StatusReport {
        let file = SettlingFile(
            path: .init(name), bytes: 1, since: StateFixture.now, reason: "", nextLook: nil, isManifest: true)
        var report = StatusReport(settling: file, watch: "cats", now: StateFixture.now)
        report.state = state
        report.rows.total = total
        report.rows.submitted = done
        report.rows.created = done
        report.progress = Double(done) / Double(total)
        return report
    }

    @Test("bars are redrawn in place")
    func redraws() {
        var view = LiveView(palette: .none, hasBlocks: false)
        let first = view.frame([report("a.json", done: 0, of: 100)], width: 80, height: 24, at: .zero)
        #expect(!first.contains("A\r"))
        let second = view.frame([report("a.json", done: 50, of: 100)], width: 80, height: 24, at: .seconds(5))
        #expect(second.hasPrefix("\u{1B}[2A\r\u{1B}[2K"))
        #expect(second.contains("cats:a.json"))
        #expect(second.contains(" 50 % importing, 50/100 rows, 10 rows/s, 5s left"))
        #expect(second.contains("0 of 1 ended"))
    }

    @Test("a picture fits terminals of any size", arguments: [10, 20, 40, 80, 200], [4, 10, 50])
    func fits(width: Int, height: Int) {
        var view = LiveView(palette: .none, hasBlocks: true)
        let reports = (0..<60).map { report("猫-\($0)-with-a-rather-long-name.json", done: $0, of: 60) }
        let frame = view.frame(reports, width: width, height: height, at: .zero)
        let lines = frame.split(separator: "\n").dropLast()
        #expect(lines.count <= height)
        if width >= 20 {
            for line in lines { #expect(VisibleText.width(String(line).replacing("\u{1B}[2K", with: "")) <= width) }
        }
    }

    @Test("where nothing can be redrawn, only news is printed, without escape sequences")
    func news() {
        var view = LiveView(palette: .none, hasBlocks: true)
        #expect(view.news([report("a\u{1B}.json", done: 0, of: 100)], at: .zero).count == 1)
        #expect(view.news([report("a\u{1B}.json", done: 5, of: 100)], at: .seconds(1)) == [])
        #expect(view.news([report("a\u{1B}.json", done: 10, of: 100)], at: .seconds(2)).count == 1)
        let end = view.news([report("a\u{1B}.json", done: 100, of: 100, state: .complete)], at: .seconds(3))
        #expect(end.first?.hasPrefix(#"cats:a\u{1b}.json complete 100 %"#) == true)
    }
}
