/// Sizes as people read them.
public enum ByteCount {
    /// `512 B`, `73.4 MB`: powers of 1000, three digits.
    public static func text(_ bytes: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        if unit == 0 { return "\(bytes) B" }
        let tenths = (value * 10).rounded() / 10
        return value < 99.95 ? "\(tenths) \(units[unit])" : "\(Int(value.rounded())) \(units[unit])"
    }
}
