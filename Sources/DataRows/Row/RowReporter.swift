/// Notes what is wrong with one row.
struct RowReporter {
    let row: Int
    /// Where in the file index 0 of the slices stands.
    let base: Int64
    /// The row as a JSON pointer.
    let root: String
    private(set) var problems: [RowProblem] = []

    /// One row can have as many problems as values; this many are told.
    private static let limit = 20

    init(row: Int, base: Int64, root: String) {
        self.row = row
        self.base = base
        self.root = root
    }

    mutating func report(_ value: JSONSlice, _ pointer: String, _ code: String, _ message: String) {
        guard problems.count < Self.limit else { return }
        problems.append(
            RowProblem(
                row: row, byteOffset: base + Int64(value.start), pointer: root + pointer, code: code, message: message))
    }
}
