import ArgumentParser
internal import Dispatch
internal import Glibc
import LabelboxSimulator

/// `labelbox-sim`: the simulator as a program.
@main
struct Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "labelbox-sim",
        abstract: "A local stand-in for the Labelbox API, for demos, tests and benchmarks.",
        discussion: """
            Listens on 127.0.0.1 and prints its address once it is ready. Nothing that it is told goes anywhere else.
            Besides the API it answers GET /_sim/state, /_sim/rows?dataset=ID and /_sim/requests?last=N, and takes
            POST /_sim/faults, /_sim/reset-faults, /_sim/datasets, /_sim/projects and /_sim/rows.
            """)

    @Option(help: "Port to listen on; 0 for any free one.")
    var port = 0

    @Option(help: "File to write the port to once it is known.")
    var portFile: String?

    @Option(help: "The key that clients must send.")
    var apiKey = "test-key"

    @Option(name: .customLong("dataset"), help: "Dataset that exists from the start, as ID or ID:NAME. Repeatable.")
    var datasets: [String] = []

    @Option(
        name: .customLong("project"),
        help: "Project that exists from the start, as ID=DATASET,DATASET with ids of datasets. Repeatable.")
    var projects: [String] = []

    @Option(help: "Requests that pass in each 60 seconds; the others get a 429.")
    var requestsPerMinute: Int?

    @Flag(help: "Leave Retry-After out of 429 answers.")
    var noRetryAfter = false

    @Option(help: "How long an import takes to start, such as 500ms, 2s or 1m.")
    var taskDelay = DurationArgument(.milliseconds(200))

    @Option(help: "How long a lookup of global keys takes.")
    var jobDelay = DurationArgument(.zero)

    @Option(help: "How long after its creation a row is found by its keys.")
    var indexLag = DurationArgument(.zero)

    @Flag(help: "Count and hash media instead of storing it; JSON is always stored.")
    var discardMedia = false

    @Option(help: "Folder to store uploads in; a temporary one by default, removed at the end.")
    var workFolder: String?

    @Option(name: .customLong("fault"), help: "Fault by rate, such as 429=0.1 or lost=0.05. Repeatable.")
    var faults: [String] = []

    @Option(help: "The most files that one upload request may hold; with more it gets a 413.")
    var maxFiles: Int?

    @Option(help: "Seed of the faults; the same seed and requests give the same faults.")
    var faultSeed: UInt64 = 1

    @Option(help: "Root fields that one request may have; more are too complex.")
    var complexity: Int?

    @Option(help: "Longer requests get a 413.")
    var maxRequestBytes: Int?

    @Option(help: "Largest page that is answered.")
    var maxPage = 5000

    @Option(help: "Rows that one import may have.")
    var maxRowsPerTask = 150_000

    @Option(
        help: ArgumentHelp(
            "What an appendRowsToDataset import refuses for a global key that is in use.",
            valueName: "row|block|task"))
    var legacyDuplicates = "row"

    @Flag(help: "appendRowsToDataset knows nothing of global keys.")
    var legacyIgnoresKeys = false
    @Option(help: "Rows that one call may delete.")
    var maxDeletes = 10_000

    func validate() throws {
        guard Simulator.LegacyDuplicates(rawValue: legacyDuplicates) != nil else {
            throw ValidationError("--legacy-duplicates is row, block or task")
        }
        for fault in faults { _ = try Faults.Rule(argument: fault) }
    }

    func run() async throws {
        var settings = Simulator.Settings()
        settings.port = port
        settings.apiKey = apiKey
        settings.requestsPerMinute = requestsPerMinute
        settings.sendsRetryAfter = !noRetryAfter
        settings.taskDelay = taskDelay.duration
        settings.jobDelay = jobDelay.duration
        settings.indexLag = indexLag.duration
        settings.discardsMedia = discardMedia
        settings.folder = workFolder
        settings.faults = try faults.map { try Faults.Rule(argument: $0) }
        settings.faultSeed = faultSeed
        settings.complexityLimit = complexity
        settings.filesLimit = maxFiles
        settings.maximumRequestBytes = maxRequestBytes
        settings.maximumPage = maxPage
        settings.maximumRowsPerTask = maxRowsPerTask
        settings.legacyDuplicates = Simulator.LegacyDuplicates(rawValue: legacyDuplicates) ?? .row
        settings.legacyIgnoresKeys = legacyIgnoresKeys
        settings.maximumDeletes = maxDeletes
        settings.datasets = datasets.map { text in
            let pair = text.split(separator: ":", maxSplits: 1).map(String.init)
            return (pair[0], pair.count > 1 ? pair[1] : pair[0])
        }

        settings.projects = projects.map { text in
            let pair = text.split(separator: "=", maxSplits: 1).map(String.init)
            let datasets = pair.count > 1 ? pair[1].split(separator: ",").map(String.init) : []
            return (pair[0], pair[0], datasets)
        }

        let stop = StopSignal()
        let simulator = try await Simulator.start(settings)
        if let portFile { try writePort(simulator.port, to: portFile) }
        say("listening on \(simulator.endpoint)\n")
        await stop.wait()
        await simulator.stop()
    }

    private func say(_ text: String) { _ = text.withCString { write(STDOUT_FILENO, $0, strlen($0)) } }

    /// Renamed into place, so that who waits for the file never reads half of it.
    private func writePort(_ port: Int, to path: String) throws {
        let temporary = "\(path).\(getpid()).tmp"
        guard let file = fopen(temporary, "w") else { throw ValidationError("cannot write \(temporary)") }
        fputs("\(port)\n", file)
        guard fclose(file) == 0, rename(temporary, path) == 0 else { throw ValidationError("cannot write \(path)") }
    }
}

/// A duration on the command line.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        let units: [(String, Double)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
        guard let (unit, factor) = units.first(where: { argument.hasSuffix($0.0) }),
            let value = Double(argument.dropLast(unit.count)), value >= 0
        else { return nil }
        duration = .milliseconds(Int64(value * factor))
    }

    var defaultValueDescription: String { "\(duration)" }
}

/// SIGTERM or SIGINT, taken from before the start on, so that neither ends the program half-way.
private struct StopSignal {
    private let sources: [any DispatchSourceSignal]
    private let arrivals: AsyncStream<Void>

    init() {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        self.arrivals = arrivals
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { arrived.yield() }
            source.resume()
            return source
        }
        signal(SIGPIPE, SIG_IGN)
    }

    func wait() async {
        for await _ in arrivals { return }
    }
}
