import Foundation
import FoundationNetworking
import Testing

/// A running labelbox-sim.
final class Simulator: Sendable {
    static let dataset = "cmdset0000000000000000001"
    static let otherDataset = "cmdset0000000000000000002"
    /// A key that can be searched for: it occurs nowhere by chance.
    static let key = "lbk-e2e-7c1f03be5d9a4268"

    let port: Int
    private let child: Child

    /// Starts one; it ends with ``kill()``.
    static func start(in folder: URL, _ arguments: [String]) async throws -> Simulator {
        let portFile = folder.appending(path: "port")
        let log = folder.appending(path: "labelbox-sim.log")
        let child = try Child(
            Programs.simulator,
            ["--port", "0", "--port-file", portFile.path, "--api-key", key] + [
                "--dataset", "\(dataset):First", "--dataset", "\(otherDataset):Second", "--task-delay", "50ms",
                "--work-folder", folder.appending(path: "labelbox").path,
            ] + arguments,
            output: log)
        do {
            let port = try await eventually(within: .seconds(30), "labelbox-sim has a port") {
                if let end = child.end {
                    throw Trouble(
                        "labelbox-sim ended (\(end)): \((try? String(contentsOf: log, encoding: .utf8)) ?? "")")
                }
                return try? Int(
                    String(contentsOf: portFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines))
            }
            return Simulator(port, child)
        } catch {
            child.kill()
            throw error
        }
    }

    private init(_ port: Int, _ child: Child) {
        self.port = port
        self.child = child
    }

    func kill() { child.kill() }

    /// Where the daemon is to send its requests.
    var endpoint: String { "http://127.0.0.1:\(port)/graphql" }

    // MARK: Looking in

    func state() async throws -> JSON { try JSON(await get("/_sim/state")) }

    /// The rows of a dataset, in the order of their creation.
    func rows(_ dataset: String = dataset) async throws -> [JSON] {
        try jsonLines(await get("/_sim/rows?dataset=\(dataset)"))
    }

    /// The same as text, with numbers as they were sent.
    func rawRows(_ dataset: String = dataset) async throws -> String {
        String(decoding: try await get("/_sim/rows?dataset=\(dataset)"), as: UTF8.self)
    }

    /// The calls of clients, the last ten thousand of them.
    func calls() async throws -> [JSON] {
        try JSON(await get("/_sim/requests?last=10000"))["requests"].list.filter { $0["path"].string == "/graphql" }
    }

    /// Makes requests go wrong from now on: `{"rates": {"lost": 0.1}, "operations": ["upsertDataRows"], "count": 3}`.
    func addFaults(_ rule: String) async throws { _ = try await send("/_sim/faults", rule) }

    /// Makes everything go right again.
    func resetFaults() async throws { _ = try await send("/_sim/reset-faults", "") }

    /// The content of an uploaded file.
    func file(_ url: String) async throws -> Data {
        let url = try #require(URL(string: url))
        return try await get(url.path)
    }

    /// What an uploaded file was sent as: its content type, and its name.
    func kind(of url: String) async throws -> (type: String, name: String) {
        let url = try #require(URL(string: url))
        let (_, response) = try await URLSession.shared.data(for: URLRequest(url: address(url.path)))
        let type = (response as? HTTPURLResponse)?.value(forHTTPHeaderField: "Content-Type") ?? ""
        return (type, url.lastPathComponent)
    }

    /// Makes rows `PREFIX0`, `PREFIX1`, … with that as external id and global key.
    func seed(_ count: Int, prefix: String = "seed-", in dataset: String = dataset) async throws {
        _ = try await send("/_sim/rows", #"{"dataset": "\#(dataset)", "count": \#(count), "prefix": "\#(prefix)"}"#)
    }

    /// Makes a project of datasets.
    func createProject(_ id: String, datasets: [String]) async throws {
        let list = datasets.map { "\"\($0)\"" }.joined(separator: ", ")
        _ = try await send("/_sim/projects", #"{"id": "\#(id)", "name": "\#(id)", "datasets": [\#(list)]}"#)
    }

    /// Makes a row from outside, as another program with the same key would.
    func createRow(_ body: String) async throws -> JSON { try JSON(await send("/graphql", body)) }

    private func get(_ path: String) async throws -> Data { try await load(URLRequest(url: address(path))) }

    private func send(_ path: String, _ body: String) async throws -> Data {
        var request = URLRequest(url: try address(path))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("Bearer \(Self.key)", forHTTPHeaderField: "Authorization")
        return try await load(request)
    }

    private func address(_ path: String) throws -> URL { try #require(URL(string: "http://127.0.0.1:\(port)\(path)")) }

    private func load(_ request: URLRequest) async throws -> Data {
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard status == 200 else {
            throw Trouble(
                "\(request.url?.path ?? "") answered \(status): \(String(decoding: data.prefix(500), as: UTF8.self))")
        }
        return data
    }
}

/// The programs, built beside the tests.
enum Programs {
    static let folder: URL = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: tests).deletingLastPathComponent()
    }()
    static let daemon = folder.appending(path: "datarowd")
    static let control = folder.appending(path: "datarowctl")
    static let simulator = folder.appending(path: "labelbox-sim")
}

/// Looks every 20 ms until there is an answer.
func eventually<Answer>(
    within limit: Duration, _ fact: String, _ look: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while true {
        if let answer = try await look() { return answer }
        guard ContinuousClock.now < deadline else { throw Trouble("not within \(limit): \(fact)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
