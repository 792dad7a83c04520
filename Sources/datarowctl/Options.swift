internal import ArgumentParser
internal import Control
internal import Foundation
internal import Ledger
internal import Reporting
internal import Settings
internal import SystemPackage

/// Where to look; every command has these.
struct PlaceOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The daemon's configuration.", valueName: "file"), completion: .file())
    var config = Place.usualConfiguration

    @Option(
        name: .long, help: ArgumentHelp("The state directory, in place of the configuration's.", valueName: "folder"),
        completion: .directory)
    var stateDirectory: String?

    var place: Place { Place(configuration: config, state: stateDirectory) }
}

/// A length of time as the configuration writes it.
struct DurationOption: ExpressibleByArgument {
    var duration: Duration

    init(duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = DurationText.parse(argument) else { return nil }
        self.duration = duration
    }
}

/// What a command needs of the world around it.
enum Surroundings {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }
    static var terminal: Terminal { Terminal.current(environment: environment) }
    static var palette: Palette { Palette(isTerminal: terminal.isTerminal, environment: environment) }
    static var directory: FilePath { FilePath(FileManager.default.currentDirectoryPath) }

    static func print(_ lines: [String]) throws {
        try Terminal.write(Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    static func print(json value: some JSONWritable) throws { try Terminal.write(value.jsonLine + [10]) }

    /// Prints many values with one write.
    static func print(jsonLines values: [some JSONWritable]) throws {
        var json = JSONWriter()
        for value in values {
            value.write(to: &json)
            json.raw(CollectionOfOne(10))
        }
        try Terminal.write(json.bytes)
    }

    /// Tells people something, beside the output.
    static func say(_ text: String) {
        let lines = text.split(separator: "\n").map { "datarowctl: \($0)\n" }.joined()
        // Nobody is left to be told when standard error is gone.
        try? FileHandle.standardError.write(contentsOf: Data(lines.utf8))
    }
}

/// A state as the status files write it.
struct StateOption: ExpressibleByArgument {
    var state: ImportState

    init?(argument: String) {
        guard let state = ImportState(rawValue: argument) else { return nil }
        self.state = state
    }

    static var allValueStrings: [String] { ImportState.allCases.map(\.rawValue) }
    static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}
