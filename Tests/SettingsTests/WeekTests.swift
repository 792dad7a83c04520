import Foundation
import Settings
import Testing

/// Monday is 0.
private func minute(_ day: Int, _ hour: Int, _ minute: Int = 0) -> Int { day * 1_440 + hour * 60 + minute }

private func date(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

@Suite("Times of the week")
struct WeekTests {
    @Test(
        "a timetable says the limit at each time",
        arguments: [
            ("10M", 0, 10 << 20), ("666", 5_000, 666 << 10), ("512k", 3, 512 << 10), ("1.5Mi", 0, 3 << 19),
            ("2048B", 0, 2_048), ("1G", 10_079, 1 << 30), ("off", 7, nil), ("0", 7, nil),
            // Each day; before the first time of a day the last one of the day before holds.
            ("08:00,512k 19:00,10M 23:00,off", minute(2, 8), 512 << 10),
            ("08:00,512k 19:00,10M 23:00,off", minute(2, 7, 59), nil),
            ("08:00,512k 19:00,10M 23:00,off", minute(2, 18, 59), 512 << 10),
            ("08:00,512k 19:00,10M 23:00,off", minute(6, 19), 10 << 20),
            ("08:00,512k 19:00,10M 23:00,off", minute(0, 0), nil),
            ("08:00,512k;19:00,10M", minute(0, 0), 10 << 20),
            // By day; before the first of the week the last one holds.
            ("Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M Sun-20:00,off", minute(3, 12), 512 << 10),
            ("Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M Sun-20:00,off", minute(5, 9), 10 << 20),
            ("Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M Sun-20:00,off", minute(6, 20), nil),
            ("tuesday-08:00,1M", minute(0, 3), 1 << 20),
            // The later of two for one time holds.
            ("08:00,1M Wed-08:00,2M", minute(2, 8), 2 << 20), ("08:00,1M Wed-08:00,2M", minute(3, 8), 1 << 20),
        ] as [(String, Int, Int64?)])
    func limits(text: String, minute: Int, limit: Int64?) throws {
        let timetable = try #require(BandwidthTimetable(text))
        #expect(timetable.limit(at: minute) == limit)
        #expect(timetable.text == text)
    }

    @Test(
        "what is no timetable is refused",
        arguments: [
            "", "bad", "bad,bad", "1000X", "24:01,666", "10:61,666", "bad-10:20,666", "Mon-bad,666", "Mon-10:20,bad",
            "8:00,1M", "-1M", "10M:1M", "08:00", "08:00,1M,2M", "1B", "1e5", "Mon-Tue-08:00,1M", "08:00,1M 2M", "nan",
        ])
    func noTimetables(text: String) { #expect(BandwidthTimetable(text) == nil) }

    @Test(
        "quiet hours are those that are named",
        arguments: [
            (["Mon-Fri 08:00-18:00"], minute(0, 8), true), (["Mon-Fri 08:00-18:00"], minute(4, 17, 59), true),
            (["Mon-Fri 08:00-18:00"], minute(4, 18), false), (["Mon-Fri 08:00-18:00"], minute(5, 9), false),
            (["Sat 00:00-24:00"], minute(5, 23, 59), true), (["Sat 00:00-24:00"], minute(6, 0), false),
            // Past midnight, also of the week.
            (["22:00-06:00"], minute(0, 5, 59), true), (["22:00-06:00"], minute(0, 6), false),
            (["Sun 22:00-06:00"], minute(0, 5), true), (["Sun 22:00-06:00"], minute(1, 5), false),
            (["Fri-Mon 12:00-13:00"], minute(6, 12), true), (["Fri-Mon 12:00-13:00"], minute(1, 12), false),
            (["Mon 01:00-02:00", "Tue 01:00-02:00"], minute(1, 1), true), ([], 0, false),
        ] as [([String], Int, Bool)])
    func quiet(texts: [String], minute: Int, isQuiet: Bool) throws {
        #expect(try #require(QuietHours(texts)).contain(minute) == isQuiet)
    }

    @Test(
        "what are no hours is refused",
        arguments: [
            "", "08:00", "8-18", "Mon", "Mon 08:00-08:00", "Mon-Fri-Sat 08:00-09:00", "08:00-24:01", "Mo 08:00-09:00",
        ])
    func noHours(text: String) { #expect(QuietHours([text]) == nil) }

    @Test(
        "minutes are those of clocks on the wall, also when these are changed",
        arguments: [
            ("Europe/Berlin", "2026-11-30T09:30:00Z", minute(0, 10, 30)),
            ("America/New_York", "2026-11-30T02:00:00Z", minute(6, 21)),
            ("Asia/Kolkata", "2026-11-29T18:30:00Z", minute(0, 0)),
            // Spring forward: 01:59 is followed by 03:00.
            ("Europe/Berlin", "2027-03-28T00:59:00Z", minute(6, 1, 59)),
            ("Europe/Berlin", "2027-03-28T01:00:00Z", minute(6, 3, 0)),
            // Fall back: 02:30 comes twice.
            ("Europe/Berlin", "2026-10-25T00:30:00Z", minute(6, 2, 30)),
            ("Europe/Berlin", "2026-10-25T01:30:00Z", minute(6, 2, 30)),
        ])
    func minutes(zone: String, moment: String, expected: Int) throws {
        let week = LocalWeek(try #require(TimeZone(identifier: zone)))
        #expect(week.minute(try date(moment)) == expected)
    }

    @Test("the end of quiet hours is found across changes of the clocks and the end of the week")
    func ends() throws {
        let week = LocalWeek(try #require(TimeZone(identifier: "Europe/Berlin")))
        func end(_ text: String, _ moment: String) throws -> Date? {
            let hours = try #require(QuietHours([text]))
            return week.next(after: try date(moment)) { !hours.contain($0) }
        }
        #expect(try end("Mon-Fri 08:00-18:00", "2026-11-30T09:30:20Z") == date("2026-11-30T17:00:00Z"))
        // The night has seven hours.
        #expect(try end("22:00-06:00", "2027-03-27T21:00:00Z") == date("2027-03-28T04:00:00Z"))
        #expect(try end("Sun 22:00-06:00", "2026-11-29T22:00:00Z") == date("2026-11-30T05:00:00Z"))
        #expect(try end("00:00-24:00", "2026-11-29T22:00:00Z") == nil)
    }
}
