import Foundation
import Glibc
import Testing

/// What differs from test to test.
struct SiteSettings {
    /// Further arguments of labelbox-sim.
    var simulator: [String] = []
    /// Further lines of the watch, such as `media_wait: 2s`.
    var watch: [String] = []
    /// Further lines of the section `labelbox`.
    var labelbox: [String] = []
    /// What the daemon finds in its key file.
    var key = Simulator.key
    /// Where the daemon sends its requests instead of to the simulator.
    var endpoint: String?
    /// What the daemon's environment has beside the test's own.
    var environment: [String: String] = [:]
    /// A program with arguments that runs the daemon in other circumstances.
    var wrapper: [String] = []
    /// Whether the daemon's clocks are ``FastClocks``, for what waits out doubts, back-offs and probes.
    ///
    /// The simulator's stay as they are, and so do the limits of tests.
    var isFast = true
    /// What names resolve to for the daemon, as lines of `NAME` (to nothing) or `NAME ADDRESS`; nil leaves names to the machine.
    var names: String?
}

/// A drop folder, a state folder, a simulator and a daemon of one test's own.
final class Site {
    static let watch = "drop"

    let root: URL
    let simulator: Simulator
    private let settings: SiteSettings
    /// What stands between the daemon and the C library; empty where its clocks are not fast, and names are the machine's.
    private let interposed: [String: String]
    private(set) var daemon: Child?
    private var earlier: [Child] = []

    /// Statuses that were seen on the way, each state of each manifest once; they are validated too.
    private var seen: Set<String> = []
    /// The external ids of rows that are to be on the server in the end.
    var expected: [String] = []

    var drop: URL { root.appending(path: "drop") }
    var state: URL { root.appending(path: "state") }
    var configuration: URL { root.appending(path: "datarowd.yaml") }
    var keyFile: URL { root.appending(path: "api-key") }
    private var log: URL { root.appending(path: "datarowd.log") }
    private var seenFolder: URL { root.appending(path: "seen") }
    /// On the drop folder's file system, so that a rename moves a file in whole.
    private var outside: URL { root.appending(path: "outside") }

