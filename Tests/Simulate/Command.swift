import Foundation
import Glibc
import SystemPackage

/// Runs many seeds, or one, and says what came of it.
enum Command {
    private struct Options {
        var seeds = 1_000
        var first: UInt64 = 1
        var seconds: Double?
        var showsTrace = false
        var bug: PlantedBug?
        var scenario: Scenario?
        var isCalm = false
        /// Whether the first seed with a violation is the last.
        var stops = false
    }

    private static let usage = """
        usage: simulate [--seeds N] [--from S] [--seconds T] [--seed S] [--trace] [--bug NAME] [--scenario NAME] [--calm] [--stop]
          --seeds N        so many seeds (1000), from --from (1) on, or as many as T seconds allow
          --seed S         this one alone
          --trace          prints all that happens
          --bug NAME       with a mistake put in by hand: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", "))
          --scenario NAME  instead of what a seed makes: \(Scenario.allCases.map(\.rawValue).joined(separator: ", "))
          --calm           nothing goes wrong
          --stop           ends at the first seed with a violation
        exit code: 0 without a violation, 1 with one, 2 when too little happened for the run to mean anything
        """

    /// Runs the program; returns its exit code.
    static func run(_ arguments: [String]) -> Int32 {
        guard let options = parse(arguments) else {
            say(usage)
            return 64
        }
        return run(options)
    }

    private static func parse(_ arguments: [String]) -> Options? {
        var options = Options()
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--trace": options.showsTrace = true
            case "--stop": options.stops = true
            case "--calm": options.isCalm = true
            default:
                guard let value = rest.popFirst() else { return nil }
                switch word {
                case "--seeds":
                    guard let number = Int(value), number > 0 else { return nil }
                    options.seeds = number
                case "--seed", "--from":
                    guard let number = UInt64(value) else { return nil }
                    options.first = number
                    if word == "--seed" { options.seeds = 1 }
                case "--seconds":
                    guard let number = Double(value) else { return nil }
                    options.seconds = number
                case "--bug":
                    guard let bug = PlantedBug(rawValue: value) else { return nil }
                    options.bug = bug
                case "--scenario":
                    guard let scenario = Scenario(rawValue: value) else { return nil }
                    options.scenario = scenario
                    options.seeds = 1
                default: return nil
                }
            }
        }
        return options
    }

    private static func run(_ options: Options) -> Int32 {
        let start = ContinuousClock.now
        let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        let root = FilePath(folder).appending("datarowd-simulate-\(getpid())")
        var sum = Simulation.Outcome()
        var count = 0
        var failures = 0
        for seed in options.first..<options.first + UInt64(options.seeds) {
            if let limit = options.seconds, (ContinuousClock.now - start) / .seconds(1) > limit { break }
            SeedInHand.note(seed)
            let outcome = Simulation(
                seed: seed, plan: options.scenario?.plan ?? Plan(seed: seed, isCalm: options.isCalm), bug: options.bug,
                showsTrace: options.showsTrace, root: root
            ).run()
            count += 1
            sum.add(outcome)
            guard !outcome.violations.isEmpty else { continue }
            failures += 1
            for violation in outcome.violations.prefix(5) { say("seed \(seed): \(violation)") }
            let extra =
                (options.bug.map { " --bug \($0.rawValue)" } ?? "")
                + (options.scenario.map { " --scenario \($0.rawValue)" } ?? "")
            say("seed \(seed): replay with: simulate --seed \(seed)\(extra) --trace")
            // What breaks so many breaks all, and more of it says no more.
            if options.stops || failures == 50 { break }
        }
        report(sum, count, failures, took: (ContinuousClock.now - start) / .seconds(1))
        if failures > 0 { return 1 }
        if options.scenario == nil, let lack = sum.lack(after: count) {
            say("invalid: \(lack)")
            return 2
        }
        return 0
    }

    private static func report(_ sum: Simulation.Outcome, _ count: Int, _ failures: Int, took: Double) {
        let busy = Double(clock()) / Double(CLOCKS_PER_SEC)
        func figure(_ number: Double) -> String { String(format: "%.1f", number) }
        say(
            "\(count) seeds, \(failures) with violations, in \(figure(took)) s "
                + "(\(figure(Double(count) / busy)) seeds in a second of CPU); trace \(String(sum.hash, radix: 16))")
        say(
            "\(sum.manifests) manifests, \(sum.rows) rows, \(sum.requests) requests, \(sum.submits) submits, "
                + "\(sum.crashes) crashes, \(sum.stops) stops, \(sum.steps) steps, \(figure(sum.seconds / 3_600)) hours of their time"
        )
        say(
            "faults: "
                + sum.faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    }
}

extension Simulation.Outcome {
    fileprivate mutating func add(_ other: Simulation.Outcome) {
        hash = (hash ^ other.hash) &* 0x100_0000_01B3
        requests += other.requests
        submits += other.submits
        crashes += other.crashes
        stops += other.stops
        rows += other.rows
        manifests += other.manifests
        steps += other.steps
        seconds += other.seconds
        faults.merge(other.faults, uniquingKeysWith: +)
    }

    /// What there was too little of in a run of many seeds; a run in which nothing happens proves nothing.
    fileprivate func lack(after seeds: Int) -> String? {
        guard seeds >= 20 else { return nil }
        if requests < 10 * seeds { return "\(requests) requests in \(seeds) seeds" }
        if submits < seeds { return "\(submits) submits in \(seeds) seeds" }
        if crashes < seeds / 4 { return "\(crashes) crashes in \(seeds) seeds" }
        if stops < seeds / 10 { return "\(stops) stops in \(seeds) seeds" }
        guard seeds >= 200 else { return nil }
        let wanted = [
            "401", "413", "426", "429", "500", "502", "503", "520", "complexity", "graphql-502", "html", "ledger",
            "lost",
            "lost-502", "refused", "reset", "slow", "stalled", "swallowed", "task-failed", "task-long", "truncated",
        ]
        let unseen = wanted.filter { faults[$0] == nil }
        return unseen.isEmpty ? nil : "no fault of the kinds \(unseen.joined(separator: ", "))"
    }
}

/// Tells which seed was in hand when the process itself crashes.
private enum SeedInHand {
    // `nonisolated(unsafe)`: one thread writes it, and a signal's handler, which may take no lock, reads it.
    nonisolated(unsafe) private static let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 128)
    nonisolated(unsafe) private static var count = 0

    static func note(_ seed: UInt64) {
        // Set up once; the handler does no more than a write.
        if count == 0 {
            for number in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGBUS] {
                signal(number) { number in
                    _ = Glibc.write(1, SeedInHand.text.baseAddress, SeedInHand.count)
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
        }
        let line = Array("seed \(seed): the process crashed; replay with: simulate --seed \(seed) --trace\n".utf8)
        _ = text.update(fromContentsOf: line.prefix(128))
        count = min(line.count, 128)
    }
}
