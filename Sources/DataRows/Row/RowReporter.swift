/// Notes what is wrong with one row.
struct RowReporter {
    let row: Int
    /// Where in the file index 0 of the slices stands.
    let base: Int64
    /// Where the values stand, as a JSON pointer, if not in a row.
    private let root: String?
    private let isEnvelope: Bool
    private(set) var problems: [RowProblem] = []

    /// One row can have as many problems as values; this many are told.
    private static let limit = 20

    init(row: Int, base: Int64, isEnvelope: Bool) {
        self.row = row
        self.base = base
        self.isEnvelope = isEnvelope
        root = nil
    }

    /// For values that stand in no row.
    init(root: String) {
        row = 0
        base = 0
        isEnvelope = false
        self.root = root
    }

    mutating func report(_ value: JSONSlice, _ pointer: String, _ code: String, _ message: String) {
        guard problems.count < Self.limit else { return }
        let root = root ?? ManifestWalker.pointer(row: row, isEnvelope: isEnvelope)
        problems.append(
            RowProblem(
                row: row, byteOffset: base + Int64(value.start), pointer: root + pointer, code: code, message: message))
    }
}
