/// Draws each picture over the one before, beneath whatever was on the terminal earlier.
public struct Redrawing: Sendable {
    /// Widths of the lines that are drawn.
    private var drawn: [Int] = []

    public init() {}

    /// What to write so that these lines take the place of the last ones.
    ///
    /// - Parameters:
    ///   - lines: Each without a line break; colours are allowed.
    ///   - width: Columns of the terminal.
    /// - Returns: Text with the escape sequences that move the cursor.
    public mutating func text(for lines: [String], width: Int) -> String {
        // In a terminal that was made narrower some wrap what no longer fits and some cut it, so nobody knows where the old
        // picture begins; then it is left where it is. Too far up would wipe out what is not ours.
        let isWhereItWas = drawn.allSatisfy { $0 <= width }
        let up = !drawn.isEmpty && isWhereItWas ? "\u{1B}[\(drawn.count)A\r" : ""
        drawn = lines.map(VisibleText.shownWidth)
        return up + lines.map { "\u{1B}[2K\($0)\n" }.joined() + "\u{1B}[J"
    }
}
