/// Rows and columns for people, no wider than the terminal.
public struct TextTable: Sendable {
    /// A column and how it gives way when there is not enough room.
    public struct Column: Sendable {
        public var title: String
        public var isRight: Bool
        /// Whether its values may be cut, and then from which end.
        public var cut: Cut?

        public enum Cut: Sendable { case beginning, end }

        public init(_ title: String, isRight: Bool = false, cut: Cut? = nil) {
            self.title = title
            self.isRight = isRight
            self.cut = cut
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []
    private static let gap = 2
    private static let narrowest = 8

    public init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row of as many values as there are columns; what is hidden in them becomes visible.
    public mutating func add(_ values: [String]) {
        precondition(values.count == columns.count, "a row has a value for each column")
        rows.append(values.map(VisibleText.of))
    }

    /// Whether no row was added.
    public var isEmpty: Bool { rows.isEmpty }

    /// The lines: titles, then rows, without spaces at their ends.
    ///
    /// - Parameters:
    ///   - width: Columns of the terminal; `nil` where nothing is to be cut.
    ///   - paint: Called for each value of the table to be coloured, after it was cut to its width.
    /// - Returns: One string for each line, without line breaks.
    public func lines(width: Int?, paint: (_ column: Int, _ text: String) -> String = { $1 }) -> [String] {
        let widths = widths(fitting: width)
        func line(_ values: [String], painted: Bool) -> String {
            var line = ""
            for (index, value) in values.enumerated() {
                let column = columns[index]
                let text = VisibleText.fit(value, columns: widths[index], keepsEnd: column.cut == .beginning)
                let space = String(repeating: " ", count: widths[index] - VisibleText.width(text))
                let isLast = index == values.count - 1
                let shown = painted ? paint(index, text) : text
                line += column.isRight ? space + shown : isLast ? shown : shown + space
                if !isLast { line += String(repeating: " ", count: Self.gap) }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        return [line(columns.map(\.title), painted: false)] + rows.map { line($0, painted: true) }
    }

    private func widths(fitting total: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(VisibleText.width(columns[index].title)) { max($0, VisibleText.width($1[index])) }
        }
        guard let total else { return widths }
        var excess = widths.reduce(0, +) + Self.gap * (columns.count - 1) - total
        // The widest gives way first, a column at a time, until all fits or nothing can be cut any more.
        while excess > 0 {
            let candidates = columns.indices.filter { columns[$0].cut != nil && widths[$0] > Self.narrowest }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
