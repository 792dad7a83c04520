internal import Files
internal import Foundation
public import Logging
internal import SystemPackage

/// Writes each event as one line to standard error.
public struct LineLogHandler: LogHandler {
    /// How lines look.
    public enum Format: Sendable {
        /// Time, level, words: for a terminal.
        case text
        /// One JSON object a line.
        case json
        /// A priority in front that journald takes off, and no time, since it has its own.
        case journald
    }

    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let format: Format

    /// Creates a handler.
    public init(format: Format, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var line: String
        switch format {
        case .text:
            line = "\(Self.timestamp()) \(event.level.rawValue.uppercased()) \(event.message)"
            for (key, value) in all { line += " \(key)=\(Self.quoted("\(value)"))" }
        case .journald:
            line = "<\(event.level.priority)>\(event.message)"
            for (key, value) in all { line += " \(key)=\(Self.quoted("\(value)"))" }
        case .json:
            var members: [String: String] = [
                "time": Self.timestamp(), "level": event.level.rawValue, "message": "\(event.message)",
            ]
            for (key, value) in all { members[key] = "\(value)" }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            line = (try? encoder.encode(members)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }
        line += "\n"
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

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" || $0.isNewline }) || text.isEmpty else {
            return text
        }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            + "\""
    }

    private static func timestamp() -> String {
        Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
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
