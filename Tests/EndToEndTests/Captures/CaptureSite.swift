import Foundation
import Glibc

/// A daemon of one test's own, with fast clocks, that sends its requests to an address.
final class CaptureSite {
    let root: URL
    private var daemon: Child?

    private var drop: URL { root.appending(path: "drop") }
    private var state: URL { root.appending(path: "state") }

    /// Runs a test with a daemon; in the end it runs no more.
    static func with(
        endpoint: String, labelbox: [String] = [], watch: [String] = [], _ body: (CaptureSite) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "datarowd-capture-\(UUID().uuidString.prefix(8))")
        let site = CaptureSite(root)
        for folder in [site.drop, site.root.appending(path: "outside")] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try Data("lbfake-key-0001\n".utf8).write(to: root.appending(path: "key"))
        chmod(root.appending(path: "key").path, 0o600)
        var lines = ["labelbox:", "  endpoint: \(endpoint)", "  api_key_file: \(root.path)/key"]
        // The SDK sends each file by itself.
        let alone = "files_per_request: 1"
        lines += (["requests_per_minute: 100000", "connect_timeout: 5m", "stall_timeout: 20m", alone] + labelbox).map {
            "  " + $0
        }
        lines += ["state_directory: \(site.state.path)", "log: { level: debug, format: text }", "watches:"]
        lines += ["  - name: drop", "    path: \(site.drop.path)", "    dataset: cmdset0000000000000000001"]
        // Rows are to be as the SDK sends them.
        lines += ["settle: 3s", "linger: 3s", "rescan: 2m", "global_key: off"].map { "    " + $0 }
        lines += watch.map { "    " + $0 }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: root.appending(path: "datarowd.yaml"))
        let clocks = try await FastClocks().environment()
        site.daemon = try Child(
            Programs.daemon, ["--config", root.appending(path: "datarowd.yaml").path],
            output: root.appending(path: "datarowd.log"),
            wrapper: ["/usr/bin/env"] + clocks.map { "\($0.key)=\($0.value)" })
        defer { site.daemon?.kill() }
        do {
            try await body(site)
            try? FileManager.default.removeItem(at: root)
        } catch {
            let log = (try? String(contentsOf: root.appending(path: "datarowd.log"), encoding: .utf8)) ?? ""
            throw Trouble(
                "\(error)\n(left at \(root.path))\n\(log.split(separator: "\n").suffix(15).joined(separator: "\n"))")
        }
    }

    private init(_ root: URL) { self.root = root }

    /// Moves a file in whole.
    func drop(_ name: String, _ content: Data) throws {
        let file = root.appending(path: "outside/\(UUID().uuidString)")
        try content.write(to: file)
        let target = drop.appending(path: name)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        guard rename(file.path, target.path) == 0 else { throw Trouble("\(name) cannot be moved in: error \(errno)") }
    }

    /// Waits until a manifest has a final status.
    func ended(_ manifest: String, within limit: Duration = .seconds(12)) async throws -> JSON {
        try await eventually(within: limit, "\(manifest) has ended") {
            if let end = daemon?.end { throw Trouble("the daemon ended by itself: \(end)") }
            let file = state.appending(path: "status/drop/\(manifest).status.json")
            guard let data = try? Data(contentsOf: file) else { return nil }
            let status = try JSON(data)
            return Site.finalStates.contains(status["state"].string ?? "") ? status : nil
        }
    }

    /// The daemon's own status.
    func daemonStatus() throws -> JSON? {
        guard let data = try? Data(contentsOf: state.appending(path: "status/datarowd.json")) else { return nil }
        return try JSON(data)
    }

    /// The results of a manifest, as its status names them.
    func results(_ status: JSON) throws -> [JSON] {
        guard let file = status["results_file"].string else { return [] }
        return try jsonLines(
            Data(contentsOf: file.hasPrefix("/") ? URL(filePath: file) : state.appending(path: file)))
    }
}
