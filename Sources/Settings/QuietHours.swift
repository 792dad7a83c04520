/// Times of the week in which nothing is uploaded or handed over.
///
/// Each is a time, with or without days: `Mon-Fri 08:00-18:00`, `Sat 09:00-12:00`, `22:00-06:00`. One that ends before it begins
/// goes on past midnight, and belongs to the day on which it begins.
public struct QuietHours: Sendable, Hashable {
    /// As they were written.
    public let texts: [String]
    /// Minutes of the week; an end may lie in the week after.
    private let spans: [Range<Int>]

    /// None at all.
    public static let none = QuietHours(texts: [], spans: [])

    private init(texts: [String], spans: [Range<Int>]) {
        self.texts = texts
        self.spans = spans
    }

    /// Reads hours; `nil` when one of them is none.
    public init?(_ texts: [String]) {
        self.texts = texts
        var spans: [Range<Int>] = []
        for text in texts {
            guard let more = Self.spans(text) else { return nil }
            spans += more
        }
        self.spans = spans
    }

    /// Whether a minute of the week is quiet.
    public func contain(_ minute: Int) -> Bool {
        spans.contains { $0.contains(minute) || $0.contains(minute + LocalWeek.minutes) }
    }

    static func spans(_ text: String) -> [Range<Int>]? {
        let words = text.split(separator: " ")
        guard let last = words.last, words.count <= 2 else { return nil }
        let times = last.split(separator: "-", omittingEmptySubsequences: false)
        guard times.count == 2, let start = LocalWeek.timeOfDay(times[0]),
            let end = LocalWeek.timeOfDay(times[1], isEnd: true), start != end
        else { return nil }
        var days = Array(0..<7)
        if words.count == 2 {
            let named = words[0].split(separator: "-", omittingEmptySubsequences: false).map { LocalWeek.day($0) }
            switch (named.count, named.first ?? nil, named.last ?? nil) {
            case (1, let day?, _): days = [day]
            case (2, let first?, let last?): days = (0...((last - first + 7) % 7)).map { (first + $0) % 7 }
            default: return nil
            }
        }
        let length = end > start ? end - start : end + 1_440 - start
        return days.map { $0 * 1_440 + start..<$0 * 1_440 + start + length }
    }
}
