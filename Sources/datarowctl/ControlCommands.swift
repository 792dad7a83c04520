internal import ArgumentParser
internal import Control
internal import DataRows
internal import Foundation
internal import Ledger

/// How a command that asks the daemon for something waits for what comes of it.
struct AskingOptions: ParsableArguments {
    @OptionGroup var place: PlaceOptions
    @Flag(name: .long, help: "Wait until the daemon has done it, or said why not.") var wait = false
    @Option(
        name: .long, help: ArgumentHelp("How long to wait at most.", valueName: "duration"))
    var timeout = DurationOption(duration: .seconds(60))

    /// Asks, and tells what came of it.
    func ask(_ verb: OperatorVerb, watch: String? = nil) async throws {
        let state = try place.place.openState()
        try await ask(verb, in: state, watch: watch, importID: nil, failedOnly: nil)
    }

    func ask(
        _ verb: OperatorVerb, in state: StateFolder, watch: String?, importID: ImportID?, failedOnly: Bool?
    ) async throws {
        let asking = Asking(state)
        let id = try asking.ask(verb, watch: watch, importID: importID, failedOnly: failedOnly, at: Date())
        // Who does not wait is told all the same, where the daemon is quick about it.
        let clock = ContinuousClock()
        let limit = clock.now + (wait ? timeout.duration : .seconds(2))
        while true {
            if let request = try await asking.outcome(of: id) {
                let outcome = request.outcome.split(separator: "\n").map { VisibleText.of(String($0)) }
                guard request.state == .done else {
                    throw ControlError(
                        verb.rawValue, why: outcome.joined(separator: "\n"), hint: "",
                        status: verb == .reload ? .configuration : .failed)
                }
                return try Surroundings.print(outcome)
            }
            guard clock.now < limit else { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        guard wait else {
            return try Surroundings.print(["asked for; datarowd takes it up when it runs"])
        }
        throw ControlError(
            verb.rawValue, why: "nothing came of it within \(timeout.duration)",
            hint: "it stands, and is taken up when datarowd runs; see 'datarowctl status'", status: .timedOut)
    }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Has datarowd send, upload and delete nothing more.",
        discussion: """
            Requests that are on their way end; tasks are followed, results read, files taken in and statuses written. It \
            holds until 'datarowctl resume', also when datarowd is started again.
            """)

    @OptionGroup var options: AskingOptions
    @Option(name: .long, help: ArgumentHelp("This watch alone.", valueName: "name")) var watch: String?

    func run() async throws { try await options.ask(.pause, watch: watch) }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Ends a pause.",
        discussion: "Watches that were paused by their names stay so until they are resumed by them.")

    @OptionGroup var options: AskingOptions
    @Option(name: .long, help: ArgumentHelp("This watch alone.", valueName: "name")) var watch: String?

    func run() async throws { try await options.ask(.resume, watch: watch) }
}

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Has datarowd read its configuration again.",
        discussion: """
            One that is wrong is refused, with the file, line and key in question, and the old one holds on; the exit code is \
            78 then. No work is lost either way.
            """)

    @OptionGroup var options: AskingOptions

    func run() async throws { try await options.ask(.reload) }
}
