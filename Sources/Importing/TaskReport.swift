package import DataRows
package import LabelboxAPI

/// What the server said of a task's rows, by their keys.
///
/// At most as many entries as a task has rows.
package struct TaskReport: Sendable {
    /// What is known of a row that the task reported.
    package enum Word: Sendable, Equatable {
        case created(DataRowID)
        case failed(String)
        /// Its own call was made, and the answer was lost.
        case unknown
    }

    /// The task's final status, in the server's words.
    package var status: String
    /// Whether the server took the task as a whole; if not, rows that it did not report are to be sent again.
    package var isWhole = true
    /// Why not.
    package var reason = ""
    private var byKey: [String: Word] = [:]
    private var keyless: [String?: Queue] = [:]
    /// Whether rows can be told by their external ids alone, whatever keys were sent: an older server did not name any.
    package var isWithoutKeys = false
    /// What was said of rows without a key that failed, where rows are told by their ids; see ``reserve(_:)``.
    private var keylessFailures: [String?: [String]] = [:]
    private var ids = Set<DataRowID>()
    /// Rows that exist though the task did not report them as created: those that were looked up.
    private var found: [String: DataRowID] = [:]
    /// Whether keys that the task did not report were looked up.
    package private(set) var isLookedUp = false

    package init(status: String) { self.status = status }

    /// Words that are taken in the order in which they came.
    private struct Queue {
        var words: [Word] = []
        var taken = 0

        mutating func next() -> Word? {
            guard taken < words.count else { return nil }
            defer { taken += 1 }
            return words[taken]
        }
    }

    package mutating func add(_ row: CreatedRow) {
        ids.insert(row.id)
        add(.created(row.id), key: row.globalKey, externalID: row.externalID)
    }

    package mutating func add(_ row: FailedRow) {
        add(.failed(row.message), key: row.globalKey, externalID: row.externalID)
    }

    package mutating func add(_ word: Word, key: String?, externalID: String?) {
        if let key {
            // Of two rows with one key the first is created and the second fails: what exists is what counts.
            if case .created? = byKey[key] { return }
            byKey[key] = word
        } else {
            keyless[externalID, default: Queue()].words.append(word)
        }
    }

    package mutating func add(found keys: [String: DataRowID]) {
        isLookedUp = true
        found.merge(keys) { first, _ in first }
    }

    package func word(for key: String) -> Word? { byKey[key] }

    /// Whether the server refused a row since another has its key.
    package func isTaken(_ key: String) -> Bool {
        guard case .failed(let message)? = byKey[key] else { return false }
        // One that was refused for others' sake need not be there at all.
        return Self.isDuplicate(message) && !Self.isForDuplicates(message)
    }

    package func row(foundBy key: String) -> DataRowID? { found[key] }

    /// Takes one word about a row without a key; such rows can be told apart by their external id alone.
    package mutating func takeWord(externalID: String?) -> Word? {
        for name in [externalID, nil] {
            if let word = keyless[name]?.next() { return word }
        }
        return takeFailure(externalID: externalID).map(Word.failed)
    }

    /// Whether the task reported a row, by its id, as created or changed.
    package func hasReported(_ id: DataRowID) -> Bool { ids.contains(id) }

    /// Sets aside what was said of rows that are told by their ids, so that no other row takes it for its own.
    ///
    /// A failure names no id: it belongs to one of the rows that were not reported, by the names that were sent.
    package mutating func reserve(_ targets: Set<DataRowID>) {
        guard !targets.isEmpty else { return }
        for (name, words) in keyless {
            keyless[name]?.words = words.words.filter { word in
                switch word {
                case .created(let id): return !targets.contains(id)
                case .failed(let message):
                    keylessFailures[name, default: []].append(message)
                    return false
                case .unknown: return true
                }
            }
        }
    }

    /// Takes one word about a row without a key that failed.
    package mutating func takeFailure(externalID: String?) -> String? {
        for name in [externalID, nil] {
            if let message = keylessFailures[name]?.popLast() { return message }
        }
        return nil
    }

    /// Whether a failure says that the key is in use already.
    package static func isDuplicate(_ message: String) -> Bool {
        message.hasPrefix("Duplicate global key") || isForDuplicates(message)
    }

    /// Whether a failure says that some keys among many rows are in use, so that others were refused for their sake.
    ///
    /// Older servers refuse a whole import like that, or a block of 1,000 rows, in one of these wordings: "Duplicate global
    /// keys found", "Data rows contain duplicate global keys", "… empty string or duplicate global keys".
    package static func isForDuplicates(_ message: String) -> Bool {
        message.lowercased().contains("duplicate global keys")
    }

    /// Whether the whole task came to nothing because some of its keys are in use.
    package var isRefusedForDuplicates: Bool { !isWhole && Self.isForDuplicates(reason) }
}