    private init(_ root: URL, _ settings: SiteSettings) async throws {
        self.root = root
        self.settings = settings
        var interposed = settings.isFast ? try await FastClocks().environment() : [:]
        if settings.names != nil {
            let library = try await Self.namesLibrary.value
            interposed["LD_PRELOAD"] = [interposed["LD_PRELOAD"], library].compactMap(\.self).joined(separator: ":")
            interposed["TEST_NAMES"] = root.appending(path: "names").path
        }
        self.interposed = interposed
        for name in ["drop", "seen", "outside"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: name), withIntermediateDirectories: true)
        }
        simulator = try await Simulator.start(in: root, settings.simulator)
        try write(key: settings.key)
        if let names = settings.names { try write(names: names) }
        try Data(yaml().utf8).write(to: configuration)
    }

    /// Runs a test with a place of its own; in the end nothing runs any more, and all that was written is checked.
    static func with(_ settings: SiteSettings = SiteSettings(), _ body: (Site) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "datarowd-e2e-\(UUID().uuidString.prefix(8))")
        let site = try await Site(root, settings)
        var isGood = false
        defer {
            site.kill()
            site.simulator.kill()
            // What a failed test leaves tells why; the system clears its temporary folder.
            if isGood { try? FileManager.default.removeItem(at: root) }
        }
        do {
            try await body(site)
            if site.daemon?.end == nil, site.daemon != nil { try await site.stop() }
            try site.expectNoSecret()
            try await site.expectValidFiles()
            isGood = true
        } catch {
            throw Trouble("\(error)\n(left at \(root.path))\n\(site.story())")
        }
    }

    private func yaml() -> String {
        var lines = [
            "labelbox:", "  endpoint: \(settings.endpoint ?? simulator.endpoint)", "  api_key_file: \(keyFile.path)",
            "  requests_per_minute: 100000",
        ]
        lines += settings.labelbox.map { "  " + $0 }
        // A busy machine is slow in our time, and must not look like a network that stalls.
        let patience = settings.isFast ? ["  connect_timeout: 5m", "  stall_timeout: 20m"] : []
        lines += patience.filter { line in !settings.labelbox.contains { Self.isSameKey($0, line) } }
        lines += ["state_directory: \(state.path)", "log: { level: debug, format: text }", "watches:"]
        lines += ["  - name: \(Self.watch)", "    path: \(drop.path)", "    dataset: \(Simulator.dataset)"]
        let times =
            settings.isFast
            ? ["    settle: 6s", "    rescan: 2m", "    media_grace: 10m"]
            : ["    settle: 100ms", "    rescan: 2s", "    media_grace: 10s"]
        lines += times.filter { line in !settings.watch.contains { Self.isSameKey($0, line) } }
        lines += settings.watch.map { "    " + $0 }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func isSameKey(_ line: String, _ other: String) -> Bool {
        let keys = [line, other].map { $0.drop { $0 == " " }.prefix { $0 != ":" } }
        return keys[0] == keys[1]
    }

    /// Puts another configuration in the place of the one that is there; nobody is told.
    func configure(_ text: String) throws { try Data(text.utf8).write(to: configuration, options: .atomic) }

    /// Adds a watch to the configuration, and returns its folder.
    func addWatch(_ name: String) throws -> URL {
        let folder = root.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = try String(contentsOf: configuration, encoding: .utf8)
        try configure(text + "  - { name: \(name), path: \(folder.path), dataset: \(Simulator.dataset) }\n")
        return folder
    }

    // MARK: The daemon

    func write(key: String) throws {
        try Data("\(key)\n".utf8).write(to: keyFile, options: .atomic)
        chmod(keyFile.path, 0o600)
    }

    /// Changes what names resolve to.
    func write(names: String) throws {
        try Data(names.utf8).write(to: root.appending(path: "names"), options: .atomic)
    }

    /// Built once for all tests.
    private static let namesLibrary = Task {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "names.c")
        return try await Interposed.build("names", from: [source.path])
    }

    /// Starts the daemon and waits until it says that it is ready.
    func start() async throws {
        let before = size(log)
        let child = try launch()
        try await eventually(within: .seconds(60), "the daemon is ready") {
            if let end = child.end { throw Trouble("the daemon ended at its start: \(end)") }
            let text = try? FileHandle(forReadingFrom: log)
            defer { try? text?.close() }
            try? text?.seek(toOffset: UInt64(before))
            let said = String(decoding: (try? text?.readToEnd()) ?? Data(), as: UTF8.self)
            return said.contains("Ready") ? () : nil
        }
    }

    /// Starts the daemon and waits for nothing.
    @discardableResult
    func launch() throws -> Child {
        if let daemon { earlier.append(daemon) }
        // Last of the wrappers, so that the others are left alone.
        let variables = interposed.map { "\($0.key)=\($0.value)" }
        let child = try Child(
            Programs.daemon, ["--config", configuration.path], output: log, environment: settings.environment,
            wrapper: settings.wrapper + (variables.isEmpty ? [] : ["/usr/bin/env"] + variables))
        daemon = child
        return child
    }

    /// Tells the daemon to stop, and expects that it does so in good order.
    func stop() async throws {
        guard let daemon else { return }
        daemon.signal(SIGTERM)
        let end = try await daemon.ended(within: .seconds(25))
        #expect(end == .exited(0), "the daemon is to end in good order")
    }

    /// Ends the daemon as a power cut would.
    func kill() { daemon?.kill() }

    // MARK: Dropping

    /// Moves a file in whole.
    func drop(_ name: String, _ content: String) throws { try drop(name, Data(content.utf8)) }

    func drop(_ name: String, _ content: Data) throws {
        let file = outside.appending(path: UUID().uuidString)
        try content.write(to: file)
        try move(file, to: name)
    }

    private func move(_ file: URL, to name: String) throws {
        let target = drop.appending(path: name)
        if name.contains("/") {
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        }
        guard rename(file.path, target.path) == 0 else { throw Trouble("\(name) cannot be moved in: error \(errno)") }
    }

    /// What lies in the drop folder, but for what is the daemon's own.
    func dropped() throws -> [String] { try Self.files(in: drop).filter { !$0.hasPrefix(".datarowd/") } }

    // MARK: Looking

    func statusFile(_ manifest: String) -> URL {
        state.appending(path: "status/\(Self.watch)/\(manifest).status.json")
    }

    /// The status of a manifest; nil while there is none.
    func status(_ manifest: String) throws -> JSON? {
        guard let data = try? Data(contentsOf: statusFile(manifest)) else { return nil }
        let status = try JSON(data)
        let name = "\(manifest) \(status["state"].string ?? "")".replacing("/", with: " ")
        if seen.insert(name).inserted { try data.write(to: seenFolder.appending(path: "\(name).status.json")) }
        return status
    }

    func daemonStatus() throws -> JSON? {
        guard let data = try? Data(contentsOf: state.appending(path: "status/datarowd.json")) else { return nil }
        let status = try JSON(data)
        let name = "daemon \(status["state"].string ?? "")"
        if seen.insert(name).inserted { try data.write(to: seenFolder.appending(path: "\(name).daemon.json")) }
        return status
    }

    static let finalStates: Set<String> = ["complete", "complete_with_errors", "failed", "rejected", "cancelled"]

    /// Waits until a manifest has a final status.
    @discardableResult
    func ended(_ manifest: String, within limit: Duration = .seconds(60)) async throws -> JSON {
        try await status(of: manifest, within: limit, "has ended") {
            Self.finalStates.contains($0["state"].string ?? "")
        }
    }

    /// Waits until a manifest's status is as wanted.
    @discardableResult
    func status(
        of manifest: String, within limit: Duration = .seconds(60), _ fact: String, _ isSo: (JSON) -> Bool
    ) async throws -> JSON {
        try await eventually(within: limit, "\(manifest) \(fact)") {
            try expectDaemonRuns()
            return try status(manifest).flatMap { isSo($0) ? $0 : nil }
        }
    }

    func expectDaemonRuns() throws {
        if let end = daemon?.end { throw Trouble("the daemon ended by itself: \(end)") }
    }

    /// The results of a manifest, as its status names them.
    func results(_ status: JSON) throws -> [JSON] {
        guard let file = status["results_file"].string else { return [] }
        return try jsonLines(Data(contentsOf: place(file)))
    }

    /// A file that a status names: by its whole path, or beneath the state folder.
    func place(_ name: String) -> URL { name.hasPrefix("/") ? URL(filePath: name) : state.appending(path: name) }

    /// What was archived, by path beneath the day's folder.
    func archived() -> [String] {
        let folder = state.appending(path: "archive/\(Self.watch)")
        return ((try? Self.files(in: folder)) ?? []).map { String($0.split(separator: "/", maxSplits: 1).last ?? "") }
    }

    static func files(in folder: URL) throws -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return [] }
        var found: [String] = []
        while let name = walk.nextObject() as? String {
            if walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular { found.append(name) }
        }
        return found.sorted()
    }

    private func size(_ file: URL) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? Int) ?? 0
    }

    /// All that the daemon logged.
    func logged() -> String { String(decoding: (try? Data(contentsOf: log)) ?? Data(), as: UTF8.self) }

    /// What a failed test has to tell.
    private func story() -> String {
        let lines = logged().split(separator: "\n").suffix(25).joined(separator: "\n")
        let status = (try? String(contentsOf: state.appending(path: "status/datarowd.json"), encoding: .utf8)) ?? "none"
        return "The daemon's last lines:\n\(lines)\nIts status: \(status)"
    }

    // MARK: What holds for every run

    /// The key is in no file that the daemon wrote.
    private func expectNoSecret() throws {
        let secret = Data(Simulator.key.utf8)
        let files = try Self.files(in: state).map { state.appending(path: $0) } + [log]
        for file in files {
            guard let data = try? Data(contentsOf: file, options: .mappedIfSafe) else { continue }
            #expect(data.range(of: secret) == nil, "the API key stands in \(file.path)")
        }
    }

    /// Statuses, results and configuration are as their schemas say.
    private func expectValidFiles() async throws {
        let problems = try await Validator.problems(of: root)
        #expect(problems == "")
    }
}
