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

    /// What a manifest says.
    struct Manifest: Sendable {
        let path: String
        let rows: [Row]
        let bytes: [UInt8]
    }

    /// A manifest that is dropped; the same one may be dropped again.
    struct Drop: Sendable {
        let manifest: Int
        let path: String
        /// Whether its producer takes it away or puts another in its place, so that it may never be claimed.
        var isOptional = false
    }

    /// How a life ends before everything is done.
    struct Ending: Sendable {
        enum Cause: Sendable {
            /// So many jobs after it began.
            case steps(Int)
            /// A time in nanoseconds.
            case time(Int64)
            /// As soon as everything that was dropped lies in the archive.
            case archived
        }

        var cause: Cause
        /// How long nothing lives then.
        var pause: Duration
        /// Whether it is told to stop, as by SIGTERM, and not killed.
        var isStopped = false
        /// By how much the calendar's clock is wrong in the life that follows.
        var clockError = Duration.zero
    }

    /// When the disk does not take, or give, what belongs to the ledger.
    struct Disk: Sendable {
        /// Times in nanoseconds.
        var troubles: [ClosedRange<Int64>] = []
        /// Of a hundred commits and views in those times, so many fail.
        var failing = 0

        /// Whether all trouble is over, and what it held up has had time to be done again.
        func isWell(at time: Int64) -> Bool {
            !troubles.contains { $0.lowerBound...$0.upperBound + 90_000_000_000 ~= time }
        }
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
    var drops: [Drop] = []
    var actions: [(at: Int64, what: Action)] = []
    /// When everything goes right again.
    var healing: Int64 = 0
    /// Of each life but the last.
    var endings: [Ending] = []
    var faults: [Faults.Rule] = []
    var weather = FarEnd.Weather()
    var disk = Disk()
    var server = Simulator.Settings()
    var orderly = 0

    var settle = Duration.seconds(2)
    var rescan = Duration.seconds(20)
    var linger = Duration.milliseconds(500)
    var rowsPerTask = 20_000
    var requestsPerMinute = 1_200
    var connections = 8
    var filesPerRequest: Int?
    /// Of a hundred hints of the folder, how many are lost.
    var deafness = 0
    var polls = false

    /// A quiet one, in which nothing is dropped.
    init() {
        server.datasets = [(Self.dataset, "simulated")]
        server.apiKey = "simulated-key"
    }

    /// Adds a manifest that is moved in at the start, with a row for each fate.
    mutating func addManifest(_ fates: [Row.Fate]) {
        let number = manifests.count
        let rows = fates.indices.map { index in
            let uid = "uid-\(number)-\(index)-"
            let data = fates[index] == .rejected ? "" : "\"row_data\":\"https://files.invalid/\(uid).jpg\","
            return Row(uid: uid, text: "{\(data)\"external_id\":\"\(uid)\"}", fate: fates[index], media: nil)
        }
        manifests.append(
            Manifest(
                path: "m\(number).ndjson", rows: rows,
                bytes: Array(rows.map { $0.text + "\n" }.joined().utf8)))
        drop(number, "m\(number).ndjson", .renamed, at: 1_000_000_000)
    }

    /// Drops the last manifest once more, under another name, as soon as the rows of the first are there.
    mutating func addManifestAgain() {
        drop(manifests.count - 1, "again.ndjson", .renamed, at: 6_000_000_000)
    }

    /// Drops a manifest of the last one's rows and one more, under one name, when the first has been imported.
    mutating func addManifestWithOneMore() {
        let number = manifests.count
        let uid = "uid-\(number)-0-"
        let row = Row(
            uid: uid, text: "{\"row_data\":\"https://files.invalid/\(uid).jpg\",\"external_id\":\"\(uid)\"}",
            fate: .imported, media: nil)
        let rows = manifests[number - 1].rows + [row]
        manifests.append(
            Manifest(path: "more.ndjson", rows: rows, bytes: Array(rows.map { $0.text + "\n" }.joined().utf8)))
        drop(number, "more.ndjson", .renamed, at: 60_000_000_000)
    }

    static let dataset = "cmdset0000000000000000001"

    /// Makes what a seed makes; a calm one goes without troubles.
    init(seed: UInt64, isCalm: Bool = false) {
        var random = SeededRandom(seed: seed, stream: 3)
        chooseSettings(&random)
        chooseDrops(&random)
        if !isCalm { chooseTroubles(&random, seed: seed) }
    }

    // MARK: Settings

    private mutating func chooseSettings(_ random: inout SeededRandom) {
        orderly = random.pick([0, 0, 50, 90])
        settle = random.pick([.seconds(1), .seconds(2), .seconds(5)])
        linger = random.pick([.zero, .milliseconds(500), .seconds(2)])
        rowsPerTask = random.pick([1, 2, 3, 5, 20_000, 20_000, 20_000])
        requestsPerMinute = random.pick([30, 60, 300, 1_200])
        connections = random.pick([1, 2, 4, 8])
        deafness = random.pick([0, 0, 30, 100])
        polls = random.chance(10)
        server.datasets = [(Self.dataset, "simulated")]
        server.apiKey = "simulated-key"
        server.taskDelay = random.duration(0.1...10)
        server.jobDelay = random.duration(0.01...2)
        server.indexLag = random.chance(50) ? .zero : random.duration(1...35)
        server.requestsPerMinute = requestsPerMinute
        server.sendsRetryAfter = random.chance(50)
        server.maximumPage = random.pick([1, 2, 5_000])
        server.complexityLimit = random.chance(20) ? random.number(1...3) : nil
        filesPerRequest = random.pick([nil, nil, 1, 2, 5])
        server.filesLimit = random.chance(20) ? random.number(1...3) : nil
    }

    // MARK: Drops

    private mutating func chooseDrops(_ random: inout SeededRandom) {
        for _ in 0..<random.number(1...3) {
            let time = Int64(random.number(0...60_000)) * 1_000_000
            switch random.number(0...9) {
            case 0: dropAndReplace(at: time, &random)
            case 1: dropAndRemove(at: time, &random)
            case 2...3: dropAgain(at: time, &random)
            default: dropWithMedia(at: time, &random)
            }
        }
        // A stable order, whatever the sort does with equals.
        let numbered = actions.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        actions = numbered.map(\.element)
    }

    private mutating func dropWithMedia(at time: Int64, _ random: inout SeededRandom) {
        let number = makeManifest(hasMedia: true, &random)
        drop(number, manifests[number].path, manner(&random), at: time)
        for name in manifests[number].rows.filter({ $0.fate != .missing }).compactMap(\.media) {
            let offset = Int64(random.number(-8_000...40_000)) * 1_000_000
            actions.append((max(0, time + offset), .media(name, manner(&random))))
        }
    }

    /// Another manifest takes the place of one, which may have been claimed by then, or not.
    private mutating func dropAndReplace(at time: Int64, _ random: inout SeededRandom) {
        let first = makeManifest(hasMedia: false, &random)
        drop(first, manifests[first].path, .renamed, isOptional: true, at: time)
        let second = makeManifest(hasMedia: false, layout: manifests[first].path, &random)
        drop(second, manifests[first].path, manner(&random), at: time + Int64(random.number(1...9_000)) * 1_000_000)
    }

    private mutating func dropAndRemove(at time: Int64, _ random: inout SeededRandom) {
        let number = makeManifest(hasMedia: false, &random)
        drop(number, manifests[number].path, .renamed, isOptional: true, at: time)
        actions.append((time + Int64(random.number(1...9_000)) * 1_000_000, .remove(manifests[number].path)))
    }

    /// The same rows once more, under the same name or another.
    private mutating func dropAgain(at time: Int64, _ random: inout SeededRandom) {
        let number = makeManifest(hasMedia: false, &random)
        let path = manifests[number].path
        drop(number, path, .renamed, isOptional: true, at: time)
        let isSameName = random.chance(50)
        drops[drops.count - 1].isOptional = isSameName
        drop(
            number, isSameName ? path : "again-" + path.replacing("/", with: "-"), manner(&random),
            at: time + Int64(random.number(1...200_000)) * 1_000_000)
    }

    private mutating func drop(
        _ manifest: Int, _ path: String, _ manner: Manner, isOptional: Bool = false, at time: Int64
    ) {
        drops.append(Drop(manifest: manifest, path: path, isOptional: isOptional))
        actions.append((time, .drop(drops.count - 1, manner)))
    }

    private func manner(_ random: inout SeededRandom) -> Manner {
        switch random.number(0...9) {
        case 0...4: return .renamed
        case 5...6: return .heldOpen((0..<random.number(1...3)).map { _ in random.duration(0.1...30) })
        default:
            // Never longer than the time that the folder takes for quiet.
            let longest = Double(settle.nanoseconds) / 1e9 * 0.8
            return .reopened((0..<random.number(1...3)).map { _ in random.duration(0.05...longest) })
        }
    }

    /// Adds a manifest; `layout` is the path of one that it has to look like.
    private mutating func makeManifest(
        hasMedia: Bool, layout: String? = nil, _ random: inout SeededRandom
    ) -> Int {
        let number = manifests.count
        let folder = random.chance(20) ? "sub/" : ""
        let rows = (0..<random.number(1...6)).map {
            makeRow("uid-\(number)-\($0)-", in: hasMedia ? folder : nil, &random)
        }
        let name = "\(folder)m\(number)"
        let texts = rows.map(\.text)
        let text: String
        let isLines = layout.map { $0.hasSuffix(".ndjson") } ?? random.chance(33)
        if isLines {
            text = texts.map { $0 + "\n" }.joined()
        } else if random.chance(50) {
            text = "[\(texts.joined(separator: ",\n"))]"
        } else {
            text = "{\"operation\": \"create\", \"rows\": [\(texts.joined(separator: ", "))]}"
        }
        manifests.append(
            Manifest(path: layout ?? name + (isLines ? ".ndjson" : ".json"), rows: rows, bytes: Array(text.utf8)))
        return number
    }

    private func makeRow(_ uid: String, in folder: String?, _ random: inout SeededRandom) -> Row {
        let key = random.chance(30) ? ",\"global_key\":\"key-\(uid)\"" : ""
        func row(_ data: String, _ fate: Row.Fate, media: String? = nil) -> Row {
            Row(
                uid: uid, text: "{\"row_data\":\"\(data)\",\"external_id\":\"\(uid)\"\(key)}", fate: fate, media: media)
        }
        switch random.number(0...99) {
        case 0..<3: return row("https://files.invalid/poison-row/\(uid).jpg", .refused)
        case 3..<6: return row("https://files.invalid/poison-task/\(uid).jpg", .refused)
        case 6..<10: return Row(uid: uid, text: "{\"external_id\":\"\(uid)\"}", fate: .rejected, media: nil)
        case 10..<20 where folder != nil:
            return row("./\(uid).jpg", .imported, media: "\(folder ?? "")\(uid).jpg")
        case 20..<22 where folder != nil:
            return row("./\(uid).jpg", .missing, media: "\(folder ?? "")\(uid).jpg")
        case 22..<25: return row("some words about \(uid)", .imported)
        default: return row("https://files.invalid/\(uid).jpg", .imported)
        }
    }

    // MARK: Troubles

    private mutating func chooseTroubles(_ random: inout SeededRandom, seed: UInt64) {
        healing = Int64(random.number(60...600)) * 1_000_000_000
        if random.chance(80) { chooseFaults(&random) }
        for _ in 0..<random.pick([0, 1, 1, 2, 4]) {
            endings.append(
                Ending(
                    cause: .steps(random.number(1...random.pick([300, 1_500, 6_000]))),
                    pause: random.duration(0.01...30)))
        }
        // Dice of their own, so that seeds from before there was this still mean what they meant.
        var dice = SeededRandom(seed: seed, stream: 5)
        for index in endings.indices {
            endings[index].isStopped = dice.chance(25)
            endings[index].clockError = .seconds(dice.pick([0, 0, 0, -7_200, 7_200, -40_000_000, 40_000_000]))
        }
        dice = SeededRandom(seed: seed, stream: 6)
        guard dice.chance(30) else { return }
        disk.failing = dice.pick([3, 20, 60, 100])
        for _ in 0..<dice.number(1...2) {
            let start = Int64(dice.number(0...200)) * 1_000_000_000
            let end = min(healing, start + Int64(dice.number(1...120)) * 1_000_000_000)
            if start < end { disk.troubles.append(start...end) }
        }
    }

    private mutating func chooseFaults(_ random: inout SeededRandom) {
        // What says that too much was asked at once makes sense only where less can be asked.
        let tooMuch: Set<Faults.Kind> = [.tooLarge, .complexity]
        if random.chance(30) {
            faults.append(
                Faults.Rule(
                    rates: [.complexity: 0.2, .tooLarge: 0.1],
                    operations: ["user", "successesfulDataRowImports", "dataRowsForGlobalKeys"]))
        }
        let kinds = Faults.Kind.allCases.filter { !tooMuch.contains($0) && random.chance(40) }
        let total = Double(random.pick([2, 10, 30, 60])) / 100
        if !kinds.isEmpty {
            var rates: [Faults.Kind: Double] = [:]
            for kind in kinds { rates[kind] = total / Double(kinds.count) }
            faults.append(Faults.Rule(rates: rates, delay: random.duration(1...50)))
        }
        // The call that starts an import is the one that must not go wrong twice.
        if random.chance(50) {
            let kinds: [Faults.Kind] = [.lostBadGateway, .truncated, .reset, .badGateway, .unavailable]
            faults.append(
                Faults.Rule(rates: [random.pick(kinds): 0.4, .lost: 0.2], operations: ["upsertDataRows"]))
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
