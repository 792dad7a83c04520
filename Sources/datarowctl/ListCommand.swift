internal import ArgumentParser
internal import Control
internal import Foundation
internal import Ledger
internal import Reporting

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists manifests: what is unfinished first, then what has ended, newest first.")

    @OptionGroup var options: PlaceOptions
    @Option(name: .long, help: "Only those in this state.") var state: StateOption?
    @Option(name: .long, help: ArgumentHelp("Only those first seen so long ago, as in 1h.", valueName: "duration"))
    var olderThan: DurationOption?
    @Option(name: .long, help: "At most so many; 0 for all.") var limit = 100
    @Flag(name: .long, help: "One JSON object a line.") var json = false

    func run() async throws {
        let now = Date()
        let wish = ImportList.Wish(
            state: state?.state, olderThan: olderThan.map { $0.duration / .seconds(1) }, limit: max(0, limit))
        let list = ImportList(try options.place.openState(), wish)
        if json {
            try await list.forEach(now: now) { try Surroundings.print(json: $0) }
            return
        }
        var reports: [StatusReport] = []
        func flush() throws {
            try Surroundings.print(
                ImportTable.lines(
                    reports, palette: Surroundings.palette, width: Surroundings.terminal.tableWidth, now: now))
            reports.removeAll()
        }
        let hasMore = try await list.forEach(now: now) { report in
            reports.append(report)
            // A table knows its widths only at its end; a very long list is several.
            if reports.count == 10_000 { try flush() }
        }
        if !reports.isEmpty { try flush() }
        if hasMore { try Surroundings.print(["… there are more: --limit 0 lists all"]) }
    }
}
