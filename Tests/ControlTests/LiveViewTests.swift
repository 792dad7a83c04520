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

    @Test("bars, rates and what is left of the time")
    func pictures() {
        var view = LiveView(palette: .none, hasBlocks: false)
        let first = view.picture([report("a.json", done: 0, of: 100)], width: 80, height: 24, at: .zero)
        #expect(first == ["cats:a.json ........................   0 % importing, 0/100 rows", "0 of 1 ended"])
        let second = view.picture([report("a.json", done: 50, of: 100)], width: 80, height: 24, at: .seconds(5))
        #expect(
            second == [
                "cats:a.json #########.........  50 % importing, 50/100 rows, 10 rows/s, 5s left", "0 of 1 ended",
            ])
    }

    @Test("where not all can be told, what is left of the time and the rate are, whole")
    func narrow() {
        var view = LiveView(palette: .none, hasBlocks: false)
        let name = "nested/folder/with-a-rather-long-name.json"
        _ = view.picture([report(name, done: 0, of: 100_000)], width: 40, height: 24, at: .zero)
        let lines = view.picture([report(name, done: 50_000, of: 100_000)], width: 40, height: 24, at: .seconds(5))
        #expect(
            lines == [
                "…ed/folder/with-a-rather-long-name.json", "#####.....  50 % 10000 rows/s, 5s left", "0 of 1 ended",
            ])
        let wide = view.picture([report(name, done: 50_000, of: 100_000)], width: 80, height: 24, at: .seconds(5))
        #expect(wide[0].hasSuffix(" 50 % importing, 10000 rows/s, 5s left"))
        #expect(wide[0].hasPrefix("…with-a-rather-long-name.json #####....."))
    }

    @Test("rows that are bad, and an end that is none, are told before anything else")
    func worst() {
        var view = LiveView(palette: .none, hasBlocks: false)
        var report = report("a.json", done: 50, of: 100, state: .completeWithErrors)
        report.rows.failed = 7
        let lines = view.picture([report], width: 46, height: 24, at: .zero)
        #expect(lines[1] == "#####.....  50 % complete_with_errors, 7 bad")
    }

    @Test("why nothing moves stands above, what can be done beneath")
    func notices() {
        var view = LiveView(palette: .none, hasBlocks: false)
        let lines = view.picture(
            [report("a.json", done: 0, of: 100)], width: 50, height: 24, notice: "datarowd is \u{1B}gone" + wide,
            hint: "q ends the view", at: .zero)
        #expect(lines.first == #"datarowd is \u{1b}gone and more than fits into a…"#)
        #expect(lines.last == "0 of 1 ended; q ends the view")
        #expect(lines.count == 4)
    }

    private let wide = " and more than fits into a single line of the terminal"

    @Test("a picture fits terminals of any size", arguments: [10, 20, 40, 59, 60, 80, 200], [4, 5, 6, 10, 50])
    func fits(width: Int, height: Int) {
        for notice in [nil, wide] {
            var view = LiveView(palette: .none, hasBlocks: true)
            let reports = (0..<60).map { report("猫-\($0)-with-a-rather-long-name.json", done: $0, of: 60) }
            for count in [1, 2, 3, 60] {
                let lines = view.picture(
                    Array(reports.prefix(count)), width: width, height: height, notice: notice, hint: "q ends",
                    at: .zero)
                // The cursor has a line of its own; in the smallest, a notice takes it.
                #expect(lines.count < height || height == 4 && notice != nil, "\(lines)")
                for line in lines { #expect(VisibleText.width(line) < width, "\(line)") }
            }
        }
    }

    @Test("a picture is drawn over the one before")
    func redraws() {
        var redrawing = Redrawing()
        #expect(redrawing.text(for: ["one", "two"], width: 80) == "\u{1B}[2Kone\n\u{1B}[2Ktwo\n\u{1B}[J")
        #expect(redrawing.text(for: ["three"], width: 80) == "\u{1B}[2A\r\u{1B}[2Kthree\n\u{1B}[J")
        #expect(redrawing.text(for: ["four"], width: 5).hasPrefix("\u{1B}[1A\r"))
    }

    @Test("what stood before the picture is not wiped out when the terminal becomes too narrow for it")
    func narrowed() {
        var redrawing = Redrawing()
        _ = redrawing.text(for: ["\u{1B}[32m12345678\u{1B}[0m"], width: 80)
        #expect(redrawing.text(for: ["1234"], width: 7).hasPrefix("\u{1B}[2K1234"))
        #expect(redrawing.text(for: ["1234"], width: 80).hasPrefix("\u{1B}[1A"))
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
