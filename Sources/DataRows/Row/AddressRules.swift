/// What Labelbox's manual says of addresses: characters that they must not have, and signatures that expire.
///
/// All of it is warned of and nothing refused: the service takes the row, and finds out later that it cannot fetch it.
enum AddressRules {
    /// Whether there is nothing to look closer at: none of `# < > |`, spaces, escapes and `?`.
    ///
    /// Of sixteen bytes at a time, so that the row that nearly all rows are pays little. It may say no without a reason.
    @inline(__always) static func isPlain(_ value: JSONSlice) -> Bool {
        let end = value.end &- 1
        var at = value.start &+ 1
        let bytes = UnsafeRawPointer(value.bytes)
        guard end &- at >= 16 else { return false }
        // '<', '=', '>', '?', '|', '}', '~' and delete; ' ', '!', '"' and '#'; '\'.
        let (low, high) = (SIMD16<UInt8>(repeating: ~0x03), SIMD16<UInt8>(repeating: ~0x43))
        let (space, angle) = (SIMD16<UInt8>(repeating: 0x20), SIMD16<UInt8>(repeating: 0x3c))
        let backslash = SIMD16<UInt8>(repeating: 0x5c)
        var marks = SIMDMask<SIMD16<Int8>>(repeating: false)
        while at &+ 16 < end {
            let chunk = bytes.loadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self)
            marks = marks .| (chunk & low .== space) .| (chunk & high .== angle) .| (chunk .== backslash)
            at &+= 16
        }
        // The last sixteen, overlapping what was looked at.
        let chunk = bytes.loadUnaligned(fromByteOffset: end &- 16, as: SIMD16<UInt8>.self)
        marks = marks .| (chunk & low .== space) .| (chunk & high .== angle) .| (chunk .== backslash)
        let halves = unsafeBitCast(marks, to: SIMD2<UInt64>.self)
        return halves.x | halves.y == 0
    }

    /// Says what is odd about an address; nothing of what is none.
    static func check(
        _ value: JSONSlice, _ pointer: @autoclosure () -> String, now: Int?, _ reporter: inout RowReporter
    ) {
        let inner = value.inner
        guard isAddress(inner) else { return }
        if inner.contains(0x5c) {
            JSONText.unescapedLossily(inner).withUnsafeBytes { check($0, value, pointer(), now, &reporter) }
        } else {
            check(inner, value, pointer(), now, &reporter)
        }
    }

    /// `https://…`, `http://…` or `gs://…`, as far as that can be told by the first bytes.
    private static func isAddress(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count > 6 else { return false }
        switch text[0] | 0x20 {
        case 0x68: return text[1] | 0x20 == 0x74 && text[4..<6].contains(0x3a)
        case 0x67: return text[1] | 0x20 == 0x73 && text[2] == 0x3a
        default: return false
        }
    }

    private static func check(
        _ text: UnsafeRawBufferPointer, _ value: JSONSlice, _ pointer: @autoclosure () -> String, _ now: Int?,
        _ reporter: inout RowReporter
    ) {
        var query: Int?
        var odd: UInt8?
        for (at, byte) in text.enumerated() {
            switch byte {
            case 0x3f where query == nil: query = at
            case 0...0x20, 0x23, 0x3c, 0x3e, 0x7c, 0x7f: odd = odd ?? byte
            default: break
            }
        }
        if let odd {
            let hex = String(odd, radix: 16, uppercase: true)
            let name =
                odd > 0x20 && odd < 0x7f
                ? "'\(Character(Unicode.Scalar(odd)))'" : odd == 0x20 ? "a space" : "a control character"
            reporter.warn(
                value, pointer(), "odd_address_character",
                "the address has \(name) in it, which Labelbox does not support: write %\(hex.count < 2 ? "0" : "")\(hex) for it, "
                    + "or rename the object")
        }
        guard let query, let now else { return }
        let rest = UnsafeRawBufferPointer(rebasing: text[(query + 1)...])
        // A signature's parameters are long; a short query has none.
        guard rest.count > 16, let expiry = PresignedQuery(rest).expiry else { return }
        let moment = DateTime.text(expiry) ?? "\(expiry) s after 1970"
        if expiry <= now {
            reporter.warn(
                value, pointer(), "expired_address",
                "the address's signature expired at \(moment): Labelbox takes the row and cannot fetch what it names; sign it anew, "
                    + "or let Labelbox read the bucket by an integration")
        } else {
            reporter.warn(
                value, pointer(), "expiring_address",
                "the address's signature expires at \(moment), and from then on nobody can see the row's content; let Labelbox "
                    + "read the bucket by an integration, if the row is to be labelled later")
        }
    }
}

/// What the query of an address says of how long it may be used.
private struct PresignedQuery {
    private var date: Substring?
    private var seconds: Substring?
    private var moment: Substring?
    private var end: Substring?
    private var isSigned = false

    init(_ query: UnsafeRawBufferPointer) {
        var text = String(decoding: query, as: UTF8.self)[...]
        if let fragment = text.firstIndex(of: "#") { text = text[..<fragment] }
        for parameter in text.split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "x-amz-date", "x-goog-date", "x-oss-date": date = parts[1]
            case "x-amz-expires", "x-goog-expires", "x-oss-expires": seconds = parts[1]
            case "expires": moment = parts[1]
            case "se": end = parts[1]
            case "signature", "sig", "x-amz-signature", "x-goog-signature", "x-oss-signature": isSigned = true
            default: break
            }
        }
    }

    /// In seconds since 1970; nil if nothing is signed, or nothing said of an end.
    var expiry: Int? {
        guard isSigned else { return nil }
        if let date, let seconds, let start = DateTime.seconds(Self.plain(date)), let length = Int(seconds) {
            let (sum, overflow) = start.addingReportingOverflow(length)
            return overflow ? nil : sum
        }
        if let end { return DateTime.seconds(Self.plain(end)) }
        return moment.flatMap { Int($0) }
    }

    /// Without the percent escapes that a date can have.
    private static func plain(_ text: Substring) -> String {
        String(text.replacing("%3A", with: ":").replacing("%3a", with: ":").replacing("%2B", with: "+"))
    }
}
