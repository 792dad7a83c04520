public import Foundation
internal import Reporting

/// Points in time as they are given on a command line.
public enum InstantText {
    /// Reads `2026-11-21`, `2026-11-21T12:00`, `2026-11-21T12:00:05`, each with or without a fraction and `Z`; all are UTC.
    ///
    /// - Returns: `nil` for anything else.
    public static func parse(_ text: String) -> Date? {
        var text = text
        if text.hasSuffix("Z") { text.removeLast() }
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard let day = parts.first, parts.count <= 2, day.count == 10 else { return nil }
        var clock = parts.count == 2 ? String(parts[1]) : "00:00"
        guard clock.count >= 5 else { return nil }
        if clock.count == 5 { clock += ":00" }
        if clock.count == 8 { clock += "." }
        // More digits than three are cut off, fewer are filled up.
        let digits = clock.dropFirst(9)
        guard clock.dropFirst(8).first == ".", digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Timestamp.date("\(day)T\(clock.prefix(9))\((digits + "000").prefix(3))Z")
    }
}
