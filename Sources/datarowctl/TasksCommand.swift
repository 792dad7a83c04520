internal import ArgumentParser
internal import Control
internal import Foundation
internal import Ledger

struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Lists tasks, newest first, each with the manifests whose rows it holds.")

    @OptionGroup var options: PlaceOptions
    @Flag(name: .long, help: "Only those that have not ended.") var open = false
    @Option(name: .long, help: "At most so many.") var limit = 1000
    @Flag(name: .long, help: "One JSON object a line.") var json = false

    func run() async throws {
        let state = try options.place.openState()
        let entries = try await state.ledger.tasks(isOpen: open ? true : nil, limit: max(1, limit))
            .map { TaskTable.Entry($0.0, imports: $0.1) }
        if json {
            for entry in entries { try Surroundings.print(json: entry) }
        } else {
            try Surroundings.print(TaskTable.lines(entries, width: Surroundings.terminal.tableWidth, now: Date()))
        }
    }
}
