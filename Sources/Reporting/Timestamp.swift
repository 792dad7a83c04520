public import Foundation

/// Points in time as the status files write them: RFC 3339 in UTC, to the millisecond.
public enum Timestamp {
    /// `2026-11-21T12:00:05.250Z`.
    public static func text(_ date: Date) -> String {
        let parts = Parts(date)
        return "\(parts.day)T\(parts.clock).\(pad(parts.milliseconds, 3))Z"
    }

    /// The time of day for a sentence, with the day where that is not the one of `now`: `12:00:05 UTC`.
    public static func clock(_ date: Date, near now: Date) -> String {
        let parts = Parts(date)
        return parts.day == Parts(now).day ? "\(parts.clock) UTC" : "\(parts.day) \(parts.clock) UTC"
    }

    /// Reads what ``text(_:)`` writes; `nil` for anything else.
    public static func date(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes[10] == UInt8(ascii: "T"), bytes[23] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int(byte) - 48
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let milliseconds = number(20..<23), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let days = Parts.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        return Date(timeIntervalSince1970: Double(seconds) + Double(milliseconds) / 1000)
    }

    /// A day and a time of day in the proleptic Gregorian calendar.
    private struct Parts {
        var day: String
        var clock: String
        var milliseconds: Int

        init(_ date: Date) {
            // A status file never speaks of a time outside of these years; a broken clock must not trap here.
            let bounded = min(max(date.timeIntervalSince1970, -62_135_596_800), 253_402_300_799)
            let total = Int((bounded * 1000).rounded())
            let (seconds, milliseconds) = Self.floorDivided(total, 1000)
            let (days, second) = Self.floorDivided(seconds, 86_400)
            self.milliseconds = milliseconds
            clock = "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
            // Counted from 1 March of year 0, so that a leap day ends a year; after Howard Hinnant's civil_from_days.
            let shifted = days + 719_468
            let (era, dayOfEra) = Self.floorDivided(shifted, 146_097)
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayOfYear + 2) / 153
            let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
            let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            day = "\(pad(year, 4))-\(pad(month, 2))-\(pad(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, 2))"
        }

        static func days(year: Int, month: Int, day: Int) -> Int {
            let year = month <= 2 ? year - 1 : year
            let (era, yearOfEra) = floorDivided(year, 400)
            let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
            return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        }

        private static func floorDivided(_ value: Int, _ divisor: Int) -> (Int, Int) {
            let remainder = value % divisor
            return remainder < 0 ? (value / divisor - 1, remainder + divisor) : (value / divisor, remainder)
        }
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
