internal import DataRows
internal import LabelboxAPI

/// Asks which global keys exist.
struct KeySearch: Sendable {
    let client: LabelboxClient
    let clock: ImportClock

    /// So many keys go into one question.
    ///
    /// Labelbox's own batch tool asks for 1,000 at a time.
    private static let keysAtOnce = 1_000
    /// How long one question may take before it is asked anew.
    private static let patience = 60
    /// Who asks is somebody whose key may read it; a key of which reading is denied exists.
    private static let denied = DataRowID(rawValue: "")

    /// The ids of those keys that exist.
    func find(_ keys: [ExactName]) async throws -> [ExactName: DataRowID] {
        var found: [ExactName: DataRowID] = [:]
        var rest = keys[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.keysAtOnce))
            rest = rest.dropFirst(Self.keysAtOnce)
            found.merge(try await ask(some)) { first, _ in first }
        }
        return found
    }

    private func ask(_ keys: [ExactName]) async throws -> [ExactName: DataRowID] {
        while true {
            let job = try await client.startKeyLookup(keys)
            for attempt in 0..<Self.patience {
                switch try await client.keyLookupResult(job) {
                case .done(let found, _, let denied):
                    return found.merging(denied.map { ($0, Self.denied) }) { first, _ in first }
                case .running:
                    try await clock.sleep(for: .milliseconds(attempt < 5 ? 200 : 1_000))
                    continue
                case .failed:
                    break
                }
                break
            }
            try await clock.sleep(for: .seconds(5))
        }
    }
}
