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

/// Writes each event as one line to standard error.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    private let threshold: LogThreshold
    private var ownLevel: Logger.Level?
    private let format: LogLine.Format

    /// Creates a handler.
    public init(format: LogLine.Format, threshold: LogThreshold) {
        self.format = format
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
        let line = LogLine(
            time: Timestamp.text(Date()), level: event.level.rawValue, priority: event.level.priority,
            message: "\(event.message)", details: all.map { ($0.key, "\($0.value)") }
        ).text(format)
        var bytes = Array(line.utf8)[...]
        // One write for one line, so that lines of two threads do not mix; a pipe that is full takes the rest later.
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
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
