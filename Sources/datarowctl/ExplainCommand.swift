internal import ArgumentParser
internal import Control
internal import Foundation
internal import SystemPackage

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tells why files were taken, ignored, settle or failed, and by which rule.")

    @OptionGroup var options: PlaceOptions
    @Argument(help: "Files, also such that are not there yet.", completion: .file()) var files: [String]

    func run() async throws {
        let watches = try options.place.explanations()
        let state: StateFolder?
        do throws(ControlError) { state = try options.place.openState() } catch {
            // Before the daemon's first start the rules can be told all the same.
            guard error.status == .noInput else { throw error }
            state = nil
        }
        let explanation = Explanation(watches: watches, state: state)
        for file in files {
            let path = FilePath(file)
            let lines = try await explanation.lines(
                path, kind: FileOnDisk.at(path), directory: Surroundings.directory, now: Date())
            let title = files.count > 1 ? ["\(VisibleText.of(file)):"] : []
            try Surroundings.print(title + lines.map { files.count > 1 ? "  " + $0 : $0 })
        }
    }
}
