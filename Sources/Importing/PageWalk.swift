/// The way through the pages of a task's results, which ends whatever a server says.
///
/// A cursor that leads back to where it came from would be followed for ever, and everything that it shows be kept.
package struct PageWalk: Sendable {
    /// How many rows the task can speak of, and some more, should it tell of one twice.
    private var left: Int
    private var last: String?

    /// For the results of a task with so many rows.
    package init(rows: Int) { left = rows + 100 }

    /// Where to go on after a page; nil when that was the last, or must be.
    package mutating func next(_ cursor: String?, rows: Int) -> String? {
        left -= max(rows, 1)
        guard let cursor, cursor != last, left > 0 else { return nil }
        last = cursor
        return cursor
    }
}
