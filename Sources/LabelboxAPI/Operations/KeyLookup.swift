public import DataRows

/// A lookup of global keys that the server works on.
public struct KeyLookup: Hashable, Sendable {
    public let jobID: String
    /// The keys that were asked for, each once; the answer is in their order.
    public let keys: [ExactName]

    /// Takes a lookup up again that was started before.
    public init(jobID: String, keys: [ExactName]) {
        self.jobID = jobID
        self.keys = keys
    }
}

/// What a lookup of global keys has come to.
public enum KeyLookupResult: Hashable, Sendable {
    case running
    case failed
    case done(found: [ExactName: DataRowID], notFound: Set<ExactName>, denied: Set<ExactName>)
}

extension LabelboxClient {
    /// Starts a lookup of global keys: which of them exist, and as what row.
    ///
    /// - Parameter keys: 1,000 at a time is what Labelbox's tools ask for.
    /// - Returns: what to ask ``keyLookupResult(_:)`` about, every 2 s or slower.
    /// - Throws: ``LabelboxError``.
    public func startKeyLookup(_ keys: [ExactName]) async throws(LabelboxError) -> KeyLookup {
        var seen: Set<ExactName> = []
        return try await perform(StartKeyLookup(keys: keys.filter { seen.insert($0).inserted }))
    }

    /// Asks how a lookup stands.
    public func keyLookupResult(_ lookup: KeyLookup) async throws(LabelboxError) -> KeyLookupResult {
        try await perform(KeyLookupOutcome(lookup: lookup))
    }
}

private struct StartKeyLookup: GraphQLOperation {
    let keys: [ExactName]

    let name = "dataRowsForGlobalKeys"
    let kind = RequestKind.read
    let document = "query StartKeyLookup($keys: [ID!]!) { dataRowsForGlobalKeys(where: { ids: $keys }) { jobId } }"
    var variables: JSONValue { ["keys": .array(keys.map { .string($0.text) })] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> KeyLookup {
        KeyLookup(jobID: try data.required("dataRowsForGlobalKeys").requiredID("jobId"), keys: keys)
    }
}

private struct KeyLookupOutcome: GraphQLOperation {
    let lookup: KeyLookup

    let name = "dataRowsForGlobalKeysResult"
    let kind = RequestKind.read
    let document = """
        query KeyLookupResult($jobId: ID!) { dataRowsForGlobalKeysResult(jobId: { id: $jobId }) \
        { jobStatus data { fetchedDataRows { id } notFoundGlobalKeys accessDeniedGlobalKeys } } }
        """
    var variables: JSONValue { ["jobId": .string(lookup.jobID)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> KeyLookupResult {
        let result = try data.required("dataRowsForGlobalKeysResult")
        switch try result.requiredString("jobStatus") {
        case "COMPLETE": return try done(result.required("data"))
        case "FAILED": return .failed
        default: return .running
        }
    }

    private func done(_ data: JSONValue) throws(BadAnswer) -> KeyLookupResult {
        let notFound = Self.names(data["notFoundGlobalKeys"])
        let denied = Self.names(data["accessDeniedGlobalKeys"])
        let ids = try data.requiredArray("fetchedDataRows").map { $0["id"]?.string ?? "" }

        // One entry for each key, empty for those without a row; or, should a server leave those out, for the others.
        let others = lookup.keys.filter { !notFound.contains($0) && !denied.contains($0) }
        let keys = ids.count == lookup.keys.count ? lookup.keys : others
        guard ids.count == keys.count else {
            throw BadAnswer(message: "\(ids.count) rows in the answer for \(lookup.keys.count) keys")
        }
        var found: [ExactName: DataRowID] = [:]
        var missing = notFound
        for (key, id) in zip(keys, ids) where !denied.contains(key) && !notFound.contains(key) {
            if id.isEmpty {
                missing.insert(key)
            } else {
                found[key] = DataRowID(rawValue: id)
            }
        }
        return .done(found: found, notFound: missing, denied: denied)
    }

    private static func names(_ list: JSONValue?) -> Set<ExactName> {
        Set((list?.array ?? []).compactMap(\.string).map(ExactName.init(_:)))
    }
}
