internal import ArgumentParser
internal import Control
internal import Foundation
internal import Settings
internal import SystemPackage

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at all that the daemon needs, and says what is wrong and what to do.",
        discussion: """
            The key, the way to Labelbox, the clock, permissions, file systems, room, inotify's limits, and the ledger from \
            end to end. It changes nothing, and works while the daemon runs and while it does not. Run it as the daemon's \
            user to see what the daemon sees.

            Exit codes, the gravest first: 65 the ledger is damaged; 4 there are problems; 3 there are warnings; 0 all is \
            well. docs/schemas/doctor-report.schema.json describes the output of --json.
            """)

    @OptionGroup var place: PlaceOptions
    @Flag(name: .long, help: "Leave the network out.") var offline = false
    @Flag(name: .long, help: "One JSON object.") var json = false
    @Option(
        name: .long,
        help: ArgumentHelp("How long to wait out trouble with the server or the network.", valueName: "duration"))
    var patience = DurationOption(duration: .seconds(10))

    func run() async throws {
        var settings = try place.place.settings()
        if let state = place.stateDirectory { settings.stateDirectory = FilePath(state) }
        let doctor = Doctor(
            settings: settings, configuration: FilePath(place.config), environment: Surroundings.environment,
            now: { Date() })
        // Without a key there is none, and the doctor says so itself.
        let session =
            offline
            ? nil
            : try? RemoteSession(
                place.place, environment: Surroundings.environment, patience: patience.duration, say: { _ in })
        let report = await doctor.examine(isOffline: offline, session)
        await session?.close()
        if json {
            try Surroundings.print(json: report)
        } else {
            try Surroundings.print(report.lines(palette: Surroundings.palette))
        }
        if report.status != .ok { throw ExitCode(report.status.rawValue) }
    }
}
