internal import ArgumentParser
internal import Control
internal import Foundation
internal import Ledger
internal import Settings
internal import SystemPackage

struct DropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Puts files into a drop folder at once: media first, manifests last.",
        discussion: "Nothing is overwritten, and when there is no room for all, none is dropped.")

    @OptionGroup var options: PlaceOptions
    @Argument(help: "Files.", completion: .file()) var files: [String]
    @Option(name: .long, help: "Into the folder of this watch.") var watch: String
    @Flag(name: .long, help: "Wait until the manifests among them have ended; exit codes as those of 'wait'.")
    var wait = false

    func run() async throws {
        let place = options.place
        let watch = try place.watch(watch)
        let stateDirectory = try place.stateDirectory()
        let dropping = Dropping(folder: watch.path, rules: Place.rules(of: watch, state: stateDirectory))
        let paths = files.map { FilePath($0) }
        guard wait else {
            _ = try dropping.drop(paths)
            return
        }
        let state = try place.openState()
        var subjects: [Following.Subject] = []
        for path in paths {
            guard let name = path.lexicallyNormalized().lastComponent else { continue }
            let beneath = FilePath(root: nil, [name])
            let before = try await state.ledger.find(watch: watch.name, path: beneath).first?.id
            subjects.append(.expected(watch: watch.name, path: beneath, other: before))
        }
        let manifests = Set(try dropping.drop(paths))
        subjects = subjects.filter {
            if case .expected(_, let path, _) = $0 { manifests.contains(path) } else { false }
        }
        guard !subjects.isEmpty else {
            throw ControlError(
                "drop --wait", why: "there is no manifest among the files, which were dropped",
                hint: "see how they fare with 'datarowctl ls'", status: .usage)
        }
        let following = Following(subjects, in: state, directory: Surroundings.directory)
        var follower = Follower(following, manner: .beneath)
        let (status, _) = try await follower.follow()
        throw ExitCode(status.rawValue)
    }
}
