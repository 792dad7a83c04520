internal import Glibc
internal import Locking
public import Pacing
public import SystemPackage

/// A small file that remembers when requests began, for a process that follows one that was killed.
///
/// It is written without a sync: the kernel keeps it when the process dies, and a machine that lost its power needs longer to
/// start than the window lasts. It is a hint: where it cannot be written or read, requests go out all the same, and
/// the server's 429 is what slows them down.
///
/// The file is a header of 64 bytes with the machine's start, and a ring of times in nanoseconds since then.
public final class StartLog: StartMemory {
    private struct State {
        /// Closed with the log.
        var file: FileDescriptor?
        var next = 0
    }

    private static let header = 64
    private let slots: Int
    private let now: @Sendable () -> Duration
    private let found: [Duration]
    private let state: Locked<State>

    /// Reads what an earlier process left, and goes on from there.
    ///
    /// - Parameters:
    ///   - path: of the file; it is made when it is missing.
    ///   - limit: requests in a window, at least 1: so many are remembered.
    ///   - boot: names this start of the machine; what was noted in another is forgotten.
    ///   - now: time since the machine's start.
    public init(_ path: FilePath, limit: Int, boot: String, now: @escaping @Sendable () -> Duration) {
        precondition(limit >= 1)
        slots = limit
        self.now = now
        let present = now()
        var state = State()
        var times: [UInt64] = []
        if !boot.isEmpty,
            let file = try? FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: .ownerReadWrite)
        {
            let label = Self.label(boot)
            times = Self.read(file, label: label).filter { $0 > 0 && .nanoseconds($0) <= present }.sorted().suffix(
                limit)
            // Anew and in order, since the limit may be another than the last time.
            if (try? Self.write(times, slots: limit, label: label, to: file)) != nil {
                state = State(file: file, next: times.count % limit)
            } else {
                // Nothing that matters was written, so nothing can be lost by closing.
                try? file.close()
            }
        }
        found = times.map { present - .nanoseconds($0) }
        self.state = Locked(state)
    }

    deinit { close() }

    /// Lets go of the file; nothing is noted from now on.
    public func close() {
        let file = state.withLock { state in
            defer { state.file = nil }
            return state.file
        }
        // What was written is with the kernel, and nobody waits for the disk.
        try? file?.close()
    }

    /// The time since this machine was started, sleep included.
    public static func timeSinceBoot() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// As they were when this log was opened.
    public func ages(within window: Duration) -> [Duration] { found.filter { $0 < window } }

    public func note(_ count: Int) {
        let time = Self.number(now())
        state.withLock { state in
            guard let file = state.file else { return }
            for _ in 0..<min(count, slots) {
                let offset = Int64(Self.header + state.next * 8)
                // A hint, see above: what cannot be written is not remembered.
                _ = try? withUnsafeBytes(of: time.littleEndian) { try file.writeAll(toAbsoluteOffset: offset, $0) }
                state.next = (state.next + 1) % slots
            }
        }
    }

    private static func number(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds / 1_000_000_000))
    }

    private static func label(_ boot: String) -> [UInt8] {
        let text = Array("datarowd starts 1 \(boot)".utf8.prefix(header - 1)) + [0x0a]
        return text + [UInt8](repeating: 0, count: header - text.count)
    }

    /// The times in the file; none, when it is no such file or another start's.
    private static func read(_ file: FileDescriptor, label: [UInt8]) -> [UInt64] {
        // So much as the greatest limit that anybody sets needs, whatever the file has grown to.
        var bytes = [UInt8](repeating: 0, count: header + 8 * 100_000)
        let count =
            (try? bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 0, into: $0) }) ?? 0
        guard count >= header, Array(bytes[..<header]) == label else { return [] }
        return stride(from: header, to: count - 7, by: 8).map { start in
            bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    private static func write(_ times: [UInt64], slots: Int, label: [UInt8], to file: FileDescriptor) throws {
        var bytes = label
        for index in 0..<slots {
            withUnsafeBytes(of: (index < times.count ? times[index] : 0).littleEndian) { bytes.append(contentsOf: $0) }
        }
        // As long as it will ever be, so that a disk which is full later is no trouble.
        try file.writeAll(toAbsoluteOffset: 0, bytes)
        try file.resize(to: Int64(bytes.count))
    }
}
