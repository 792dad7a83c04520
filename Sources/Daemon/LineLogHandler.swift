internal import Files
internal import Foundation
internal import Locking
public import Logging
public import Reporting
internal import SystemPackage

/// What is logged, for all handlers at once: the configuration may change it while the daemon runs.
public final class LogThreshold: Sendable {
    private let value: Locked<Logger.Level>

    /// Begins with a level.
    public init(_ level: Logger.Level) { value = Locked(level) }

    /// What is less severe is left out.
    public var level: Logger.Level {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

/// Writes each event as one line to standard error, or as one entry with fields to the journal.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    private let threshold: LogThreshold
    private var ownLevel: Logger.Level?
    private let outlet: LogOutlet

    /// Creates a handler.
    public init(outlet: LogOutlet, threshold: LogThreshold) {
        self.outlet = outlet
        self.threshold = threshold
    }

    public var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        outlet.write(
            LogLine(
                time: Timestamp.text(Date()), level: event.level.rawValue, priority: event.level.priority,
                message: "\(event.message)", details: all.map { ($0.key, "\($0.value)") }))
    }
}

/// Where log lines go.
public struct LogOutlet: Sendable {
    private let format: LogLine.Format
    private let journal: LocalDatagrams?

    /// Standard error, where lines look like this; the journal itself, if that is what is at the other end.
    public init(_ format: LogLine.Format, environment: [String: String]) {
        self.format = format
        journal =
            format == .journald && Self.isJournal(environment)
            ? LocalDatagrams(to: "/run/systemd/journal/socket") : nil
    }

    /// Whether standard error is the journal's: its device and inode are those that systemd named.
    public static func isJournal(_ environment: [String: String]) -> Bool {
        var status = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// Writes a line; what the journal does not take goes to standard error.
    public func write(_ line: LogLine) {
        if let journal {
            let entry = JournalEntry(
                line, messageID: JournalMessages.ids[line.message], identifier: "datarowd")
            if journal.send(entry.bytes, inMemory: true) { return }
        }
        var bytes = Array(line.text(format).utf8)[...]
        // One write for one line, so that lines of two threads do not mix; a pipe that is full takes the rest later.
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if errno != EINTR {
                return
            }
        }
    }
}

extension Logger.Level {
    /// The priority of syslog.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
