public import DataRows

/// How an import task stands.
public enum TaskStatus: Hashable, Sendable, CustomStringConvertible {
    case inProgress, complete, failed, cancelling, canceled
    /// One that this version does not know; the set is not closed.
    case unknown(String)

    /// The status of the API's spelling.
    public init(_ text: String) {
        self = Self.known.first { $0.description == text } ?? .unknown(text)
    }

    /// The API's spelling.
    public var description: String {
        switch self {
        case .inProgress: "IN_PROGRESS"
        case .complete: "COMPLETE"
        case .failed: "FAILED"
        case .cancelling: "CANCELLING"
        case .canceled: "CANCELED"
        case .unknown(let text): text
        }
    }

    /// Whether it will not change any more; what is unknown may.
    public var isFinal: Bool { [.complete, .failed, .canceled].contains(self) }

    private static let known: [TaskStatus] = [.inProgress, .complete, .failed, .cancelling, .canceled]
}

/// An import task as the server showed it.
public struct TaskSnapshot: Hashable, Sendable {
    public let id: TaskID
    public let status: TaskStatus
    /// From 0 to 100, for display only.
    public let completionPercentage: Double?
    public let name: String?
    public let type: String?
    /// In the server's spelling, such as `2026-11-21T00:29:25.804Z`.
    public let createdAt: String?
    public let updatedAt: String?
    /// Where the result file of an older import is; newer imports have pages of rows instead.
    public let resultURL: String?
    /// Whatever the server put there, as text or JSON.
    public let errors: String?

    /// Creates a snapshot as a server would show it.
    public init(
        id: TaskID, status: TaskStatus, completionPercentage: Double? = nil, name: String? = nil, type: String? = nil,
        createdAt: String? = nil, updatedAt: String? = nil, resultURL: String? = nil, errors: String? = nil
    ) {
        self.id = id
        self.status = status
        self.completionPercentage = completionPercentage
        self.name = name
        self.type = type
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.resultURL = resultURL
        self.errors = errors
    }

    static let fields = "id createdAt updatedAt name status completionPercentage result errors type metadata"

    init(_ value: JSONValue) throws(BadAnswer) {
        id = TaskID(rawValue: try value.requiredID("id"))
        status = TaskStatus(try value.requiredString("status"))
        // "NaN" and 1e400 are numbers too, to some.
        completionPercentage = value["completionPercentage"]?.double
            .flatMap { $0.isFinite ? min(max($0, 0), 100) : nil }
        name = value["name"]?.string
        type = value["type"]?.string
        createdAt = value["createdAt"]?.string
        updatedAt = value["updatedAt"]?.string
        resultURL = value["result"]?.string
        errors = value["errors"]?.text
    }
}

extension LabelboxClient {
    /// Asks for several tasks in one request.
    ///
    /// - Parameters:
    ///   - ids: how many the server takes is not known; a `queryTooComplex` asks for fewer.
    ///   - user: whose tasks they are: the owner of the key that started them.
    /// - Returns: the tasks that the server shows. A new one can take a moment to appear.
    /// - Throws: ``LabelboxError``.
    public func tasks(_ ids: [TaskID], user: UserID) async throws(LabelboxError) -> [TaskID: TaskSnapshot] {
        if ids.isEmpty { return [:] }
        return try await perform(Tasks(ids: ids, user: user))
    }
}

private struct Tasks: GraphQLOperation {
    let ids: [TaskID]
    let user: UserID

    let name = "createdTasks"
    let kind = RequestKind.read

    var document: String {
        let parameters = ids.indices.map { ", $t\($0): ID!" }.joined()
        let fields = ids.indices.map {
            "t\($0): createdTasks(where: { id: $t\($0) }, skip: 0, first: 1) { \(TaskSnapshot.fields) }"
        }
        return
            "query Tasks($user: ID!\(parameters)) { user(where: { id: $user }) { \(fields.joined(separator: " ")) } }"
    }

    var variables: JSONValue {
        .object(
            [.init("user", .string(user.rawValue))]
                + ids.enumerated().map { .init("t\($0)", .string($1.rawValue)) })
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [TaskID: TaskSnapshot] {
        let user = try data.requiredObject("user")
        var tasks: [TaskID: TaskSnapshot] = [:]
        for (index, id) in ids.enumerated() {
            let alias = "t\(index)"
            if errors.contains(where: { $0.field == alias }) { continue }
            guard let first = try user.requiredArray(alias).first else { continue }
            let task = try TaskSnapshot(first)
            // A server that ignores the filter must not pass another task off as this one.
            if task.id == id { tasks[id] = task }
        }
        return tasks
    }
}
