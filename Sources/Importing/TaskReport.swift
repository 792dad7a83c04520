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
    /// Rows that were created and have keys: nearly all, nearly always.
    private var created = CreatedTable()
    /// What else was said of rows that have keys.
    private var byKey: [ExactName: Word] = [:]
    private var keyless: [ExactName?: KeylessWords] = [:]
    /// Whether there are rows without a key that only their content tells apart.
    package private(set) var needsContent = false
    /// Whether rows can be told by their external ids alone, whatever keys were sent: an older server did not name any.
    package var isWithoutKeys = false
    /// What was said of rows without a key that failed, where rows are told by their ids; see ``reserve(_:)``.
    private var keylessFailures: [ExactName?: [String]] = [:]
    private var ids = Set<DataRowID>()
    private let keepsIDs: Bool
    private static let mostReserved = 100_000
    /// Rows that exist though the task did not report them as created: those that were looked up.
    private var found: [ExactName: DataRowID] = [:]
    /// Whether keys that the task did not report were looked up.
    package private(set) var isLookedUp = false

    /// - Parameters:
    ///   - status: the task's final status, in the server's words.
    ///   - keepsIDs: whether it can be asked which ids were reported; only where rows are told by their ids.
    package init(status: String, keepsIDs: Bool = true) {
        self.status = status
        self.keepsIDs = keepsIDs
    }

    /// Takes in a page of rows.
    ///
    /// - Parameters:
    ///   - rows: the page.
    ///   - expected: how many rows there are on all pages, as far as is known.
    package mutating func add(_ rows: CreatedRows, of expected: Int = 0) {
        if created.count == 0 { created.reserve(max(rows.count, min(expected, Self.mostReserved))) }
        for index in rows.indices {
            let hasKey = rows.withKey(at: index) { id, key in
                if keepsIDs { ids.insert(DataRowID(rawValue: String(decoding: id, as: UTF8.self))) }
                addCreated(key: key, id: id)
            }
            if !hasKey { add(rows[index]) }
        }
    }

    package mutating func add(_ row: CreatedRow) {
        if keepsIDs { ids.insert(row.id) }
        add(
            .created(row.id), key: row.globalKey.map(ExactName.init(_:)),
            externalID: row.externalID.map(ExactName.init(_:)), content: row.rowData)
    }

    package mutating func add(_ row: FailedRow) {
        add(
            .failed(row.message), key: row.globalKey.map(ExactName.init(_:)),
            externalID: row.externalID.map(ExactName.init(_:)), content: row.rowData)
    }

    package mutating func add(_ word: Word, key: ExactName?, externalID: ExactName?, content: String? = nil) {
        if let key {
            if case .created(let id) = word {
                var (name, id) = (key.text, id.rawValue)
                name.withUTF8 { name in
                    id.withUTF8 { addCreated(key: UnsafeRawBufferPointer(name), id: UnsafeRawBufferPointer($0)) }
                }
            } else if createdID(of: key) == nil {
                byKey[key] = word
            }
        } else {
            keyless[externalID, default: KeylessWords()].add(word, content: content)
            if keyless[externalID]?.isSeveral == true { needsContent = true }
        }
    }

    private mutating func addCreated(key: UnsafeRawBufferPointer, id: UnsafeRawBufferPointer) {
        // Of two rows with one key the first is created and the second fails: what exists is what counts.
        guard created.insert(key: key, id: id), !byKey.isEmpty else { return }
        byKey[ExactName(String(decoding: key, as: UTF8.self))] = nil
    }

    private func createdID(of key: ExactName) -> DataRowID? {
        var text = key.text
        return text.withUTF8 { key in
            withCreatedID(ofKey: UnsafeRawBufferPointer(key)) {
                DataRowID(rawValue: String(decoding: $0, as: UTF8.self))
            }
        }
    }

    /// The id of the row that was created with a key, both in UTF-8, to be looked at only within `body`; `nil` where it was not.
    func withCreatedID<Answer>(
        ofKey key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Answer
    ) -> Answer? {
        created.withID(ofKey: key, body)
    }

    package mutating func add(found keys: [ExactName: DataRowID]) {
        isLookedUp = true
        found.merge(keys) { first, _ in first }
    }

    /// Whether it says of so many rows, each with a key of its own, that they were created, and nothing else.
    package func createsAll(of rows: Int) -> Bool {
        isWhole && created.count == rows && byKey.isEmpty && keyless.isEmpty
    }

    package func word(for key: ExactName) -> Word? { createdID(of: key).map(Word.created) ?? byKey[key] }

    /// Whether the server refused a row since another has its key.
    package func isTaken(_ key: ExactName) -> Bool {
        guard case .failed(let message)? = byKey[key] else { return false }
        // One that was refused for others' sake need not be there at all.
        return Self.isDuplicate(message) && !Self.isForDuplicates(message)
    }

    package func row(foundBy key: ExactName) -> DataRowID? { found[key] }

    /// Takes one word about a row without a key; such rows are told apart by their external id, and by their content.
    ///
    /// - Parameters:
    ///   - externalID: the row's, if it has one.
    ///   - content: the mark of its `row_data`, if that is a string and ``needsContent``.
    /// - Returns: the word, and whether it is about this row and not about another that looks the same.
    package mutating func takeWord(externalID: ExactName?, content: Int? = nil) -> (word: Word, isCertain: Bool)? {
        for name in [externalID, nil] {
            if let taken = keyless[name]?.take(content: content) { return taken }
        }
        return takeFailure(externalID: externalID).map { (.failed($0), true) }
    }

    /// Whether the task reported a row, by its id, as created or changed.
    package func hasReported(_ id: DataRowID) -> Bool { ids.contains(id) }

    /// Sets aside what was said of rows that are told by their ids, so that no other row takes it for its own.
    ///
    /// A failure names no id: it belongs to one of the rows that were not reported, by the names that were sent.
    package mutating func reserve(_ targets: Set<DataRowID>) {
        guard !targets.isEmpty else { return }
        for name in keyless.keys {
            let named = keyless[name]?.extract { word in
                switch word {
                case .created(let id): targets.contains(id)
                case .failed: true
                case .unknown: false
                }
            }
            for case .failed(let message) in named ?? [] { keylessFailures[name, default: []].append(message) }
        }
    }

    /// Takes one word about a row without a key that failed.
    package mutating func takeFailure(externalID: ExactName?) -> String? {
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
