internal import ArgumentParser
internal import Control
internal import DataRows
internal import Foundation
internal import SystemPackage

extension RowsCommand {
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Deletes data rows, and with them all of their labels, for good.",
            discussion: """
                Without --yes nothing is deleted: it tells what would be, and exits with 8. An external id that several \
                rows have is an error that lists them (65), and nothing is deleted. With --yes a line tells what became of \
                each row; exit code 3 says that some were not found or are still there, 75 that of some it is not known. \
                Ctrl-C stops before the next request and says how far it went; a second one stops at once.
                """)

        @OptionGroup var remote: RemoteOptions
        @Option(name: .long, help: "Of this id. Repeatable.") var id: [String] = []
        @Option(name: .long, help: "Of this global key. Repeatable.") var globalKey: [String] = []
        @Option(name: .long, help: "Of this external id. Repeatable.") var externalID: [String] = []
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Those named in this file, '-' for standard input: one a line, or JSON lines as 'rows list' prints them.",
                valueName: "file"), completion: .file())
        var from: String?
        @Option(
            name: .long, help: ArgumentHelp("What --from holds: id, global-key or external-id.", valueName: "kind"))
        var by = KindOption(kind: .id)
        @Option(
            name: .long,
            help: ArgumentHelp("External ids, and --created-after, are meant in this dataset.", valueName: "id"))
        var dataset: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Those of --dataset that were created after this time, in UTC.", valueName: "time"))
        var createdAfter: InstantOption?
        @Option(name: .long, help: "Rows in one request, 1 to 10000.") var perRequest = 4_000
        @Flag(name: .long, help: "Do it.") var yes = false
        @Flag(name: .long, help: "One JSON object a line.") var json = false

        func validate() throws {
            let isNamed = !id.isEmpty || !globalKey.isEmpty || !externalID.isEmpty || from != nil
            guard isNamed != (createdAfter != nil) else {
                throw ValidationError("Say which rows: by their names, or by --created-after.")
            }
            if createdAfter != nil && dataset == nil { throw ValidationError("--created-after needs --dataset.") }
            guard 1...10_000 ~= perRequest else { throw ValidationError("--per-request must be from 1 to 10000.") }
        }

        func run() async throws {
            let interruption = await Interruption()
            try await remote.withSession { session in
                let deletion = RowDeletion(
                    RowDeletion.Surroundings(
                        client: session.client,
                        temporaryFolder: FilePath(FileManager.default.temporaryDirectory.path),
                        isStopped: { interruption.isAsked }),
                    perRequest: perRequest)
                let selection = try selection()
                guard yes else {
                    let forecast = try await deletion.forecast(selection)
                    if json {
                        try Surroundings.print(json: forecast)
                    } else {
                        try Surroundings.print(forecast.lines(width: Surroundings.terminal.tableWidth))
                    }
                    throw ExitCode(ExitStatus.dryRun.rawValue)
                }
                try await delete(selection, deletion, interruption)
            }
        }

        private func delete(
            _ selection: RowSelection, _ deletion: RowDeletion, _ interruption: Interruption
        ) async throws {
            let task = Task {
                try await deletion.run(selection) { lines, progress in
                    if json {
                        try Surroundings.print(jsonLines: lines)
                    } else {
                        try Surroundings.print(lines.map(\.line))
                    }
                    Surroundings.say(progress.sentence(isOver: false))
                }
            }
            interruption.cancelling { task.cancel() }
            let (progress, failure) = try await task.value
            if interruption.isAsked {
                Surroundings.say("interrupted: \(progress.sentence(isOver: true)): run it again for the rest")
            } else if let failure {
                Surroundings.say(progress.sentence(isOver: true))
                throw failure
            }
            let status = RowDeletion.status(progress, isStopped: interruption.isAsked)
            if status != .ok { throw ExitCode(status.rawValue) }
        }

        private func selection() throws -> RowSelection {
            var selection = RowSelection()
            selection.names =
                id.map(RowName.id) + globalKey.map(RowName.globalKey) + externalID.map(RowName.externalID)
            selection.dataset = dataset.map(DatasetID.init(rawValue:))
            selection.createdAfter = createdAfter?.date
            if let from {
                do {
                    let file =
                        from == "-"
                        ? FileDescriptor.standardInput
                        : try FileDescriptor.open(FilePath(from), .readOnly, options: [.closeOnExec])
                    selection.lines = NameLines(by.kind, of: from == "-" ? "standard input" : from, file)
                } catch {
                    throw ControlError(
                        VisibleText.of(from), why: "\(error)", hint: "name a file that you may read", status: .noInput)
                }
            }
            return selection
        }
    }
}

/// What the lines of a file hold.
struct KindOption: ExpressibleByArgument {
    var kind: NameLines.Kind

    init(kind: NameLines.Kind) { self.kind = kind }

    init?(argument: String) {
        guard let kind = NameLines.Kind(rawValue: argument) else { return nil }
        self.kind = kind
    }

    static var allValueStrings: [String] { NameLines.Kind.allCases.map(\.rawValue) }
    var defaultValueDescription: String { kind.rawValue }
}
