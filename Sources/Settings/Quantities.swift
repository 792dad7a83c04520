/// Reads and writes lengths of time as the configuration has them: `500ms`, `2s`, `10m`, `1h`, `1d`.
public enum DurationText {
    // Largest first, so that writing takes the largest that fits.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// Reads a whole number with a unit, or a bare `0`; `nil` for anything else and for what overflows.
    public static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        guard let (number, unit) = split(text), let scale = units.first(where: { $0.name == unit })?.milliseconds
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: scale)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// Writes a length of time in the largest unit that is exact, to the millisecond.
    public static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        let unit = units.first { milliseconds.isMultiple(of: $0.milliseconds) && milliseconds >= $0.milliseconds }
        guard let unit else { return "0s" }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

/// Reads and writes sizes as the configuration has them: `10MB` (millions of bytes), `64KiB` (1,024 bytes).
public enum SizeText {
    private static let units: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20),
        ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000), ("KB", 1_000), ("B", 1),
    ]

    /// Reads a whole number with a unit, or a bare `0`; `nil` for anything else and for what overflows.
    public static func parse(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        guard let (number, unit) = split(text), let scale = units.first(where: { $0.name == unit })?.bytes
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: scale)
        return overflow ? nil : bytes
    }

    /// Writes a number of bytes in the largest unit that is exact.
    public static func format(_ bytes: Int64) -> String {
        let unit = units.first { bytes.isMultiple(of: $0.bytes) && bytes >= $0.bytes }
        guard let unit else { return "0" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}

/// Cuts `500ms` into 500 and `ms`; a space between them is allowed, a sign or a fraction is not.
private func split(_ text: String) -> (number: Int64, unit: String)? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits) else { return nil }
    let rest = text.dropFirst(digits.count)
    return (number, String(rest.first == " " ? rest.dropFirst() : rest))
}
