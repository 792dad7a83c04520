internal import Foundation
internal import SystemPackage

/// What can be read of `status/datarowd.json`, by a later start of the daemon and by other programs.
public struct DaemonDocument: Sendable, Decodable {
    public struct Watch: Sendable, Decodable {
        public var name: String
        public var path: String
        public var mode: String
        public var modeReason: String?
        public var mediaWaitSeconds: Double
        /// By state.
        public var imports: [String: Int]
        public var oldestUnfinished: Oldest?
        public var settling: Int
        public var settlingFiles: [File]
    }

    public struct Oldest: Sendable, Decodable {
        public var path: String
        public var since: String
    }

    public struct File: Sendable, Decodable {
        public var path: String
        public var bytes: Int64
        public var since: String
        public var reason: String
        public var nextLook: String?
        public var isManifest: Bool

        /// The file as it was when the status was written; `nil` where the times make no sense.
        public var file: SettlingFile? {
            guard let since = Timestamp.date(since) else { return nil }
            return SettlingFile(
                path: FilePath(path), bytes: bytes, since: since, reason: reason,
                nextLook: nextLook.flatMap(Timestamp.date), isManifest: isManifest)
        }
    }

    public struct Budget: Sendable, Decodable {
        public var requestsPerMinute: Int
        public var used: Int
        public var pausedUntil: String?
    }

    public struct Trouble: Sendable, Decodable {
        public var at: String
        public var message: String
    }

    public var version: String
    public var pid: Int
    public var state: String
    public var stateReason: String
    public var updatedAt: String
    public var watches: [Watch]
    public var rateBudget: Budget
    public var lastError: Trouble?

    /// Reads the file's content.
    public init(reading bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(DaemonDocument.self, from: Data(bytes))
    }
}
