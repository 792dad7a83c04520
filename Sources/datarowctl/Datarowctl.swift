internal import ArgumentParser
internal import Control
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Settings

@main
struct Datarowctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datarowctl",
        abstract: "Shows and steers what datarowd imports.",
        discussion: """
            A MANIFEST is named as it was dropped (batch7/rows.json, or its whole path), as watch:path, or by the id \
            of its import.

            Exit codes: 0 done; 3 some rows could not be imported or deleted, 'doctor': warnings; 4 failed, rejected or \
            cancelled, 'doctor': problems; 'wait': \
            5 not ended in time; 'check': 6 files are missing, 7 not ready online; 'rows delete': 8 nothing was deleted \
            without --yes; 64 used wrongly, 65 ledger damaged, or several rows of one name, 66 nothing of that name, \
            69 Labelbox cannot be reached, 70 a defect, 74 input or output, 75 try again later, 76 no answer of the API, \
            77 not permitted, or a wrong key, 78 configuration.
            """,
        version: Release.version,
        subcommands: [
            StatusCommand.self, WaitCommand.self, ListCommand.self, ExplainCommand.self, TasksCommand.self,
            DropCommand.self, CheckCommand.self, RowsCommand.self, DatasetsCommand.self, ProjectCommand.self,
            RetryCommand.self, CancelCommand.self, PauseCommand.self, ResumeCommand.self, ReloadCommand.self,
            ConfigCommand.self, DoctorCommand.self, LedgerCommand.self, CompletionsCommand.self,
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
        } catch let error as LabelboxError {
            fail(ControlError("Labelbox", error))
        } catch let error as LedgerError {
            fail(ControlError("ledger", why: "\(error)", hint: "", status: .io))
        } catch {
            // Usage errors, --help, and exit codes.
            exit(withError: error)
        }
    }

    private static func fail(_ error: ControlError) -> Never {
        Surroundings.say(error.description)
        Foundation.exit(error.status.rawValue)
    }
}
