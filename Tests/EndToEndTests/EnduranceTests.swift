import Foundation
import Testing

/// What may go wrong on the way, does; everything ends all the same, and nothing is there twice.
@Suite("Endurance", .serialized)
struct EnduranceTests {
    @Test("kill -9 at ten moments of an import leaves every row exactly once", .timeLimit(.minutes(6)))
    func killed() async throws {
        var chance = Chance(seed: Chance.seed())
        print("kill -9: seed \(chance.seed)")
        try await Site.with(SiteSettings(simulator: ["--task-delay", "300ms"], watch: ["linger: 100ms"])) { site in
            let manifests = (0..<50).map { "m\($0)/rows.ndjson" }
            var rest = manifests[...]
            func dropSome() throws {
                for manifest in rest.prefix(5) {
                    let folder = String(manifest.prefix { $0 != "/" })
                    var lines = (0..<396).map {
                        #"{"row_data":"https://example.com/\#(folder)/\#($0).jpg","external_id":"\#(folder) \#($0)"}"#
                    }
                    for file in 0..<4 {
                        try site.drop(
                            "\(folder)/\(file).png", "\(folder) \(file) " + String(repeating: "*", count: 20_000))
                        lines.append(#"{"row_data":"\#(file).png","external_id":"\#(folder) file \#(file)"}"#)
                    }
                    try site.drop(manifest, lines.joined(separator: "\n"))
                }
                rest = rest.dropFirst(5)
            }
            var moments: [Int] = []
            for _ in 0..<10 {
                try site.launch()
                try dropSome()
                let moment = chance.number(in: 100...2_000)
                moments.append(moment)
                try await Task.sleep(for: .milliseconds(moment))
                try site.expectDaemonRuns()
                site.kill()
            }
            print("kill -9: killed \(moments) ms after each start")
            try await site.start()
            for manifest in manifests {
                let status = try await site.ended(manifest, within: .seconds(240))
                #expect(status["state"].string == "complete", "\(status)")
                #expect(status["rows"]["total"].int == 400)
                #expect(try site.results(status).count == 400)
            }
            let rows = try await site.simulator.rows()
            let names = rows.compactMap { $0["external_id"].string }
            let unknown = Set(names).filter { !$0.hasPrefix("m") || !$0.contains(" ") }
            try #require(unknown.isEmpty, "nothing else was imported")
            try #require(names.count == 20_000)
            try #require(Set(names).count == 20_000)
            let state = try await site.simulator.state()
            #expect(state["submits"]["max_arrivals_of_one"].int == 1)
            #expect(state["tasks"]["rows_failed"].int == 0, "no row was handed over twice")
            print(
                "kill -9: \(state["submits"]["received"].int ?? 0) calls, \(state["uploads"]["files"].int ?? 0) uploads"
            )
            try await eventually(within: .seconds(30), "the media is put away") {
                try site.dropped().isEmpty ? () : nil
            }
        }
    }

    @Test("ten thousand manifests of one row each need at most sixty requests", .timeLimit(.minutes(5)))
    func manyManifests() async throws {
        // How many requests there are depends on how much comes together in real time.
        try await Site.with(SiteSettings(isFast: false)) { site in
            try await site.start()
            let start = ContinuousClock.now
            for number in 0..<10_000 {
                try site.drop(
                    "\(number).json", #"[{"row_data":"https://example.com/\#(number).jpg","external_id":"\#(number)"}]"#
                )
            }
            let dropped = ContinuousClock.now - start
            try await eventually(within: .seconds(240), "all manifests are complete") {
                try site.expectDaemonRuns()
                let watch = try site.daemonStatus()?["watches"].list.first
                return watch?["imports"]["complete"].int == 10_000 ? () : nil
            }
            let whole = ContinuousClock.now - start
            try await eventually(within: .seconds(60), "all statuses are written") {
                let folder = site.state.appending(path: "status/drop").path
                return try FileManager.default.contentsOfDirectory(atPath: folder).count == 10_000 ? () : nil
            }
            // A status is written at most once a second while it moves.
            try await eventually(within: .seconds(30), "all statuses are final") {
                let texts = try (0..<10_000).map {
                    try String(contentsOf: site.statusFile("\($0).json"), encoding: .utf8)
                }
                return texts.allSatisfy { $0.contains("\"state\": \"complete\"") } ? () : nil
            }
            let written = ContinuousClock.now - start
            let calls = try await site.simulator.calls()
            #expect(calls.count <= 60)
            let names = Set(try await site.simulator.rows().compactMap { $0["external_id"].string })
            #expect(names.count == 10_000)
            print(
                "10,000 manifests: \(calls.count) requests, dropped in \(dropped), complete after \(whole), statuses after \(written)"
            )
        }
    }

    @Test(
        "with faults in three requests of ten, everything completes and nothing is there twice", .timeLimit(.minutes(8))
    )
    func faults() async throws {
        let seed = Chance.seed()
        print("faults: seed \(seed)")
        let rates = ["429=0.075", "502=0.075", "reset=0.075", "lost=0.075"].flatMap { ["--fault", $0] }
        try await Site.with(SiteSettings(simulator: rates + ["--fault-seed", "\(seed)"])) { site in
            try await site.start()
            let start = ContinuousClock.now
            for manifest in 0..<20 {
                var lines = (0..<100).map {
                    #"{"row_data":"https://example.com/\#(manifest)/\#($0).jpg","external_id":"\#(manifest) \#($0)"}"#
                }
                if manifest < 15 {
                    for file in 0..<2 {
                        try site.drop(
                            "\(manifest) \(file).png", "\(manifest) \(file)" + String(repeating: "+", count: 10_000))
                        lines.append(
                            #"{"row_data":"\#(manifest) \#(file).png","external_id":"\#(manifest) file \#(file)"}"#)
                    }
                }
                try site.drop("\(manifest).ndjson", lines.joined(separator: "\n"))
                // Not all in one task: more requests, more faults.
                if manifest % 5 == 4 { try await Task.sleep(for: .seconds(2)) }
            }
            for manifest in 0..<20 {
                let status = try await site.ended("\(manifest).ndjson", within: .seconds(420))
                #expect(status["state"].string == "complete", "\(status)")
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.count == 2_030)
            #expect(Set(names).count == 2_030)
            let state = try await site.simulator.state()
            // What was refused with a 429 may be sent again as it is; nothing that was taken in may.
            #expect(state["tasks"]["rows_failed"].int == 0, "no row was handed over twice")
            let injected = ["429", "502", "reset", "lost"].map { "\($0): \(state["faults"][$0].int ?? 0)" }
            let total = state["requests"]["total"].int ?? 0
            print("faults: \(injected) in \(total) requests, \(ContinuousClock.now - start)")
        }
    }
}

/// Random numbers that come again with the same seed.
struct Chance: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// From the environment, to see a failure again; else another each time.
    static func seed() -> UInt64 {
        ProcessInfo.processInfo.environment["DATAROWD_TEST_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
    }

    mutating func next() -> UInt64 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func number(in range: ClosedRange<Int>) -> Int { .random(in: range, using: &self) }
}
