internal import ArgumentParser
internal import Control

extension RowsCommand {
    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "update", abstract: "Changes one data row; only what is given changes.",
            discussion: """
                Prints the row as it is then. When the answer is lost, the command says that the change may or may not have \
                been made (exit code 75); to run it again does no harm.
                """)

        @OptionGroup var remote: RemoteOptions
        @OptionGroup var name: RowNameOptions
        @Option(name: .long, help: "The new external id.") var externalID: String?
        @Option(name: .long, help: "The new global key: 1 to 200 characters.") var newGlobalKey: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "The new data: text, a URL, or an object as JSON; @FILE for what is in a file.", valueName: "data"))
        var rowData: String?
        @Flag(name: .long, help: "One JSON object a line.") var json = false

        func validate() throws { _ = try name.chosen() }

        func run() async throws {
            let update = try RowUpdate(
                rowData: rowData.map { try RowUpdate.rowData($0) }, externalID: externalID, globalKey: newGlobalKey)
            let wanted = try name.chosen()
            let row = try await remote.withSession { session in try await update.run(wanted, by: session.client) }
            if json { try Surroundings.print(json: row) } else { try Surroundings.print(row.lines) }
        }
    }
}
