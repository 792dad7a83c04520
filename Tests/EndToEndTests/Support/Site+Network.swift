import Foundation
import Testing

extension Site {
    /// Runs a test whose daemon, with fast clocks, reaches the simulator through a hostile network only.
    static func with(
        networked settings: SiteSettings, _ body: (Site, HostileNetwork) async throws -> Void
    ) async throws {
        let network = try HostileNetwork()
        defer { network.close() }
        var settings = settings
        settings.isFast = true
        settings.endpoint = settings.endpoint ?? network.endpoint
        try await with(settings) { site in
            network.connect(to: site.simulator.port)
            try await body(site, network)
            // What still hangs would keep the daemon from stopping.
            network.heal()
        }
    }

    /// Drops `NAME.ndjson`: rows of its own, named after it, and perhaps a picture and a row whose key exists already.
    ///
    /// - Returns: the external ids of the rows that are new.
    @discardableResult
    func dropRows(
        _ name: String, count: Int = 20, withPicture: Bool = false, existing key: String? = nil
    ) throws -> [String] {
        var names = (0..<count).map { "\(name) \($0)" }
        var lines = names.map {
            #"{"row_data":"https://example.com/\#($0.replacing(" ", with: "/")).jpg","external_id":"\#($0)"}"#
        }
        if withPicture {
            try drop("\(name).png", Pictures.png("\(name) \(String(repeating: "*", count: 30_000))"))
            names.append("\(name) picture")
            lines.append(#"{"row_data":"\#(name).png","external_id":"\#(name) picture"}"#)
        }
        if let key {
            lines.append(
                #"{"row_data":"https://example.com/theirs.jpg","external_id":"\#(name) known","global_key":"\#(key)"}"#)
        }
        try drop("\(name).ndjson", lines.joined(separator: "\n"))
        expected += names
        return names
    }

    /// The server has each row that was dropped by ``dropRows(_:count:withPicture:existing:)``, once, and each of them has
    /// its line of results with the id that it has there.
    func expectEachRowOnce(besides others: [String] = []) async throws {
        let rows = try await simulator.rows()
        let names = rows.compactMap { $0["external_id"].string }
        let twice = Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
        #expect(twice == [])
        let missing = Set(expected).subtracting(names).sorted()
        #expect(missing == [])
        let invented = Set(names).subtracting(expected + others).sorted()
        #expect(invented == [])
        let ids = Dictionary(rows.map { ($0["external_id"], $0["id"]) }, uniquingKeysWith: { first, _ in first })
        let results = try Self.files(in: state.appending(path: "results")).flatMap {
            try jsonLines(Data(contentsOf: state.appending(path: "results/\($0)")))
        }
        let mine = Set(expected)
        let lines = results.filter { mine.contains($0["external_id"].string ?? "") }
        let wrong = lines.filter { $0["outcome"].string != "created" || ids[$0["external_id"]] != $0["data_row_id"] }
        #expect(wrong == [])
        #expect(lines.count == expected.count)
    }

    /// No call that starts an import came twice.
    ///
    /// With `isByRow` there is a call for each row, which is made again as it was when it is proven that the server did not
    /// get the first; then only those count that the server got.
    func expectEachSubmitOnce(_ network: HostileNetwork, isByRow: Bool = false) async throws {
        let submits = isByRow ? network.carriedOut : network.submits
        #expect(!submits.isEmpty)
        let repeated = submits.filter { $0.value != 1 }
        #expect(repeated == [:])
        let state = try await simulator.state()
        #expect(state["submits"]["max_arrivals_of_one"].int ?? 0 <= 1)
    }
}
