import Foundation
import LabelboxSimulator

/// What a seed makes: the settings, what is dropped, what goes wrong and when.
struct Plan: Sendable {
    /// One row, and what is to become of it.
    struct Row: Sendable {
        enum Fate: Sendable { case imported, refused, rejected, missing }

        let uid: String
        let text: String
        let fate: Fate
        /// The file that it names, as a path in the drop folder.
        let media: String?
    }

    /// One file that is dropped as a manifest.
    struct Manifest: Sendable {
        let path: String
        let rows: [Row]
        let bytes: [UInt8]
        /// Whether a producer broke it off or took it away, so that it need not be imported.
        var isOptional = false
    }

    /// How a manifest gets into the folder.
    enum Manner: Sendable {
        case renamed
        /// Written in pieces with pauses, held open all the while.
        case heldOpen([Duration])
        /// Written in pieces, closed and opened again in between.
        case reopened([Duration])
    }

    enum Action: Sendable {
        case drop(Int, Manner)
        case media(String, Manner)
        case remove(String)
    }

    var manifests: [Manifest] = []
    var actions: [(at: Int64, what: Action)] = []
    /// When everything goes right again.
    var healing: Int64 = 0
    /// After how many jobs of a life it is killed, and how long it lies dead.
    var crashes: [(steps: Int, pause: Duration)] = []
    var faults: [Faults.Rule] = []
    var weather = FarEnd.Weather()
    var server = Simulator.Settings()
    var orderly = 0

    var settle = Duration.seconds(2)
    var rescan = Duration.seconds(20)
    var linger = Duration.milliseconds(500)
    var rowsPerTask = 20_000
    var requestsPerMinute = 1_200
    var connections = 8
    /// Of a hundred hints of the folder, how many are lost.
    var deafness = 0
    var polls = false

