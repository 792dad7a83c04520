/// How fast uploads may go, by the time of the week, as rclone's `--bwlimit` has it.
///
/// Either one limit (`10M`), or entries of a time and the limit from then on: `08:00,512k 19:00,10M 23:00,off`, or
/// `Mon-08:00,1M Sat-00:00,off`. A limit is a number with B, K, M or G (powers of 1,024; K where there is none), bytes a
/// second; `off` and `0` are none. An entry without a day is one of each day.
public struct BandwidthTimetable: Sendable, Hashable {
    /// From a minute of the week on.
    private struct Entry: Sendable, Hashable {
        var minute: Int
        /// Bytes a second; `nil` for none.
        var limit: Int64?
    }

    /// As it was written.
    public let text: String
    /// In the order of the week, at least one.
    private let entries: [Entry]

    /// No limit at any time.
    public static let off = BandwidthTimetable(text: "off", entries: [Entry(minute: 0, limit: nil)])

    /// Slower than this nothing would seem to move, and requests would be given up as stalled.
    static let least: Int64 = 1_024

    private init(text: String, entries: [Entry]) {
        self.text = text
        self.entries = entries
    }

    /// Reads a timetable; `nil` for what is none.
    public init?(_ text: String) {
        self.text = text
        if let limit = Self.limit(text) {
            entries = [Entry(minute: 0, limit: limit.value)]
            return
        }
        var entries: [Int: Entry] = [:]
        for word in text.split(whereSeparator: { $0 == " " || $0 == ";" }) {
            let parts = word.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2, let limit = Self.limit(String(parts[1])) else { return nil }
            let when = parts[0].split(separator: "-", omittingEmptySubsequences: false)
            guard let last = when.last, let time = LocalWeek.timeOfDay(last) else { return nil }
            let days: [Int]
            switch when.count {
            case 1: days = Array(0..<7)
            case 2:
                guard let day = LocalWeek.day(when[0]) else { return nil }
                days = [day]
            default: return nil
            }
            for day in days {
                let minute = day * 1_440 + time
                entries[minute] = Entry(minute: minute, limit: limit.value)
            }
        }
        guard !entries.isEmpty else { return nil }
        self.entries = entries.values.sorted { $0.minute < $1.minute }
    }

    /// The most bytes a second at a minute of the week; `nil` for no limit.
    public func limit(at minute: Int) -> Int64? {
        // Before the first entry of the week the last one of the week before holds.
        (entries.last { $0.minute <= minute } ?? entries.last)?.limit
    }

    private static func limit(_ text: String) -> (value: Int64?, Void)? {
        let text = text.lowercased()
        if text == "off" || text == "0" { return (nil, ()) }
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let shifts = ["b": 0, "": 10, "k": 10, "ki": 10, "m": 20, "mi": 20, "g": 30, "gi": 30]
        guard let number = Double(digits), number > 0, let shift = shifts[String(text.dropFirst(digits.count))] else {
            return nil
        }
        let bytes = number * Double(1 << shift)
        guard bytes >= Double(least), bytes < 1e15 else { return nil }
        return (Int64(bytes), ())
    }
}
