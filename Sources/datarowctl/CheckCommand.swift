internal import ArgumentParser
internal import Control
internal import DataRows
internal import Foundation
internal import Reporting
internal import Settings
internal import SystemPackage

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tells what would become of manifests, without the network.",
        discussion: """
            Every row is held to the daemon's rules, and every file that is named is looked for. Exit codes: 0 all would \
            be imported, 3 some rows would not, 4 a manifest could not be imported at all.
            """)

    @OptionGroup var options: PlaceOptions
    @Option(name: .long, help: "By the rules of this watch, instead of the one that the manifest lies in.")
    var watch: String?
    @Flag(name: .long, help: "One JSON object a line.") var json = false
    @Argument(help: "Manifests.", completion: .file()) var manifests: [String]

    func run() async throws {
        // Without a configuration the defaults are the rules, unless a watch was asked for by name.
        var settings: Settings?
        do throws(ControlError) { settings = try options.place.settings() } catch {
            guard watch == nil, error.status == .noInput || options.config == Place.usualConfiguration else {
                throw error
            }
        }
        var worst = ExitStatus.ok
        for name in manifests {
            let path = Surroundings.directory.pushing(FilePath(name)).lexicallyNormalized()
            let chosen =
                try watch.map { try options.place.watch($0) } ?? settings?.watches.first { path.starts(with: $0.path) }
            let report = try ManifestCheck(
                ManifestCheck.Rules(
                    policy: chosen?.rowPolicy ?? RowPolicy(), media: chosen?.mediaRules ?? MediaRules(),
                    maximumRowsPerTask: chosen?.maxRowsPerTask ?? 20_000,
                    requestsPerMinute: settings?.labelbox.requestsPerMinute ?? LabelboxSettings().requestsPerMinute,
                    roots: [chosen?.path, path.removingLastComponent()].compactMap(\.self) + (chosen?.mediaRoots ?? []))
            ).report(path, workFolder: FilePath(FileManager.default.temporaryDirectory.path), now: Date())
            if report.status.rawValue > worst.rawValue { worst = report.status }
            if json {
                try Surroundings.print(json: report)
            } else {
                try Surroundings.print(CheckText.lines(report))
            }
        }
        if worst != .ok { throw ExitCode(worst.rawValue) }
    }
}
