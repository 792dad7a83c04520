internal import ArgumentParser
internal import Control
internal import Foundation
internal import Reporting

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Waits until manifests have ended.",
        discussion: "Exits with 0 when all are complete, 3 when rows could not be imported, "
            + "4 when one failed, was rejected or cancelled, 5 when the time is up.")

    @OptionGroup var options: PlaceOptions
    @Argument(help: "Manifests.") var manifests: [String]
    @Option(name: .long, help: ArgumentHelp("How long at most, as in 90s or 10m.", valueName: "duration"))
    var timeout: DurationOption?
    @Flag(name: .long, help: "Show nothing.") var quiet = false
    @Flag(name: .long, help: "Print the last state, one JSON object a line.") var json = false

    func run() async throws {
        let directory = Surroundings.directory
        let following = Following(
            manifests.map { .name(ManifestName($0)) }, in: try options.place.openState(), directory: directory)
        let (status, reports) = try await follow(following)
        if json { for report in reports { try Surroundings.print(json: report) } }
        throw ExitCode(status.rawValue)
    }

    /// A manifest that was dropped a moment ago is known a moment later.
    private static let patience: Duration = .seconds(5)

    private func follow(_ following: Following) async throws -> (ExitStatus, [StatusReport]) {
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            do {
                var follower = Follower(
                    following, timeout: timeout?.duration, manner: quiet || json ? .silent : .beneath)
                return try await follower.follow()
            } catch let error as ControlError {
                guard error.status == .noInput,
                    clock.now - start < min(Self.patience, timeout?.duration ?? Self.patience)
                else { throw error }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
