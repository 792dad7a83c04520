internal import ArgumentParser
internal import Control
internal import Foundation
internal import Settings
internal import SystemPackage

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Mends the record of all work.", subcommands: [Rebuild.self])

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild",
            abstract: "Makes a new ledger, where the old one is damaged or gone; the daemon must be stopped.",
            discussion: """
                Whatever can be read of the old ledger is taken over, and it is kept in damaged/. Claimed manifests are taken \
                up again, and their rows are looked up before anything is sent; finished imports are found again by their \
                statuses and results. docs/repair.md tells when to do it, and what is lost. It may be cut off and run again.
                """)

        @OptionGroup var place: PlaceOptions
        @Flag(name: .long, help: "Tell what would be done, and change nothing.") var dryRun = false
        @Flag(
            name: .long,
            help: """
                Send also what cannot be looked up, deletions and rows without a global key; it may be there twice then, or \
                be deleted by a name that is another row's by now.
                """)
        var sendAgain = false
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Read this ledger, such as a backup, instead of the one that is there.", valueName: "file"),
            completion: .file())
        var from: String?
        @Flag(name: .long, help: "One JSON object.") var json = false

        func run() async throws {
            var settings = try place.place.settings()
            if let state = place.stateDirectory { settings.stateDirectory = FilePath(state) }
            let rebuild = LedgerRebuild(
                settings, from: from.map { FilePath($0) }, sendsAgain: sendAgain, now: Date())
            let report = try await rebuild.run(isDryRun: dryRun)
            if json {
                try Surroundings.print(json: report)
            } else {
                try Surroundings.print(report.lines)
            }
        }
    }
}
