internal import Foundation
internal import GRDB
internal import Locking
internal import SystemPackage

/// A row whose columns are found by name without searching for each of them.
///
/// GRDB compares a name, in lower case, with those of all columns before it: of an import's fifty columns that was more work than reading them.
struct NamedRow: ColumnReading {
    private let row: Row
    private let places: [String: Int]

    /// By the columns of a statement, of which there are a few dozen in a program.
    private static let known = Locked<[[String]: [String: Int]]>([:])

    /// A row alone: to be asked for the names of its columns it reads what is in them.
    ///
    /// Where there may be many rows, ``Statement/records(_:_:)`` asks the statement.
    init(_ row: Row) { self.init(row, Self.places(of: Array(row.columnNames))) }

    fileprivate init(_ row: Row, _ places: [String: Int]) {
        self.row = row
        self.places = places
    }

    fileprivate static func places(of names: [String]) -> [String: Int] {
        known.withLock { known in
            if let places = known[names] { return places }
            // Of two columns with one name the first is meant, as GRDB has it.
            let places = Dictionary(zip(names, names.indices)) { first, _ in first }
            known[names] = places
            return places
        }
    }

    subscript<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ name: String) -> Value {
        value(name)
    }

    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: String) -> Value {
        places[column].map { row[$0] } ?? row[column]
    }
}

extension Statement {
    /// What a query finds, made into records row by row.
    func records<Record>(
        _ arguments: StatementArguments, _ record: (NamedRow) throws -> Record?
    ) throws -> [Record] {
        let rows = try Row.fetchCursor(self, arguments: arguments)
        var records: [Record] = []
        var places: [String: Int]?
        while let row = try rows.next() {
            // Only with its first row does a statement know of tables that were changed through another connection; the cursor's
            // own row never does.
            let known = places ?? NamedRow.places(of: columnNames)
            places = known
            let current = row.count == columnNames.count ? row : row.copy()
            if let record = try record(NamedRow(current, known)) { records.append(record) }
        }
        return records
    }
}

/// What stands in columns, as the ledger writes it; however they are found.
protocol ColumnReading {
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: String) -> Value
}

extension Row: ColumnReading {
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: String) -> Value { self[column] }
}

extension ColumnReading {
    var lease: Lease? {
        guard let owner = value("lease_owner") as String? else { return nil }
        return Lease(owner: LeaseOwner(rawValue: owner), fence: value("lease_fence"))
    }

    func path(_ column: String) -> FilePath { FilePath(rawBytes: value(column) as Data) }

    func optionalPath(_ column: String) -> FilePath? { (value(column) as Data?).map { FilePath(rawBytes: $0) } }

    func date(_ column: String) -> Date? { (value(column) as Double?).map { Date(timeIntervalSince1970: $0) } }

    func word<Word: RawRepresentable<String>>(_ column: String) throws -> Word {
        let text: String = value(column)
        guard let word = Word(rawValue: text) else {
            throw LedgerError.corrupt(path: "", why: "'\(text)' is no \(column)")
        }
        return word
    }

    func errorEntry(_ column: String) throws -> ErrorEntry? {
        guard let text = value(column) as String? else { return nil }
        return try JSONDecoder().decode(ErrorEntry.self, from: Data(text.utf8))
    }

    func errorEntries(_ column: String) throws -> [ErrorEntry] {
        let text: String = value(column)
        // Of nearly all imports.
        return text == "[]" ? [] : try JSONDecoder().decode([ErrorEntry].self, from: Data(text.utf8))
    }
}
