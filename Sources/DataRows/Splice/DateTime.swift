/// Dates and times as ISO 8601 writes them, in the spellings that Labelbox's own client takes.
enum DateTime {
    /// The same moment in UTC, whole seconds: `2024-05-01T08:20:30Z`; nil if the text is no date.
    ///
    /// Dates may stop at the year or month, be given by week or day of the year, with or without hyphens; any character
    /// may stand between date and time; fractions are cut off; without an offset it is UTC.
    static func normalized(_ text: String) -> String? { seconds(text).flatMap(Self.text) }

    /// The moment that a text stands for, in seconds since 1970; nil if the text is no date.
    static func seconds(_ text: String) -> Int? {
        var reader = Reader(text: Array(text.utf8))
        guard reader.text.allSatisfy({ $0 < 0x80 }), let days = reader.date() else { return nil }
        guard reader.at < reader.text.count else { return days * 86_400 }
        // Any character may stand between date and time.
        reader.at += 1
        guard let (time, offset) = reader.time() else { return nil }
        // What lies past the calendar is no date, whatever the offset.
        guard civil(days + time / 86_400).0 <= 9999 else { return nil }
        return days * 86_400 + time - offset
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

    /// Reads as Python's `dateutil.parser.isoparse` does, which goes by the count of characters: where two digits
    /// belong there may be ` 9`, and at the end of a part one digit alone.
    private struct Reader {
        let text: [UInt8]
        var at = 0

        var byte: UInt8? { at < text.count ? text[at] : nil }

        mutating func skip(_ expected: UInt8) -> Bool {
            guard byte == expected else { return false }
            at += 1
            return true
        }

        /// The next characters, at most so many, as Python's `int` takes them.
        mutating func number(_ length: Int) -> Int? {
            let piece = text[min(at, text.count)..<min(at + length, text.count)]
            at += length
            return Self.integer(piece)
        }

        static func integer(_ piece: ArraySlice<UInt8>) -> Int? {
            func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }
            var rest = piece.drop(while: isSpace)
            while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
            let isNegative = rest.first == 0x2d
            if isNegative || rest.first == 0x2b { rest = rest.dropFirst() }
            guard !rest.isEmpty, rest.count < 18 else { return nil }
            var value = 0
            var wasDigit = false
            for byte in rest {
                if byte >= 0x30, byte <= 0x39 {
                    value = value * 10 + Int(byte - 0x30)
                    wasDigit = true
                } else {
                    // One underscore, between two digits.
                    guard byte == 0x5f, wasDigit else { return nil }
                    wasDigit = false
                }
            }
            return wasDigit ? (isNegative ? -value : value) : nil
        }

        /// Days since 1970-01-01.
        mutating func date() -> Int? {
            let start = at
            switch commonDate() {
            case .date(let year, let month, let day):
                guard year >= 1, year <= 9999, month >= 1, month <= 12, day >= 1, day <= length(year, month) else {
                    return nil
                }
                return days(year, month, day)
            case .none:
                at = start
                return uncommonDate()
            }
        }

        private enum CommonDate { case date(Int, Int, Int), none }

        /// `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or `YYYYMMDD`.
        private mutating func commonDate() -> CommonDate {
            guard text.count >= 4, let year = number(4) else { return .none }
            if at >= text.count { return .date(year, 1, 1) }
            let isExtended = skip(0x2d)
            guard text.count - at >= 2, let month = number(2) else { return .none }
            if at >= text.count { return isExtended ? .date(year, month, 1) : .none }
            if isExtended, !skip(0x2d) { return .none }
            guard text.count - at >= 2, let day = number(2) else { return .none }
            return .date(year, month, day)
        }

        /// `YYYY-Www`, `YYYY-Www-D` or `YYYY-DDD`, with or without hyphens.
        private mutating func uncommonDate() -> Int? {
            guard text.count >= 4, let year = number(4) else { return nil }
            let isExtended = skip(0x2d)
            if skip(0x57) {
                guard let week = number(2) else { return nil }
                var day = 1
                if at < text.count {
                    guard (byte == 0x2d) == isExtended else { return nil }
                    if isExtended { at += 1 }
                    guard let given = number(1) else { return nil }
                    day = given
                }
                guard week >= 1, week <= 53, day >= 1, day <= 7, year >= 1, year <= 9999 else { return nil }
                // Week 1 is the one with January 4th; weeks begin on Monday. 1970-01-01 was a Thursday.
                let fourth = days(year, 1, 4)
                let monday = fourth - ((fourth + 3) % 7 + 7) % 7
                return monday + (week - 1) * 7 + day - 1
            }
            guard text.count - at >= 3, let day = number(3), year >= 1, year <= 9999, day >= 1,
                day <= (isLeap(year) ? 366 : 365)
            else { return nil }
            return days(year, 1, 1) + day - 1
        }

        /// Seconds since midnight, up to a whole day, and those by which that is ahead of UTC; the rest of the text must be
        /// the time.
        mutating func time() -> (time: Int, offset: Int)? {
            guard text.count - at >= 2 else { return nil }
            var parts = [0, 0, 0]
            var hasFraction = false
            var offset = 0
            var isExtended = false
            for part in 0...4 where at < text.count {
                if byte == 0x2d || byte == 0x2b || byte == 0x5a || byte == 0x7a {
                    guard let found = zone() else { return nil }
                    offset = found
                    break
                }
                if part == 1 {
                    isExtended = skip(0x3a)
                } else if part == 2, isExtended {
                    guard skip(0x3a) else { return nil }
                }
                if part < 3 {
                    guard let value = number(2) else { return nil }
                    parts[part] = value
                } else if part == 3, byte == 0x2e || byte == 0x2c {
                    let digits = text[(at + 1)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
                    guard !digits.isEmpty else { continue }
                    // Past a microsecond nothing counts.
                    hasFraction = digits.prefix(6).contains { $0 != 0x30 }
                    at += 1 + digits.count
                }
            }
            guard at >= text.count else { return nil }
            let (hour, minute, second) = (parts[0], parts[1], parts[2])
            guard minute >= 0, minute < 60, second >= 0, second < 60, hour >= 0 else { return nil }
            guard hour < 24 || (hour == 24 && minute == 0 && second == 0 && !hasFraction) else { return nil }
            return (hour * 3600 + minute * 60 + second, offset)
        }

        /// `Z`, `±hh`, `±hhmm` or `±hh:mm` to the end of the text, in seconds.
        private mutating func zone() -> Int? {
            let zone = text[at...]
            at = text.count
            if zone.first == 0x5a || zone.first == 0x7a { return zone.count == 1 ? 0 : nil }
            guard zone.count == 3 || zone.count == 5 || zone.count == 6 else { return nil }
            guard let hours = Self.integer(zone.dropFirst().prefix(2)) else { return nil }
            var minutes = 0
            if zone.count > 3 {
                let hasColon = zone[zone.startIndex + 3] == 0x3a
                guard let given = Self.integer(zone.dropFirst(hasColon ? 4 : 3)) else { return nil }
                minutes = given
            }
            guard minutes <= 59, hours <= 23 else { return nil }
            return (zone.first == 0x2d ? -1 : 1) * (hours * 3600 + minutes * 60)
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
