internal import ArgumentParser
internal import Control
internal import Foundation
internal import Settings

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks or shows the configuration.", subcommands: [Check.self, Show.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Tells all that is wrong with the configuration; exits with 78 if anything is.")

        @OptionGroup var options: PlaceOptions

        func run() async throws {
            let settings = try options.place.settings()
            try Surroundings.print(
                [
                    "\(options.config): valid, \(settings.watches.count == 1 ? "1 watch" : "\(settings.watches.count) watches")"
                ]
                    + settings.warnings.map { "warning: \(VisibleText.of($0))" })
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Prints the configuration with every default filled in and no secret.")

        @OptionGroup var options: PlaceOptions

        func run() async throws {
            try Terminal.write(Array(try options.place.settings().effectiveYAML(redacted: true).utf8))
        }
    }
}
