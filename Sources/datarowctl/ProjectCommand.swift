internal import ArgumentParser
internal import Control
internal import DataRows

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Lists what is in a project at Labelbox.", subcommands: [Rows.self])

    struct Rows: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rows", abstract: "Lists the data rows of a project's datasets, one dataset after the other.",
            discussion: "The same as 'rows list --project ID'.")

        @OptionGroup var remote: RemoteOptions
        @Argument(help: "The project's id.") var id: String
        @OptionGroup var rows: RowListOptions
        @OptionGroup var output: ListOptions

        func run() async throws {
            try await remote.withSession { session in
                _ = try await rows.print(
                    ProjectDatasets(ProjectID(rawValue: id), client: session.client).stream, externalID: nil,
                    of: session.client, as: output)
            }
        }
    }
}
