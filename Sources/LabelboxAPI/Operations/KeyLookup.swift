public import DataRows

/// A lookup of global keys that the server works on.
public struct KeyLookup: Hashable, Sendable {
    public let jobID: String
    /// The keys that were asked for, each once; the answer is in their order.
    public let keys: [String]

    /// Takes a lookup up again that was started before.
    public init(jobID: String, keys: [String]) {
        self.jobID = jobID
        self.keys = keys
    }
}

/// What a lookup of global keys has come to.
public enum KeyLookupResult: Hashable, Sendable {
    case running
    case failed
    case done(found: [String: DataRowID], notFound: Set<String>, denied: Set<String>)
}

extension LabelboxClient {
    /// Starts a lookup of global keys: which of them exist, and as what row.
    ///
    /// - Parameter keys: 1,000 at a time is what Labelbox's tools ask for.
    /// - Returns: what to ask ``keyLookupResult(_:)`` about, every 2 s or slower.
    /// - Throws: ``LabelboxError``.
    public func startKeyLookup(_ keys: [String]) async throws(LabelboxError) -> KeyLookup {
        var seen: Set<String> = []
        return try await perform(StartKeyLookup(keys: keys.filter { seen.insert($0).inserted }))
    }

    /// Asks how a lookup stands.
    public func keyLookupResult(_ lookup: KeyLookup) async throws(LabelboxError) -> KeyLookupResult {
        try await perform(KeyLookupOutcome(lookup: lookup))
    }
}

private struct StartKeyLookup: GraphQLOperation {
    let keys: [String]

    let name = "dataRowsForGlobalKeys"
    let kind = RequestKind.read
    let document = "query StartKeyLookup($keys: [ID!]!) { dataRowsForGlobalKeys(where: { ids: $keys }) { jobId } }"
    var variables: JSONValue { ["keys": .array(keys.map(JSONValue.string))] }

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
        let notFound = Set((data["notFoundGlobalKeys"]?.array ?? []).compactMap(\.string))
        let denied = Set((data["accessDeniedGlobalKeys"]?.array ?? []).compactMap(\.string))
        let ids = try data.requiredArray("fetchedDataRows").map { $0["id"]?.string ?? "" }

        // One entry for each key, empty for those without a row; or, should a server leave those out, for the others.
        let others = lookup.keys.filter { !notFound.contains($0) && !denied.contains($0) }
        let keys = ids.count == lookup.keys.count ? lookup.keys : others
        guard ids.count == keys.count else {
            throw BadAnswer(message: "\(ids.count) rows in the answer for \(lookup.keys.count) keys")
        }
        var found: [String: DataRowID] = [:]
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
}
