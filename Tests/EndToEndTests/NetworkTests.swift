import Foundation
import Testing

/// Whatever the network does, each row is there once in the end, and each call that starts an import arrived once.
@Suite("A hostile network", .serialized)
struct NetworkTests {
    /// A stall is given up after a quarter of a second of ours.
    private static let limits = ["connect_timeout: 30s", "stall_timeout: 15s"]
    /// One of each sort, for calls that are nothing of their own.
    private static let some =
        [
            .resetAfter, .closed, .cutOff, .swallowed, .halfJSON, .portal, .endlessHead,
        ] as [Mischief]

    /// Calls that every import makes, or makes again, and that may be repeated.
    private static let repeatable = ["UploadFile", "Tasks", "Results", "StartKeyLookup", "KeyLookupResult"]

    // MARK: Each trouble, at each kind of call

    @Test(
        "uploads, polls, results and look-ups: what was answered badly is asked again, and nothing is lost",
        .timeLimit(.minutes(3)),
        arguments: [Mischief.connectionTroubles, Mischief.answerTroubles])
    func repeatable(_ troubles: [Mischief]) async throws {
        try await Site.with(networked: SiteSettings(watch: ["linger: 0s"], labelbox: Self.limits)) { site, network in
            try await site.simulator.seed(1)
            try await site.start()
            for (number, trouble) in troubles.enumerated() {
                let before = network.requests
                for call in Self.repeatable { network.aim(trouble, at: call) }
                let rows = try site.dropRows("import \(number)", withPicture: true, existing: "seed-0")
                let status = try await site.ended("import \(number).ndjson")
                #expect(status["state"].string == "complete", "\(trouble): \(status)")
                #expect(status["rows"]["created"].int == rows.count, "\(trouble): \(status)")
                #expect(status["rows"]["already_present"].int == 1, "\(trouble): \(status)")
                #expect(network.count(of: trouble) == Self.repeatable.count, "\(trouble) did not happen at each call")
                #expect(network.requests - before < 100, "\(trouble): \(network.requests - before) requests")
            }
            try await site.expectEachRowOnce(besides: ["seed-0"])
            try await site.expectEachSubmitOnce(network)
        }
    }

    @Test(
        "what is asked once is asked until it is answered", .timeLimit(.minutes(2)),
        arguments: ["CurrentUser", "Dataset"])
    func facts(_ call: String) async throws {
        try await Site.with(networked: SiteSettings(labelbox: Self.limits)) { site, network in
            for trouble in Self.some { network.aim(trouble, at: call) }
            try await site.start()
            try site.dropRows("rows")
            let status = try await site.ended("rows.ndjson")
            #expect(status["state"].string == "complete", "\(status)")
            for trouble in Self.some { #expect(network.count(of: trouble) == 1, "\(trouble) did not happen") }
            try await site.expectEachRowOnce()
        }
    }

    @Test(
        "a call that starts an import arrives once, whatever becomes of it and of its answer", .timeLimit(.minutes(4)),
        arguments: ["upsertDataRows", "appendRowsToDataset", "createDataRow"])
    func submits(_ way: String) async throws {
        let call = ["upsertDataRows": "UpsertDataRows", "appendRowsToDataset": "AppendRows"][way] ?? "CreateDataRow"
        let settings = SiteSettings(watch: ["linger: 0s"], labelbox: Self.limits + ["submit_with: \(way)"])
        try await Site.with(networked: settings) { site, network in
            try await site.start()
            let troubles = Mischief.connectionTroubles + Mischief.answerTroubles
            for (number, trouble) in troubles.enumerated() {
                network.aim(trouble, at: call)
                try site.dropRows("import \(number)", count: 5)
                // The doubts of all of them run at the same time.
                try await eventually(within: .seconds(30), "\(trouble) has happened") {
                    try site.expectDaemonRuns()
                    return network.count(of: trouble) == 1 ? () : nil
                }
            }
            for (number, trouble) in troubles.enumerated() {
                let status = try await site.ended("import \(number).ndjson")
                #expect(status["state"].string == "complete", "\(trouble): \(status)")
                #expect(status["rows"]["created"].int == 5, "\(trouble): \(status)")
            }
            try await site.expectEachRowOnce()
            try await site.expectEachSubmitOnce(network, isByRow: way == "createDataRow")
            #expect(network.requests < 100 * troubles.count, "\(network.calls)")
        }
    }

    @Test("result files of older imports are fetched until they are whole", .timeLimit(.minutes(2)))
    func resultFiles() async throws {
        let settings = SiteSettings(labelbox: Self.limits + ["submit_with: appendRowsToDataset"])
        try await Site.with(networked: settings) { site, network in
            try await site.start()
            for (number, trouble) in Self.some.enumerated() {
                network.aim(trouble, at: "GET")
                try site.dropRows("import \(number)", count: 5)
                let status = try await site.ended("import \(number).ndjson")
                #expect(status["rows"]["created"].int == 5, "\(trouble): \(status)")
                #expect(network.count(of: trouble) == 1, "\(trouble) did not happen")
            }
            try await site.expectEachRowOnce()
            try await site.expectEachSubmitOnce(network)
        }
    }

    @Test("a narrow network is no stall, however long it takes", .timeLimit(.minutes(1)))
    func narrow() async throws {
        try await Site.with(networked: SiteSettings(labelbox: Self.limits)) { site, network in
            let narrow = Mischief(
                "read slowly", pace: 3_000, isForwarded: true, .answer { $0 ?? .answer("502 Bad Gateway", "") })
            network.aim(narrow, at: "UploadFile", times: nil)
            try await site.start()
            // More than a hundred steps of 3 ms: half a minute of the daemon's, and twice the limit for stalls.
            try site.drop("film.mp4", SampleFile.content(named: "film.mp4") + Data(count: 12 << 20))
            try site.drop("rows.json", #"[{"row_data": "film.mp4", "external_id": "film"}]"#)
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            #expect(network.calls["UploadFile"] == 3, "the film, a chunk and the list of chunks, each of them once")
            #expect(!site.logged().contains("Request failed"))
        }
    }

    // MARK: By chance

    @Test(
        "with trouble in one request of five, everything completes and nothing is there twice", .timeLimit(.minutes(60))
    )
    func chance() async throws {
        for round in 1...Torture.number("rounds", otherwise: 1) { try await chance(round, seed: Chance.seed()) }
    }

    private func chance(_ round: Int, seed: UInt64) async throws {
        print("hostile network: round \(round), seed \(seed)")
        try await Site.with(networked: SiteSettings(labelbox: Self.limits)) { site, network in
            try await site.simulator.seed(1)
            network.misbehave(in: 0.2, seed: seed)
            try await site.start()
            let manifests = (0..<12).map { "import \($0)" }
            for manifest in manifests {
                try site.dropRows(manifest, count: 60, withPicture: true, existing: "seed-0")
                try await Task.sleep(for: .milliseconds(100))
            }
            for manifest in manifests {
                let status = try await site.ended("\(manifest).ndjson", within: .seconds(150))
                #expect(status["state"].string == "complete", "\(status)")
            }
            try await site.expectEachRowOnce(besides: ["seed-0"])
            try await site.expectEachSubmitOnce(network)
            let met = Mischief.connectionTroubles.map { network.count(of: $0) }.reduce(0, +)
            print("hostile network: \(met) troubles in \(network.requests) requests")
            #expect(met >= 5, "hardly anything went wrong")
        }
    }
}
