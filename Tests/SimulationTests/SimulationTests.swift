import Foundation
import Glibc
import Testing

/// The whole pipeline in one process, in a time of its own, in an order that a seed decides: see `docs/simulation.md`.
///
/// `simulate` is a process of its own, since it takes over the whole of Swift's runtime.
@Suite("Simulation")
struct SimulationTests {
    #if DEBUG
        // Without optimisation a seed takes ten times as long.
        private static let seeds = 60
    #else
        private static let seeds = 1_000
    #endif

    @Test("no seed loses, doubles or invents anything", .timeLimit(.minutes(10)))
    func manySeeds() async throws {
        let half = Self.seeds / 2
        async let first = simulate("--seeds", "\(half)", "--from", "1")
        async let second = simulate("--seeds", "\(half)", "--from", "\(half + 1)")
        for run in try await [first, second] {
            print(run.text, terminator: "")
            #expect(run.code == 0, "\(run.text)")
            #expect(run.text.contains("\(half) seeds, 0 with violations"))
        }
    }

    @Test("the same seed gives the same run", .timeLimit(.minutes(5)))
    func repeatable() async throws {
        async let first = simulate("--seeds", "10", "--from", "500")
        async let second = simulate("--seeds", "10", "--from", "500")
        async let other = simulate("--seeds", "10", "--from", "600")
        let traces = try await [first, second, other].map { run in
            try #require(run.text.firstMatch(of: /trace ([0-9a-f]+)/)?.output.1)
        }
        #expect(traces[0] == traces[1])
        #expect(traces[0] != traces[2])
    }

    @Test("every line of one run is the same the next time", .timeLimit(.minutes(5)))
    func everyLine() async throws {
        async let first = simulate("--seed", "8", "--trace")
        async let second = simulate("--seed", "8", "--trace")
        let lines = try await [first, second].map { run in
            run.text.split(separator: "\n").filter { !$0.contains("seconds of CPU") && !$0.contains("seeds, ") }
        }
        #expect(lines[0].count > 50)
        #expect(lines[0] == lines[1])
    }

    @Test(
        "a mistake put in by hand is found within a thousand seeds, with the command that replays it",
        .timeLimit(.minutes(10)), arguments: ["resend-on-unknown", "forget-intent", "archive-before-commit"])
    func planted(bug: String) async throws {
        let run = try await simulate("--seeds", "1000", "--bug", bug, "--stop")
        #expect(run.code == 1, "\(run.text)")
        let seed = try #require(run.text.firstMatch(of: /replay with: simulate --seed (\d+) --bug/)?.output.1)
        print("\(bug) is found by seed \(seed)")
        let again = try await simulate("--seed", String(seed), "--bug", bug)
        #expect(again.code == 1, "\(again.text)")
        let mended = try await simulate("--seed", String(seed))
        #expect(mended.code == 0, "\(mended.text)")
    }

    @Test(
        "what was found once stays mended", .timeLimit(.minutes(2)),
        arguments: [
            "results-too-complex", "stop-while-blocked", "crash-after-archiving", "again-before-index",
            "lost-after-wait", "late-look", "last-of-failed-task",
        ])
    func scenario(name: String) async throws {
        let run = try await simulate("--scenario", name)
        #expect(run.code == 0, "\(run.text)")
    }

    @Test("a run in which too little happens is invalid", .timeLimit(.minutes(2)))
    func idle() async throws {
        let run = try await simulate("--seeds", "20", "--calm")
        #expect(run.code == 2, "\(run.text)")
        #expect(run.text.firstMatch(of: /invalid: \d+ \w+ in 20 seeds/) != nil, "\(run.text)")
    }
}

/// Runs the program to its end.
private func simulate(_ arguments: String...) async throws -> (code: Int32, text: String) {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: "simulate")
    process.arguments = arguments
    let output = FileManager.default.temporaryDirectory.appending(path: "simulate-\(UUID().uuidString).out")
    try Data().write(to: output)
    defer { try? FileManager.default.removeItem(at: output) }
    let file = try FileHandle(forWritingTo: output)
    process.standardOutput = file
    process.standardError = file
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        process.terminationHandler = { _ in continuation.resume() }
        do { try process.run() } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
    try file.close()
    return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
}
