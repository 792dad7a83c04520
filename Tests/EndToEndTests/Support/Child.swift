import Dispatch
import Foundation
import Glibc
import Locking

/// A process that a test started.
///
/// It never outlives the test's own process: the kernel kills it then.
final class Child: Sendable {
    /// How a process ended.
    enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(by: Int32)
    }

    let pid: pid_t
    private let ending = Locked<Ending?>(nil)

    /// The most memory that it had at any moment so far, in KiB; nil once it has ended.
    ///
    /// Unlike what `wait4` tells it does not include that of the process which it was before its program was started.
    var peakMemory: Int? {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return nil }
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }

    /// Starts a program; what it prints goes to the end of `output`.
    ///
    /// `wrapper` is a program with arguments that runs the rest in other circumstances, such as another user's.
    init(
        _ program: URL, _ arguments: [String], output: URL, environment: [String: String] = [:],
        wrapper: [String] = []
    ) throws {
        var variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        variables["NOTIFY_SOCKET"] = nil
        // The child is to die with its parent, also when that is killed.
        let words = ["/usr/bin/setpriv", "--pdeathsig", "KILL"] + wrapper + [program.path] + arguments
        let settings = variables.map { "\($0.key)=\($0.value)" }
        pid = try Nursery.shared.start { try Self.spawn(words, settings, output.path) }
    }

    /// How it ended; nil while it runs.
    var end: Ending? {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            let signal = status & 0x7f
            ending = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(by: signal)
            return ending
        }
    }

    /// Sends a signal; nothing happens once it has ended.
    func signal(_ number: Int32) {
        if end == nil { Glibc.kill(pid, number) }
    }

    /// Ends it at once, and waits until it is gone.
    func kill() {
        signal(SIGKILL)
        while end == nil { usleep(2_000) }
    }

    /// The most memory that it ever had, in bytes (Linux's `VmHWM`); nil once it has ended.
    func highWaterMark() throws -> Int? {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    /// Waits for its end.
    func ended(within limit: Duration) async throws -> Ending {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < deadline {
            if let end { return end }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Trouble("process \(pid) still runs after \(limit)")
    }

    private static func spawn(_ words: [String], _ variables: [String], _ output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var arguments = words.map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, words[0], &actions, nil, &arguments, &environment)
        guard failure == 0 else { throw Trouble("\(words[0]) cannot be started: error \(failure)") }
        return pid
    }
}

/// One thread that starts all children and never ends: to the kernel, a child's parent is the thread that started it.
private final class Nursery: Sendable {
    static let shared = Nursery()

    private let jobs = Locked<[@Sendable () -> Void]>([])
    private let arrivals = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [jobs, arrivals] in
            while true {
                arrivals.wait()
                jobs.withLock { $0.removeFirst() }()
            }
        }
        thread.start()
    }

    func start(_ body: @escaping @Sendable () throws -> pid_t) throws -> pid_t {
        let result = Locked<Result<pid_t, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        jobs.withLock { jobs in
            jobs.append {
                let outcome = Result { try body() }
                result.withLock { $0 = outcome }
                done.signal()
            }
        }
        arrivals.signal()
        done.wait()
        guard let outcome = result.withLock({ $0 }) else { throw Trouble("the child was not started") }
        return try outcome.get()
    }
}

/// What keeps a test from going on.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs a program to its end and gives what it printed.
func output(
    of program: String, _ arguments: [String], within limit: Duration = .seconds(60)
) async throws -> (
    ending: Child.Ending, text: String
) {
    let file = FileManager.default.temporaryDirectory.appending(path: "datarowd-e2e-\(UUID().uuidString).out")
    defer { try? FileManager.default.removeItem(at: file) }
    let child = try Child(URL(filePath: program), arguments, output: file)
    defer { child.kill() }
    let ending = try await child.ended(within: limit)
    return (ending, (try? String(contentsOf: file, encoding: .utf8)) ?? "")
}
