public import Foundation

/// Minutes of the week as clocks on the wall show them, from Monday 00:00.
///
/// They are worked out for each moment from the zone's offset at that moment, so an hour that a change of the clocks leaves
/// out or repeats is left out or repeated here too.
public struct LocalWeek: Sendable {
    /// Minutes in a week.
    public static let minutes = 7 * 24 * 60

    static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    private static let wholeDays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]

    private let zone: TimeZone

    /// The week of a time zone.
    public init(_ zone: TimeZone) { self.zone = zone }

    /// The minute that a moment is in, 0 to 10,079.
    public func minute(_ date: Date) -> Int {
        let local = date.timeIntervalSince1970 + Double(zone.secondsFromGMT(for: date))
        // 1970 began on a Thursday.
        let minute = Int((local / 60).rounded(.down)) + 3 * 24 * 60
        return (minute % Self.minutes + Self.minutes) % Self.minutes
    }

    /// The first minute after a moment for which something holds, within eight days.
    public func next(after date: Date, where holds: (_ minute: Int) -> Bool) -> Date? {
        var moment = Date(timeIntervalSince1970: (date.timeIntervalSince1970 / 60).rounded(.down) * 60)
        for _ in 0..<(8 * 24 * 60) {
            moment += 60
            if holds(minute(moment)) { return moment }
        }
        return nil
    }

    /// A day's number from Monday, of a whole English name or its first three letters.
    static func day(_ name: some StringProtocol) -> Int? {
        let name = name.lowercased()
        return days.firstIndex(of: name) ?? wholeDays.firstIndex(of: name)
    }

    /// `HH:MM` as minutes of the day; 24:00 only where an end is meant.
    static func timeOfDay(_ text: some StringProtocol, isEnd: Bool = false) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60
        else { return nil }
        guard hour < 24 || isEnd && hour == 24 && minute == 0 else { return nil }
        return hour * 60 + minute
    }
}
