/// An import that was accepted, and what became of it.
struct ImportTask: Sendable {
    enum Form: Sendable {
        /// A manifest of chunks; each row names its dataset.
        case upsert
        /// One file of rows for a dataset.
        case legacy(dataset: Int32)
    }

    enum Status: String, Sendable {
        case inProgress = "IN_PROGRESS"
        case complete = "COMPLETE"
        case failed = "FAILED"
        case canceled = "CANCELED"
    }

    /// A row that was refused: its payload and why.
    struct Failure: Sendable {
        let payload: Piece
        let problem: Problem
    }

    let id: String
    let form: Form
    let created: Moment
    /// When the rows are made.
    let due: Moment
    var updated: Moment
    var status = Status.inProgress
    /// Names of the stored files that hold the rows.
    let sources: [String]
    var expected: Int
    var done = 0
    /// Rows that were made or changed, in the order of the chunks.
    var rows: [Int32] = []
    var createdCount = 0
    var updatedCount = 0
    var failures: [Failure] = []
    /// Why the whole task failed: text, or an object.
    var error: JSONValue?
    /// Why some of its rows were refused together.
    var refusal: String?

    func percentage(at now: Moment) -> Int {
        switch status {
        case .complete: return 100
        case .failed, .canceled: return 0
        case .inProgress: break
        }
        if now < due {
            let whole = max(1, (due - created).milliseconds)
            return Int((now - created).milliseconds * 90 / whole)
        }
        return 90 + (expected > 0 ? min(9, done * 10 / expected) : 0)
    }

    var name: String { if case .upsert = form { "Upsert data rows" } else { "JSON Import" } }
    var type: String { if case .upsert = form { "adv-upsert-data-rows" } else { "json-import" } }
}

/// Why a row was refused.
enum Problem: Sendable, Equatable {
    case duplicateGlobalKey
    case other(String)
}
