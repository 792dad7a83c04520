internal import ArgumentParser
internal import Control
internal import DataRows
internal import Foundation
internal import Settings
internal import SystemPackage

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tells what would become of manifests and folders, without the network.",
        discussion: """
            Every row is held to the daemon's rules, and every file that is named is looked for. Of a folder, everything is \
            checked that a watch would take, media that no manifest names included. With --online Labelbox is asked for what \
            only it can tell: whether the key is valid, the datasets can be read, the metadata fields exist. Nothing is changed.

            Exit codes, the gravest first: 4 a manifest would not be imported at all, as when it is malformed; 7 something \
            is not ready online; 3 rows would be rejected; 6 files are missing; 0 all would be imported. The output has all \
            of it, docs/schemas/check-report.schema.json describes that of --json.
            """)

    @OptionGroup var remote: RemoteOptions
    @Option(name: .long, help: "By the rules of this watch, instead of the one that a file lies in.")
    var watch: String?
    @Flag(name: .long, help: "Ask Labelbox, too.") var online = false
    @Flag(name: .long, help: "One JSON object a line: manifests, then totals of folders and of several, then --online.")
    var json = false
    @Argument(help: "Manifests and folders.", completion: .file()) var paths: [String]

    func run() async throws {
        let place = remote.place.place
        let settings = try watch == nil ? place.settingsIfAny() : place.settings()
        var run = CheckRun(
            settings: settings, watch: try watch.map { try place.watch($0) },
            workFolder: FilePath(FileManager.default.temporaryDirectory.path), now: Date())
        if online {
            try await remote.withSession { session in
                let check = OnlineCheck(session.client)
                var (report, ontology) = try await check.begin(
                    requestsPerMinute: (settings?.labelbox ?? LabelboxSettings()).requestsPerMinute)
                run.ontology = ontology
                try look(&run)
                if report.user != nil { try await check.look(at: run.datasets, into: &report) }
                run.add(report)
                if json { try Surroundings.print(json: report) } else { try Surroundings.print(report.lines) }
            }
        } else {
            try look(&run)
        }
        if run.totals.status != .ok { throw ExitCode(run.totals.status.rawValue) }
    }

    private func look(_ run: inout CheckRun) throws {
        func show(_ report: ManifestCheck.Report) throws {
            if json { try Surroundings.print(json: report) } else { try Surroundings.print(CheckText.lines(report)) }
        }
        var hasFolder = false
        for name in paths {
            let path = Surroundings.directory.pushing(FilePath(name)).lexicallyNormalized()
            if FileOnDisk.isFolder(path) {
                hasFolder = true
                try run.folder(path, told: show, unreadable: { Surroundings.say(VisibleText.of($0)) })
            } else {
                try run.manifest(path, told: show)
            }
        }
        run.finish()
        guard hasFolder || paths.count > 1 else { return }
        if json { try Surroundings.print(json: run.totals) } else { try Surroundings.print(run.totals.lines) }
    }
}
