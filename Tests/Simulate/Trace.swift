import Foundation
import Glibc
import Logging

/// All that happened, as lines that are hashed, and shown when that is wanted.
final class Trace: @unchecked Sendable {
    // `@unchecked`: only the thread that has the scheduler's baton touches any of it.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var lines = 0
    private let isShown: Bool
    private let root: String
    private let scheduler: Scheduler

    init(isShown: Bool, root: String, scheduler: Scheduler) {
        self.isShown = isShown
        self.root = root
        self.scheduler = scheduler
    }

    func note(_ what: String, _ text: @autoclosure () -> String = "") {
        lines += 1
        var line = "\(scheduler.now / 1_000) \(scheduler.steps) \(what) \(text())"
        // Where the run lies has no part in it.
        if line.contains(root) { line = line.replacing(root, with: "") }
        for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 10) &* 0x100_0000_01B3
        if isShown { say(line) }
    }
}

/// Prints a line at once, so that it is there whatever comes next.
func say(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

/// Has the daemon's log become part of the trace.
struct TraceLog: LogHandler {
    let trace: Trace
    let life: Int
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let about = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        trace.note("log\(life)", "\(event.message) \(about.joined(separator: " "))")
    }
}
