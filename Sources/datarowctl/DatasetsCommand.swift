internal import ArgumentParser
internal import Control
internal import DataRows
internal import LabelboxAPI

struct DatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datasets", abstract: "Shows datasets at Labelbox.", subcommands: [Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows a dataset, those of a name, or all.")

        @OptionGroup var remote: RemoteOptions
        @Argument(help: "Its id; without it, all are listed.") var id: String?
        @Option(name: .long, help: "Those of exactly this name.") var name: String?
        @Flag(name: .long, help: "One JSON object a line.") var json = false

        func validate() throws {
            if id != nil && name != nil { throw ValidationError("Give either an id or --name.") }
        }

        func run() async throws {
            try await remote.withSession { session in
                if let id { try await show(id, session.client) } else { try await list(session.client) }
            }
        }

        private func show(_ id: String, _ client: LabelboxClient) async throws {
            guard let dataset = try await client.dataset(DatasetID(rawValue: id)) else {
                throw ControlError(
                    "dataset '\(VisibleText.of(id))'",
                    why: "Labelbox knows none of this id, or this key may not see it",
                    hint: "see 'datarowctl datasets show' for all", status: .noInput)
            }
            let line = DatasetLine(dataset)
            if json { try Surroundings.print(json: line) } else { try Surroundings.print(line.lines) }
        }

        private func list(_ client: LabelboxClient) async throws {
            let count = try await OffsetPages.forEach { skip, limit in
                try await client.datasets(named: name, skip: skip, limit: limit)
            } _: { page in
                let lines = page.map(DatasetLine.init)
                if json {
                    try Surroundings.print(jsonLines: lines)
                } else {
                    try Surroundings.print(DatasetLine.table(lines, width: Surroundings.terminal.tableWidth))
                }
            }
            if count == 0, let name {
                throw ControlError(
                    "dataset '\(VisibleText.of(name))'", why: "Labelbox knows none of exactly this name",
                    hint: "see 'datarowctl datasets show' for all", status: .noInput)
            }
        }
    }
}
