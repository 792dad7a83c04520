/// The `Retry-After` header (RFC 9110, 10.2.3): seconds, or an HTTP date.
package enum RetryAfter {
    /// Longer pauses are cut to this: a server that means a day is asked again after an hour.
    package static let longest: Duration = .seconds(3600)

    /// How long to wait; nil when the text says nothing that can be understood.
    ///
    /// A date counts from the answer's own `Date`, so that a wrong clock here does no harm, else from `now`, in
    /// seconds since 1970.
    package static func pause(_ text: String, answerDate: String?, now: Int64) -> Duration? {
        let text = text.drop { $0 == " " }
        if let first = text.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
            guard let seconds = Double(text), seconds.isFinite else { return nil }
            // Compared as a number: one that a duration cannot hold would end the process.
            return seconds < longest / .seconds(1) ? .seconds(seconds.rounded(.up)) : longest
        }
        guard let until = unixTime(String(text)) else { return nil }
        let from = answerDate.flatMap(unixTime) ?? now
        // Whatever the clock says: a number that does not hold would end the process.
        let (seconds, isTooLong) = until.subtractingReportingOverflow(from)
        return isTooLong ? longest : min(max(.seconds(seconds), .zero), longest)
    }

    /// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// Only the form that servers must write; the two obsolete ones are nil.
    package static func unixTime(_ date: String) -> Int64? {
        let fields = date.split(separator: " ")
        guard fields.count == 6, fields[0].last == ",", fields[5] == "GMT",
            let day = Int64(fields[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(fields[2])).map({ Int64($0 + 1) }),
            let year = Int64(fields[3]), (1970...9999).contains(year)
        else { return nil }
        let clock = fields[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        // Days since 1970 in a calendar whose years begin in March, so that the leap day comes last.
        let shiftedYear = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = 365 * shiftedYear + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400 + dayOfYear - 719_468
        return days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
