internal import DataRows
internal import Foundation
internal import Locking
internal import SystemPackage

/// How the rows of one import are to be treated, as decided when it was planned.
///
/// It is kept with the import, so that a changed configuration or a restart leads to the same bytes and the same keys.
struct Instructions: Codable, Sendable, Equatable {
    var datasetID: DatasetID
    var policy: RowPolicy
    var layout: ManifestFormat.Layout
    var isEnvelope: Bool
    /// The envelope's defaults, as written.
    var defaults: String?
    /// Whether the manifest is read from its inflated copy.
    var isInflated: Bool
    /// Whether some rows are repeated, so that ordinals are to be looked up.
    var hasRepeats: Bool
    var needsOntology: Bool
    /// Whether rows are not sent where they are as they should be; `nil` in what an older version planned.
    var skipsUnchanged: Bool?

    func encoded() throws -> Data { try JSONEncoder().encode(self) }

    /// What was decoded last: imports of one watch have the same more often than not.
    private static let latest = Locked<(data: Data, instructions: Instructions)?>(nil)

    static func decode(_ data: Data) throws -> Instructions {
        if let latest = latest.withLock({ $0 }), latest.data == data { return latest.instructions }
        let instructions = try JSONDecoder().decode(Instructions.self, from: data)
        latest.withLock { $0 = (data, instructions) }
        return instructions
    }

    /// Rows with the same key may share a task.
    var batchKey: String {
        "\(datasetID)|\(policy.operation.rawValue)\(skipsUnchanged == true ? "|changed" : "")"
    }
}
