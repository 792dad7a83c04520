internal import ArgumentParser
internal import Control
internal import Foundation
internal import Ledger
internal import Reporting
internal import SystemPackage

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the daemon and what is unfinished, or manifests in full.",
        discussion: """
            With --watch-live the manifests named, or all that are unfinished now, are followed until they have ended: bars, \
            rates and the time that is left, on a screen of their own that 'q' ends; the imports go on. Where the output is no \
            terminal, a line tells of each change; with --json, the status of what changed.
            """)

    @OptionGroup var options: PlaceOptions
    @Argument(help: "Manifests; without any, all.") var manifests: [String] = []
    @Flag(name: .long, help: "Show progress until all have ended.") var watchLive = false
    @Flag(name: .long, help: "One JSON object a line.") var json = false

    func run() async throws {
        let state = try options.place.openState()
        let now = Date()
        if watchLive { return try await follow(state, now: now) }
        if manifests.isEmpty { return try await overview(state, now: now) }
        let text = StatusText(
            palette: Surroundings.palette, width: Surroundings.terminal.tableWidth.map { $0 - 2 }, now: now)
        for (number, name) in manifests.enumerated() {
            let report = try await ManifestName(name)
                .report(in: state, directory: Surroundings.directory, now: now)
            if json {
                try Surroundings.print(json: report)
            } else {
                try Surroundings.print((number > 0 ? [""] : []) + text.lines(report))
            }
        }
    }

    private func follow(_ state: StateFolder, now: Date) async throws {
        let directory = Surroundings.directory
        let following =
            manifests.isEmpty
            ? try await Following.unfinished(in: state, directory: directory, limit: 500, now: now)
            : Following(manifests.map { .name(ManifestName($0)) }, in: state, directory: directory)
        if following.isEmpty {
            return json ? () : try Surroundings.print(["nothing is unfinished"])
        }
        var follower = Follower(following, manner: json ? .json : .fullScreen)
        _ = try await follower.follow()
    }

    private func overview(_ state: StateFolder, now: Date) async throws {
        if json {
            guard let bytes = state.daemonBytes else {
                throw ControlError(
                    state.layout.daemonFile.string, why: "the daemon has not written it",
                    hint: "start the daemon", status: .noInput)
            }
            return try Terminal.write(bytes)
        }
        let width = Surroundings.terminal.tableWidth
        let isAlive = state.daemon.map { Overview.isAlive($0.pid) } ?? false
        try Surroundings.print(
            Overview(state.daemon, isAlive: isAlive).lines(palette: Surroundings.palette, width: width, now: now))
        var reports: [StatusReport] = []
        let wish = ImportList.Wish(isUnfinished: true, limit: 20)
        let hasMore = try await ImportList(state, wish).forEach(now: now) { reports.append($0) }
        guard !reports.isEmpty else { return }
        try Surroundings.print(
            [""] + ImportTable.lines(reports, palette: Surroundings.palette, width: width, now: now)
                + (hasMore ? ["… see 'datarowctl ls' for the others"] : []))
    }
}
