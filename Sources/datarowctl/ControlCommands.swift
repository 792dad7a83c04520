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
        let state = try place.place.openStateToAsk(environment: Surroundings.environment)
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
                if wait, [.pause, .resume].contains(verb) { try await asking.statusFollows(Date()) }
                return try Surroundings.print(outcome)
            }
            guard clock.now < limit else { break }
            // While somebody waits: the daemon answers in the ledger, which rings no bell for others.
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

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ends an import: nothing more is sent for it.",
        discussion: """
            What is at Labelbox already is followed until its outcome is known, and told in the results. The manifest goes to \
            failed/, with the media that only it names.
            """)

    @OptionGroup var options: AskingOptions
    @Argument(help: "The manifest.") var manifest: String

    func run() async throws { try await options.ask(.cancel, manifest: manifest) }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Takes an import up again that failed, was rejected or cancelled, or has errors.",
        discussion: """
            It is read again from where it was put away, as a new import; the media that went with it is fetched back. Rows \
            that are at Labelbox are found to be, and not made twice.
            """)

    @OptionGroup var options: AskingOptions
    @Flag(name: .long, help: "The rows that failed, and no others.") var failedOnly = false
    @Argument(help: "The manifest.") var manifest: String

    func run() async throws { try await options.ask(.retry, manifest: manifest, failedOnly: failedOnly) }
}

extension AskingOptions {
    /// Asks for something about the newest import of a manifest.
    fileprivate func ask(_ verb: OperatorVerb, manifest: String, failedOnly: Bool? = nil) async throws {
        let state = try place.place.openStateToAsk(environment: Surroundings.environment)
        let found = try await ManifestName(manifest).find(in: state, directory: Surroundings.directory, now: Date())
        guard case .claimed(let record) = found else {
            throw ControlError(
                VisibleText.of(manifest), why: "it is not taken yet", hint: "take it out of the folder", status: .usage)
        }
        try await ask(verb, in: state, watch: nil, importID: record.id, failedOnly: failedOnly)
    }
}
