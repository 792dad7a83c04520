internal import DataRows
package import Foundation
internal import Ledger

/// How things were on the server before a submission that changes rows was called, as far as rows are judged by it.
///
/// It is kept with the submission: after the call, a row that was created looks like one that was updated.
package struct Findings: Codable, Sendable {
    private var segments: [Int64: Segment] = [:]

    /// Row numbers as runs.
    private struct Segment: Sendable {
        /// Rows whose global key existed.
        var present = RowRuns()
        /// Rows that update what does not exist, and so are not sent.
        var missing = RowRuns()
        /// Rows that are as they should be, and so are not sent.
        var unchanged = RowRuns()
    }

    /// Takes in a row; rows of a segment come in ascending order.
    package mutating func add(segment: Int64, row: Int, isPresent: Bool, isMissing: Bool) {
        if isPresent { segments[segment, default: Segment()].present.append(row) }
        if isMissing { segments[segment, default: Segment()].missing.append(row) }
    }

    /// Takes in that a row is as it should be; rows of a segment come in ascending order.
    package mutating func addUnchanged(segment: Int64, row: Int) {
        segments[segment, default: Segment()].unchanged.append(row)
    }

    package func wasPresent(_ segment: Int64, _ row: Int) -> Bool { segments[segment]?.present.contains(row) ?? false }

    package func isMissing(_ segment: Int64, _ row: Int) -> Bool { segments[segment]?.missing.contains(row) ?? false }

    package func isUnchanged(_ segment: Int64, _ row: Int) -> Bool {
        segments[segment]?.unchanged.contains(row) ?? false
    }

    /// Whether a row is not sent.
    package func isLeftOut(_ segment: Int64, _ row: Int) -> Bool {
        isMissing(segment, row) || isUnchanged(segment, row)
    }

    // MARK: As it is kept

    private struct Entry: Codable {
        var segment: Int64
        var present: String
        var missing: String
        var unchanged: String
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        for entry in try [Entry](from: decoder) {
            segments[entry.segment] = Segment(
                present: RowRuns(encoded: entry.present) ?? RowRuns(),
                missing: RowRuns(encoded: entry.missing) ?? RowRuns(),
                unchanged: RowRuns(encoded: entry.unchanged) ?? RowRuns())
        }
    }

    package func encode(to encoder: any Encoder) throws {
        try segments.sorted { $0.key < $1.key }.map {
            Entry(
                segment: $0.key, present: $0.value.present.encoded, missing: $0.value.missing.encoded,
                unchanged: $0.value.unchanged.encoded)
        }.encode(to: encoder)
    }

    package func encoded() throws -> Data { try JSONEncoder().encode(self) }

    package static func decode(_ data: Data) throws -> Findings { try JSONDecoder().decode(Findings.self, from: data) }
}

extension SubmissionRecord {
    /// Whether some of its rows may change rows that exist.
    var changesRows: Bool {
        // The older ways create, and nothing else.
        submitWith == .upsertDataRows
            && (operation == RowOperation.upsert.rawValue || operation == RowOperation.update.rawValue)
    }
}
