/// Lengths of time as people read them.
public enum AgeText {
    /// `42s`, `3m10s`, `2h05m`, `3d04h`: two units at most.
    public static func of(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        let total = Int(min(max(0, seconds), 1e12))
        switch total {
        case ..<60: return "\(total)s"
        case ..<3600: return "\(total / 60)m\(pad(total % 60))s"
        case ..<86_400: return "\(total / 3600)h\(pad(total / 60 % 60))m"
        default: return "\(total / 86_400)d\(pad(total / 3600 % 24))h"
        }
    }

    private static func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
