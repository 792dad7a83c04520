import Glibc

/// A point in time in milliseconds since 1970, taken from a clock that never goes back.
package struct Moment: Sendable, Comparable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Moment, b: Moment) -> Bool { a.milliseconds < b.milliseconds }
    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(milliseconds: moment.milliseconds + duration.milliseconds)
    }
    package static func - (a: Moment, b: Moment) -> Duration { .milliseconds(a.milliseconds - b.milliseconds) }

    /// The wall clock at the first call, moved on by the monotonic one.
    package static func now() -> Moment {
        Moment(milliseconds: start.wall + (read(CLOCK_MONOTONIC) - start.monotonic))
    }

    private static let start = (wall: read(CLOCK_REALTIME), monotonic: read(CLOCK_MONOTONIC))

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`, as the service writes it.
    package var text: String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))T"
            + "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
            + ".\(padded(Int32(milliseconds % 1000), 3))Z"
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// Ids as the service's look: 25 characters, opaque; here the number is in them.
package enum Identifier {
    package static func make(_ prefix: String, _ number: Int) -> String {
        let digits = String(number, radix: 36)
        return prefix + String(repeating: "0", count: max(0, 25 - prefix.count - digits.count)) + digits
    }

    /// The same between quotes, written to the end of `bytes`.
    static func append(_ prefix: StaticString, _ number: Int, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        bytes.append(contentsOf: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
        bytes.append(contentsOf: repeatElement(0x30, count: 25 - prefix.utf8CodeUnitCount))
        bytes.append(0x22)
        var rest = number
        var place = bytes.count - 2
        while rest > 0 {
            let digit = UInt8(rest % 36)
            bytes[place] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= 36
            place -= 1
        }
    }

    package static func number(_ prefix: String, in id: String) -> Int? {
        guard id.count == 25, id.hasPrefix(prefix) else { return nil }
        return Int(id.dropFirst(prefix.count), radix: 36)
    }
}
