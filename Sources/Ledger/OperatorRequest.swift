public import DataRows
public import Foundation

/// What an operator may ask of the daemon; the words of `datarowctl`.
public enum OperatorVerb: String, Sendable, Codable, CaseIterable {
    /// Sends, uploads and deletes nothing more until told to resume.
    case pause
    case resume
    /// Reads the configuration again.
    case reload
    /// Ends an import: nothing more is sent for it.
    case cancel
    /// Takes an import up again that has ended.
    case retry
}

/// What somebody asks of the daemon.
public struct OperatorRequest: Sendable, Hashable, Codable {
    /// Made by who asks; the same request that is found twice is one.
    public var id: String
    public var verb: OperatorVerb
    /// The watch that is meant by `pause` and `resume`; nil for the whole daemon.
    public var watch: String?
    /// The import that is meant by `cancel` and `retry`.
    public var importID: String?
    /// Whether `retry` means the rows alone that failed.
    public var failedOnly: Bool?
    /// Seconds since 1970, by the clock of who asks.
    public var askedAt: Double

    /// Creates a request.
    public init(
        id: String, verb: OperatorVerb, watch: String? = nil, importID: ImportID? = nil, failedOnly: Bool? = nil,
        askedAt: Date
    ) {
        self.id = id
        self.verb = verb
        self.watch = watch
        self.importID = importID?.rawValue
        self.failedOnly = failedOnly
        self.askedAt = askedAt.timeIntervalSince1970
    }

    enum CodingKeys: String, CodingKey {
        case id, verb, watch
        case importID = "import"
        case failedOnly = "failed_only"
        case askedAt = "asked_at"
    }
}

/// Who asks, as the kernel knows them by the file that they wrote.
public struct Operator: Sendable, Hashable, CustomStringConvertible {
    public var uid: Int
    /// The name of that user on this machine, or the number where it has none.
    public var name: String

    /// Names somebody.
    public init(uid: Int, name: String) {
        self.uid = uid
        self.name = name
    }

    /// For example `anna (uid 1000)`.
    public var description: String { "\(name) (uid \(uid))" }
}

/// A request as the ledger has it, and what came of it.
public struct RecordedRequest: Sendable, Hashable {
    /// What became of a request.
    public enum State: String, Sendable, Codable {
        case open
        case done
        /// It was not done; the outcome says why.
        case refused
    }

    public var request: OperatorRequest
    public var by: Operator
    public var takenAt: Date
    public var state: State
    /// One sentence; empty while it is open.
    public var outcome: String
    public var endedAt: Date?
}

/// A pause that was asked for and has not been ended.
public struct OperatorPause: Sendable, Hashable {
    /// nil for the whole daemon.
    public var watch: String?
    public var by: Operator
    public var since: Date
}
