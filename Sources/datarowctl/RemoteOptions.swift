internal import ArgumentParser
internal import Control
internal import DataRows
internal import Foundation
internal import LabelboxAPI

/// What every command has that speaks with Labelbox.
struct RemoteOptions: ParsableArguments {
    @OptionGroup var place: PlaceOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to wait out trouble with the server or the network; a pause that the server asks for is always kept.",
            valueName: "duration"))
    var patience = DurationOption(duration: .seconds(60))

    /// Opens the way to Labelbox for as long as `body` runs.
    func withSession<Result>(_ body: (RemoteSession) async throws -> Result) async throws -> Result {
        let session = try RemoteSession(
            place.place, environment: Surroundings.environment, patience: patience.duration,
            say: { Surroundings.say($0) })
        do {
            let result = try await body(session)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }
}

/// How a list is printed.
struct ListOptions: ParsableArguments {
    @Flag(name: .long, help: "One JSON object a line; so it is wherever the output is no terminal.") var json = false
    @Flag(name: .long, help: "A table; so it is on a terminal.") var table = false

    func validate() throws {
        if json && table { throw ValidationError("Give either --json or --table.") }
    }

    var isTable: Bool { table || (!json && Surroundings.terminal.isTerminal) }
}

/// A point in time on the command line.
struct InstantOption: ExpressibleByArgument {
    var date: Date

    init?(argument: String) {
        guard let date = InstantText.parse(argument) else { return nil }
        self.date = date
    }
}

/// Which rows of a list, and how much of each.
struct RowListOptions: ParsableArguments {
    @Option(name: .long, help: "At most so many.") var limit: Int?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only rows that were created after this: 2026-11-21 or 2026-11-21T12:00:05Z, in UTC.", valueName: "time"))
    var createdAfter: InstantOption?
    @Flag(name: .long, help: "With the attributes of the media and the metadata; slower.") var full = false
    @Option(name: .long, help: "Rows a page, 1 to 5000.") var pageSize = 500

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
        guard 1...5000 ~= pageSize else { throw ValidationError("--page-size must be from 1 to 5000.") }
    }

    func wish(limit: Int?) -> RowListing.Wish {
        RowListing.Wish(limit: limit, pageSize: pageSize, createdAfter: createdAfter?.date)
    }

    /// Prints the rows of datasets as they arrive.
    ///
    /// - Returns: how many there were.
    func print(
        _ datasets: some AsyncSequence<DatasetID, any Error>, externalID: String?, of client: LabelboxClient,
        as output: ListOptions
    ) async throws -> Int {
        let isTable = output.isTable
        var count = 0
        for try await dataset in datasets {
            let rest = limit.map { $0 - count }
            if rest == 0 { break }
            let listing = RowListing(wish(limit: rest)) { (cursor, rows) async throws(LabelboxError) in
                try await client.dataRows(
                    of: dataset, after: cursor, limit: rows, externalID: externalID, detail: full ? .full : .dated)
            }
            count += try await listing.forEachPage { rows in
                let lines = rows.map { RowLine($0, dataset: dataset) }
                if isTable {
                    try Surroundings.print(RowTable.lines(lines, width: Surroundings.terminal.tableWidth))
                } else {
                    try Surroundings.print(jsonLines: lines)
                }
            }
        }
        return count
    }
}
