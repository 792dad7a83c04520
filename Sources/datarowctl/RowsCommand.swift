internal import ArgumentParser
internal import Control
internal import DataRows
internal import LabelboxAPI

struct RowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows", abstract: "Lists, finds, changes and deletes data rows at Labelbox.",
        subcommands: [List.self, Get.self, Update.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the data rows of a dataset or a project, the newest first.",
            discussion: """
                A page at a time, in constant memory. Deleted rows are not in it. Those of a project are the rows of its \
                datasets, one dataset after the other.
                """)

        @OptionGroup var remote: RemoteOptions
        @Option(name: .long, help: ArgumentHelp("Of this dataset.", valueName: "id")) var dataset: String?
        @Option(name: .long, help: ArgumentHelp("Of this project.", valueName: "id")) var project: String?
        @Option(name: .long, help: "Only rows of this external id.") var externalID: String?
        @OptionGroup var rows: RowListOptions
        @OptionGroup var output: ListOptions

        func validate() throws {
            guard (dataset == nil) != (project == nil) else {
                throw ValidationError("Give either --dataset or --project.")
            }
        }

        func run() async throws {
            try await remote.withSession { session in
                let datasets =
                    project.map { ProjectDatasets(ProjectID(rawValue: $0), client: session.client).stream }
                    ?? ProjectDatasets.only(DatasetID(rawValue: dataset ?? ""))
                _ = try await rows.print(datasets, externalID: externalID, of: session.client, as: output)
            }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "get", abstract: "Shows one data row in full.",
            discussion: """
                External ids are not unique: several rows of one are an error that lists them (exit code 65). No row is \
                one too (66).
                """)

        @OptionGroup var remote: RemoteOptions
        @OptionGroup var name: RowNameOptions
        @Option(name: .long, help: "Its external id.") var externalID: String?
        @Option(name: .long, help: ArgumentHelp("It must lie in this dataset.", valueName: "id")) var dataset: String?
        @Flag(name: .long, help: "One JSON object a line.") var json = false

        func validate() throws { _ = try name.chosen(externalID: externalID) }

        func run() async throws {
            let wanted = try name.chosen(externalID: externalID)
            let row = try await remote.withSession { session in
                try await RowFinder(client: session.client, dataset: dataset.map(DatasetID.init(rawValue:))).find(
                    wanted)
            }
            if json { try Surroundings.print(json: row) } else { try Surroundings.print(row.lines) }
        }
    }
}

/// What a row is called.
struct RowNameOptions: ParsableArguments {
    @Option(name: .long, help: "Its id.") var id: String?
    @Option(name: .long, help: "Its global key.") var globalKey: String?

    func chosen(externalID: String? = nil) throws -> RowName {
        let names = [id.map(RowName.id), globalKey.map(RowName.globalKey), externalID.map(RowName.externalID)]
            .compactMap(\.self)
        guard let name = names.first, names.count == 1 else {
            throw ValidationError("Name the row in one way, by its id or one of its names.")
        }
        return name
    }
}
