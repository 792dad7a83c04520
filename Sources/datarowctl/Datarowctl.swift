internal import ArgumentParser
internal import Control
internal import Foundation
internal import Ledger

@main
struct Datarowctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datarowctl",
        abstract: "Shows and steers what datarowd imports.",
        discussion: """
            A MANIFEST is named as it was dropped (batch7/rows.json, or its whole path), as watch:path, or by the id \
            of its import.

            Exit codes: 0 done; 'wait' and 'check': 3 some rows could not be imported, 4 failed, rejected or cancelled, \
            5 not ended in time; 64 used wrongly, 65 ledger damaged or of another version, 66 no such manifest, \
            74 input or output, 77 not permitted, 78 configuration.
            """,
        subcommands: [
            StatusCommand.self, WaitCommand.self, ListCommand.self, ExplainCommand.self, TasksCommand.self,
            DropCommand.self, CheckCommand.self, ConfigCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as ControlError {
            fail(error)
        } catch let error as LedgerError {
            fail(ControlError("ledger", why: "\(error)", hint: "", status: .io))
        } catch {
            // Usage errors, --help, and exit codes.
            exit(withError: error)
        }
    }

    private static func fail(_ error: ControlError) -> Never {
        let text = error.description.split(separator: "\n").map { "datarowctl: \($0)\n" }.joined()
        // Nobody is left to be told when standard error is gone.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
        Foundation.exit(error.status.rawValue)
    }
}
