import Foundation
import Glibc
import SystemPackage

/// `simulate [--seeds N] [--seed S] [--seconds T] [--trace] [--bug NAME]`
enum Command {
    struct Options {
        var seeds = 1_000
        var first: UInt64 = 1
        var seconds: Double?
        var trace = false
        var bug: PlantedBug?
        var stopsAtFirst = false
    }

    static func run(_ arguments: [String]) -> Int32 {
        guard let options = parse(arguments) else {
            print("usage: simulate [--seeds N] [--seed S] [--seconds T] [--trace] [--bug NAME] [--first]")
            print("bugs: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", "))")
            return 64
        }
        return run(options)
    }

    private static func parse(_ arguments: [String]) -> Options? {
        var options = Options()
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--trace": options.trace = true
            case "--first": options.stopsAtFirst = true
            default:
                guard let value = rest.popFirst() else { return nil }
                switch word {
                case "--seeds": options.seeds = Int(value) ?? 0
                case "--seed":
                    options.first = UInt64(value) ?? 0
                    options.seeds = 1
                case "--from": options.first = UInt64(value) ?? 0
                case "--seconds": options.seconds = Double(value)
                case "--bug":
                    guard let bug = PlantedBug(rawValue: value) else { return nil }
                    options.bug = bug
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
        var hash: UInt64 = 0
        for seed in options.first..<options.first + UInt64(options.seeds) {
            if let limit = options.seconds, (ContinuousClock.now - start) / .seconds(1) > limit { break }
            let outcome = autoreleasing {
                Simulation(seed: seed, bug: options.bug, showsTrace: options.trace, root: root).run()
            }
            count += 1
            hash = (hash ^ outcome.hash) &* 0x100_0000_01B3
            sum.requests += outcome.requests
            sum.submits += outcome.submits
            sum.crashes += outcome.crashes
            sum.rows += outcome.rows
            sum.manifests += outcome.manifests
            sum.steps += outcome.steps
            sum.seconds += outcome.seconds
            sum.faults.merge(outcome.faults, uniquingKeysWith: +)
            if !outcome.violations.isEmpty {
                failures += 1
                for violation in outcome.violations.prefix(5) { print("seed \(seed): \(violation)") }
                print(
                    "seed \(seed): replay: simulate --seed \(seed)\(options.bug.map { " --bug \($0.rawValue)" } ?? "") --trace"
                )
                if options.stopsAtFirst { break }
            }
        }
        let took = (ContinuousClock.now - start) / .seconds(1)
        print(
            "\(count) seeds, \(failures) with violations, in \(String(format: "%.1f", took)) s "
                + "(\(String(format: "%.1f", Double(count) / took)) seeds/s); trace \(String(hash, radix: 16))")
        print(
            "\(sum.manifests) manifests, \(sum.rows) rows, \(sum.requests) requests, \(sum.submits) submits, "
                + "\(sum.crashes) crashes, \(sum.steps) steps, \(Int(sum.seconds / 3_600)) hours")
        print(
            "faults: " + sum.faults.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        return failures == 0 ? 0 : 1
    }

    private static func autoreleasing<Value>(_ body: () -> Value) -> Value { body() }
}
