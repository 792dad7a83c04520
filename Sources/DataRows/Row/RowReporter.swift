/// Notes what is wrong with one row, and what is odd about it.
struct RowReporter {
    let row: Int
    /// Where in the file index 0 of the slices stands.
    let base: Int64
    /// Where the values stand, as a JSON pointer, if not in a row.
    private let root: String?
    private let isEnvelope: Bool
    private(set) var problems: [RowProblem] = []
    private(set) var warnings: [RowProblem] = []
    private(set) var warningCount = 0
    private let tellsWarnings: Bool

    /// One row can have as many problems as values; this many are told.
    private static let limit = 20

    init(row: Int, base: Int64, isEnvelope: Bool, tellsWarnings: Bool = true) {
        self.row = row
        self.tellsWarnings = tellsWarnings
        self.base = base
        self.isEnvelope = isEnvelope
        root = nil
    }

    /// For values that stand in no row.
    init(root: String) {
        row = 0
        base = 0
        isEnvelope = false
        tellsWarnings = true
        self.root = root
    }

    mutating func report(_ value: JSONSlice, _ pointer: String, _ code: String, _ message: String) {
        guard problems.count < Self.limit else { return }
        problems.append(problem(value, pointer, code, message))
    }

    /// Notes what does not stop the row.
    mutating func warn(
        _ value: JSONSlice, _ pointer: @autoclosure () -> String, _ code: String, _ message: @autoclosure () -> String
    ) {
        warningCount += 1
        guard tellsWarnings, warnings.count < Self.limit else { return }
        warnings.append(problem(value, pointer(), code, message()))
    }

    private func problem(_ value: JSONSlice, _ pointer: String, _ code: String, _ message: String) -> RowProblem {
        let root = root ?? ManifestWalker.pointer(row: row, isEnvelope: isEnvelope)
        return RowProblem(
            row: row, byteOffset: base + Int64(value.start), pointer: root + pointer, code: code, message: message)
    }
}