    static let dataset = "cmdset0000000000000000001"

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed, stream: 3)
        chooseSettings(&random)
        chooseDrops(&random)
        chooseTroubles(&random)
    }

    // MARK: Settings

    private mutating func chooseSettings(_ random: inout SeededRandom) {
        orderly = random.pick([0, 0, 50, 90])
        settle = random.pick([.seconds(1), .seconds(2), .seconds(5)])
        linger = random.pick([.zero, .milliseconds(500), .seconds(2)])
        rowsPerTask = random.pick([1, 2, 3, 5, 20_000])
        requestsPerMinute = random.pick([30, 60, 300, 1_200])
        connections = random.pick([1, 2, 4, 8])
        deafness = random.pick([0, 0, 30, 100])
        polls = random.chance(10)
        server.datasets = [(Self.dataset, "simulated")]
        server.apiKey = "simulated-key"
        server.taskDelay = random.duration(0.1...20)
        server.jobDelay = random.duration(0.01...2)
        server.indexLag = random.chance(50) ? .zero : random.duration(1...45)
        server.requestsPerMinute = requestsPerMinute
        server.sendsRetryAfter = random.chance(50)
        server.maximumPage = random.pick([1, 2, 5_000])
        server.complexityLimit = random.chance(20) ? random.number(1...3) : nil
    }

    // MARK: Drops

    private mutating func chooseDrops(_ random: inout SeededRandom) {
        for number in 0..<random.number(1...6) {
            let manifest = makeManifest(number, &random)
            let time = Int64(random.number(0...60_000)) * 1_000_000
            manifests.append(manifest)
            let index = manifests.count - 1
            actions.append((time, .drop(index, manner(of: manifest.bytes.count, &random))))
            for name in manifest.rows.filter({ $0.fate != .missing }).compactMap(\.media) {
                let offset = Int64(random.number(-8_000...40_000)) * 1_000_000
                actions.append((max(0, time + offset), .media(name, manner(of: 100, &random))))
            }
        }
        // A stable order, whatever the sort does with equals.
        let numbered = actions.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        actions = numbered.map(\.element)
    }

    private func manner(of count: Int, _ random: inout SeededRandom) -> Manner {
        switch random.number(0...9) {
        case 0...4: return .renamed
        case 5...6: return .heldOpen((0..<random.number(1...3)).map { _ in random.duration(0.1...30) })
        default:
            // Never longer than the time that the folder takes for quiet.
            let longest = Double(settle.nanoseconds) / 1e9 * 0.8
            return .reopened((0..<random.number(1...3)).map { _ in random.duration(0.05...longest) })
        }
    }

    private func makeManifest(_ number: Int, _ random: inout SeededRandom) -> Manifest {
        let folder = random.chance(20) ? "sub/" : ""
        let rows = (0..<random.number(1...8)).map { makeRow("uid-\(number)-\($0)-", in: folder, &random) }
        let name = "\(folder)m\(number)"
        let texts = rows.map(\.text)
        switch random.number(0...2) {
        case 0:
            return Manifest(
                path: name + ".json", rows: rows, bytes: Array("[\(texts.joined(separator: ",\n"))]".utf8))
        case 1:
            return Manifest(path: name + ".ndjson", rows: rows, bytes: Array(texts.map { $0 + "\n" }.joined().utf8))
        default:
            let text = "{\"operation\": \"create\", \"rows\": [\(texts.joined(separator: ", "))]}"
            return Manifest(path: name + ".json", rows: rows, bytes: Array(text.utf8))
        }
    }

    private func makeRow(_ uid: String, in folder: String, _ random: inout SeededRandom) -> Row {
        let key = random.chance(30) ? ",\"global_key\":\"key-\(uid)\"" : ""
        func row(_ data: String, _ fate: Row.Fate, media: String? = nil) -> Row {
            Row(
                uid: uid, text: "{\"row_data\":\"\(data)\",\"external_id\":\"\(uid)\"\(key)}", fate: fate, media: media)
        }
        switch random.number(0...99) {
        case 0..<3: return row("https://files.invalid/poison-row/\(uid).jpg", .refused)
        case 3..<6: return row("https://files.invalid/poison-task/\(uid).jpg", .refused)
        case 6..<10: return Row(uid: uid, text: "{\"external_id\":\"\(uid)\"}", fate: .rejected, media: nil)
        case 10..<20: return row("./\(uid).jpg", .imported, media: "\(folder)\(uid).jpg")
        case 20..<22: return row("./\(uid).jpg", .missing, media: "\(folder)\(uid).jpg")
        case 22..<25: return row("some words about \(uid)", .imported)
        default: return row("https://files.invalid/\(uid).jpg", .imported)
        }
    }

    // MARK: Troubles

    private mutating func chooseTroubles(_ random: inout SeededRandom) {
        healing = Int64(random.number(60...600)) * 1_000_000_000
        if random.chance(80) { chooseFaults(&random) }
        for _ in 0..<random.pick([0, 1, 1, 2, 4]) {
            crashes.append((random.number(1...1_500), random.duration(0.01...30)))
        }
    }

    private mutating func chooseFaults(_ random: inout SeededRandom) {
        let kinds = Faults.Kind.allCases.filter { _ in random.chance(40) }
        let total = Double(random.pick([2, 10, 30, 60])) / 100
        if !kinds.isEmpty {
            var rates: [Faults.Kind: Double] = [:]
            for kind in kinds { rates[kind] = total / Double(kinds.count) }
            faults.append(Faults.Rule(rates: rates, delay: random.duration(1...50)))
        }
        // The call that starts an import is the one that must not go wrong twice.
        if random.chance(50) {
            let kinds: [Faults.Kind] = [.lost, .lostBadGateway, .truncated, .reset, .badGateway, .unavailable]
            faults.append(
                Faults.Rule(rates: [random.pick(kinds): 0.5, .lost: 0.2], operations: ["upsertDataRows"]))
        }
        weather.refused = random.pick([0, 0, 5, 30])
        weather.stalled = random.pick([0, 0, 2, 10])
        weather.swallowed = random.pick([0, 0, 2, 10])
        weather.failedTasks = random.pick([0, 0, 10, 40])
        weather.longTasks = random.pick([0, 0, 10])
        weather.slowest = random.pick([0.05, 0.5, 5])
        if random.chance(30) {
            let start = Int64(random.number(0...200)) * 1_000_000_000
            weather.outages = [start...start + Int64(random.number(1...300)) * 1_000_000_000]
        }
    }
}
