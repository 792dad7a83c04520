internal import Foundation
internal import GRDB
internal import Locking
internal import SystemPackage

/// A row whose columns are found by name without searching for each of them.
///
/// GRDB compares a name, in lower case, with those of all columns before it: of an import's fifty columns that was more work than reading them.
struct NamedRow {
    private let row: Row
    private let places: [String: Int]

    /// By the columns of a statement, of which there are a few dozen in a program.
    private static let known = Locked<[[String]: [String: Int]]>([:])

    init(_ row: Row) {
        self.row = row
        let names = Array(row.columnNames)
        places = Self.known.withLock { known in
            if let places = known[names] { return places }
            // Of two columns with one name the first is meant, as GRDB has it.
            let places = Dictionary(zip(names, names.indices)) { first, _ in first }
            known[names] = places
            return places
        }
    }

    subscript<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ name: String) -> Value {
        places[name].map { row[$0] } ?? row[name]
    }

    func path(_ column: String) -> FilePath { FilePath(rawBytes: self[column] as Data) }

    func optionalPath(_ column: String) -> FilePath? { (self[column] as Data?).map { FilePath(rawBytes: $0) } }

    func date(_ column: String) -> Date? { (self[column] as Double?).map { Date(timeIntervalSince1970: $0) } }

    func word<Word: RawRepresentable<String>>(_ column: String) throws -> Word {
        let text: String = self[column]
        guard let word = Word(rawValue: text) else {
            throw LedgerError.corrupt(path: "", why: "'\(text)' is no \(column)")
        }
        return word
    }

    func errorEntry(_ column: String) throws -> ErrorEntry? {
        guard let text = self[column] as String? else { return nil }
        return try JSONDecoder().decode(ErrorEntry.self, from: Data(text.utf8))
    }

    func errorEntries(_ column: String) throws -> [ErrorEntry] {
        let text: String = self[column]
        // Of nearly all imports.
        return text == "[]" ? [] : try JSONDecoder().decode([ErrorEntry].self, from: Data(text.utf8))
    }
}
