/// Dates and times as ISO 8601 writes them, in the spellings that Labelbox's own client takes.
enum DateTime {
    /// The same moment in UTC, whole seconds: `2024-05-01T08:20:30Z`; nil if the text is no date.
    ///
    /// Dates may stop at the year or month, be given by week or day of the year, with or without hyphens; any character
    /// may stand between date and time; fractions are cut off; without an offset it is UTC.
    static func normalized(_ text: String) -> String? { seconds(text).flatMap(Self.text) }

    /// The moment that a text stands for, in seconds since 1970; nil if the text is no date.
    static func seconds(_ text: String) -> Int? {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard let days = reader.date() else { return nil }
        if reader.rest.isEmpty { return days * 86_400 }
        reader.rest = reader.rest.dropFirst()
        guard let time = reader.time(), reader.rest.isEmpty else { return nil }
        return days * 86_400 + time
    }

    /// A moment in UTC, from seconds since 1970; nil outside of the years 1 to 9999.
    static func text(_ moment: Int) -> String? {
        // Far beyond those years there is nothing to count.
        guard moment.magnitude < 400_000_000_000 else { return nil }
        let days = Int((Double(moment) / 86_400).rounded(.down))
        let seconds = moment - days * 86_400
        let (year, month, day) = civil(days)
        guard year >= 1, year <= 9999 else { return nil }
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let four = String(repeating: "0", count: 4 - String(year).count) + String(year)
        return
            "\(four)-\(two(month))-\(two(day))T\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func number(_ digits: Int) -> Int? {
            guard rest.count >= digits else { return nil }
            var value = 0
            for byte in rest.prefix(digits) {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            rest = rest.dropFirst(digits)
            return value
        }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        var leadingDigits: Int { rest.prefix { $0 >= 0x30 && $0 <= 0x39 }.count }

        /// Days since 1970-01-01.
        mutating func date() -> Int? {
            guard let year = number(4), year >= 1 else { return nil }
            let first = days(year, 1, 1)
            if rest.isEmpty { return first }
            let isExtended = skip(0x2d)
            if skip(0x57) {
                guard let week = number(2), week >= 1, week <= 53 else { return nil }
                var day = 1
                if isExtended ? skip(0x2d) : leadingDigits > 0 {
                    guard let given = number(1), given >= 1, given <= 7 else { return nil }
                    day = given
                }
                // Week 1 is the one with January 4th; weeks begin on Monday. 1970-01-01 was a Thursday.
                let fourth = days(year, 1, 4)
                let monday = fourth - ((fourth + 3) % 7 + 7) % 7
                return monday + (week - 1) * 7 + day - 1
            }
            if leadingDigits == 3 {
                guard let day = number(3), day >= 1, day <= (isLeap(year) ? 366 : 365) else { return nil }
                return first + day - 1
            }
            guard let month = number(2), month >= 1, month <= 12 else { return nil }
            if isExtended {
                guard skip(0x2d) else { return days(year, month, 1) }
            } else if leadingDigits == 0 {
                // YYYYMM is no date of ISO 8601.
                return nil
            }
            guard let day = number(2), day >= 1, day <= length(year, month) else { return nil }
            return days(year, month, day)
        }

        /// Seconds since midnight UTC, perhaps below 0 or past a day.
        mutating func time() -> Int? {
            guard let hour = number(2) else { return nil }
            var minute = 0
            var second = 0
            var hasFraction = false
            let isExtended = skip(0x3a)
            if isExtended || leadingDigits > 0 {
                guard let given = number(2), given < 60 else { return nil }
                minute = given
                if isExtended ? skip(0x3a) : leadingDigits > 0 {
                    guard let given = number(2), given < 60 else { return nil }
                    second = given
                    if skip(0x2e) || skip(0x2c) {
                        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
                        guard !digits.isEmpty else { return nil }
                        hasFraction = digits.contains { $0 != 0x30 }
                        rest = rest.dropFirst(digits.count)
                    }
                }
            }
            guard hour < 24 || (hour == 24 && minute == 0 && second == 0 && !hasFraction) else { return nil }
            var seconds = hour * 3600 + minute * 60 + second
            if rest.isEmpty || skip(0x5a) || skip(0x7a) { return seconds }
            let isWest = rest.first == 0x2d
            guard skip(0x2b) || skip(0x2d), let hours = number(2), hours < 24 else { return nil }
            var minutes = 0
            if skip(0x3a) || leadingDigits > 0 {
                guard let given = number(2), given < 60 else { return nil }
                minutes = given
            }
            seconds += (isWest ? 1 : -1) * (hours * 3600 + minutes * 60)
            return seconds
        }
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func length(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the Gregorian calendar, years counted from March so that leap days come last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The inverse of `days`.
    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let m = (5 * dayOfYear + 2) / 153
        let month = m < 10 ? m + 3 : m - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
    }
}
