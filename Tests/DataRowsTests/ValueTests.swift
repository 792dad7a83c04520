import DataRows
import Foundation
import Testing

/// Values that are written otherwise than they came in, through a row each.
@Suite struct Values {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static let ontology = MetadataOntology([
        .init(id: "n", name: "number", kind: .number), .init(id: "d", name: "date", kind: .dateTime),
    ])

    /// The value as it is sent; nil if it is refused.
    private func sent(_ name: String, _ value: String) throws -> String? {
        let manifest = try scratch.manifest(
            "[{\"row_data\":\"t\",\"metadata_fields\":[{\"name\":\"\(name)\",\"value\":\(value)}]}]")
        do {
            let text = try splice(manifest, ontology: Self.ontology).text
            let start = try #require(text.range(of: "\"value\":", options: .backwards)?.upperBound)
            return String(text[start...].dropLast(5))
        } catch is RowWritingError {
            return nil
        }
    }

    static let dates: [(String, String?)] = [
        ("2024-05-01T10:20:30+02:00", "2024-05-01T08:20:30Z"), ("2024-05-01T10:20:30Z", "2024-05-01T10:20:30Z"),
        ("2024-05-01T10:20:30", "2024-05-01T10:20:30Z"), ("2024-05-01 10:20:30.999999", "2024-05-01T10:20:30Z"),
        ("2024-05-01", "2024-05-01T00:00:00Z"), ("2024-05", "2024-05-01T00:00:00Z"), ("2024", "2024-01-01T00:00:00Z"),
        ("20240501T102030Z", "2024-05-01T10:20:30Z"), ("20240501", "2024-05-01T00:00:00Z"),
        ("2024-W18-3", "2024-05-01T00:00:00Z"),
        ("2024W183", "2024-05-01T00:00:00Z"), ("2024-W18", "2024-04-29T00:00:00Z"),
        ("2024-122", "2024-05-01T00:00:00Z"),
        ("2024122", "2024-05-01T00:00:00Z"), ("2024-05-01T24:00:00", "2024-05-02T00:00:00Z"),
        ("2024-05-01T10", "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:20", "2024-05-01T10:20:00Z"), ("2024-05-01T1020", "2024-05-01T10:20:00Z"),
        ("2024-12-31T23:30:00-01:00", "2025-01-01T00:30:00Z"), ("2024-01-01T00:30:00+0100", "2023-12-31T23:30:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"), ("2023-02-29", nil), ("2100-02-29", nil),
        ("2000-02-29", "2000-02-29T00:00:00Z"),
        ("2020-W53-7", "2021-01-03T00:00:00Z"), ("2015-W01-1", "2014-12-29T00:00:00Z"),
        ("2024-366", "2024-12-31T00:00:00Z"),
        ("2023-366", nil), ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"), ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+01:00", nil), ("2024-13-01", nil), ("2024-05-32", nil), ("2024-05-01T25:00:00", nil),
        ("2024-05-01T24:00:01", nil), ("2024-05-01T10:60:00", nil), ("2024-05-01T10:20:60", nil), ("yesterday", nil),
        ("", nil),
        ("2024-05-01T", nil), ("2024-05-01T10:20:30+", nil), ("2024-05-01T10:20:30Zx", nil), ("202405", nil),
        ("2024-5-1", nil), ("2024-05-01T 9:05", "2024-05-01T09:05:00Z"), ("2024-W1", "2024-01-01T00:00:00Z"),
        ("2024-05-01T10:2", "2024-05-01T10:02:00Z"), ("2024-05-01T+02:00", "2024-04-30T22:00:00Z"),
        ("9999-12-31T24:00+01:00", nil), ("2024-05-01\u{e9}10:20", nil),
    ]

    @Test(arguments: dates)
    func datesAreSentInUTCToTheSecond(_ date: String, _ expected: String?) throws {
        #expect(try sent("date", "\"\(date)\"") == expected.map { "\"\($0)\"" })
    }

    static let numbers: [(String, String?)] = [
        ("7", "7"), ("1.50", "1.50"), ("1e400", nil), ("1e300", "1e300"), ("\"\u{661}\u{a0}\"", "1"), ("true", "1"),
        ("false", "0"), ("\"1.50\"", "1.50"),
        ("\" 1e3 \"", "1e3"),
        ("\"1_000\"", "1000"), ("\"+5\"", "5"), ("\"-.5\"", "-0.5"), ("\"5.\"", "5"), ("\"007\"", "7"), ("\"00\"", "0"),
        ("\"1E+05\"", "1e+05"), ("\"\\t1\\n\"", "1"), ("\"_1\"", nil), ("\"1_\"", nil), ("\"1__0\"", nil),
        ("\"inf\"", nil),
        ("\"nan\"", nil), ("\"0x10\"", nil), ("\"\"", nil), ("\".\"", nil), ("\"1e\"", nil), ("\"1 2\"", nil),
        ("null", nil),
        ("[]", nil), ("{}", nil),
    ]

    @Test(arguments: numbers)
    func numbersKeepTheirDigits(_ number: String, _ expected: String?) throws {
        #expect(try sent("number", number) == expected)
    }

    @Test func dateTextsAgreeWithPython() throws {
        var random = SeededRandom(11)
        let dates = (0..<500).map { _ in
            let offset = Int.random(in: -1439...1439, using: &random)
            func pad(_ value: Int, _ width: Int = 2) -> String {
                let text = String(value)
                return String(repeating: "0", count: max(0, width - text.count)) + text
            }
            let sign = offset < 0 ? "-" : "+"
            return pad(.random(in: 2...9998, using: &random), 4) + "-" + pad(.random(in: 1...12, using: &random)) + "-"
                + pad(.random(in: 1...28, using: &random)) + "T" + pad(.random(in: 0...23, using: &random)) + ":"
                + pad(.random(in: 0...59, using: &random)) + ":" + pad(.random(in: 0...59, using: &random)) + sign
                + pad(abs(offset) / 60) + ":" + pad(abs(offset) % 60)
        }
        let script = """
            import sys
            from datetime import datetime, timezone
            for line in sys.stdin:
                moment = datetime.fromisoformat(line.strip()).astimezone(timezone.utc)
                print(moment.strftime("%Y").zfill(4) + moment.strftime("-%m-%dT%H:%M:%SZ"))
            """
        let output = try Command.run(
            "/usr/bin/python3", ["-c", script], input: Array((dates.joined(separator: "\n") + "\n").utf8))
        let expected = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        try #require(expected.count == dates.count)
        let fields = dates.map { #"{"row_data":"t","metadata_fields":[{"name":"date","value":"\#($0)"}]}"# }
        let text = try splice(scratch.manifest(fields.joined(separator: "\n"), "a.jsonl"), ontology: Self.ontology).text
        let found = text.split(separator: "\"schemaId\":\"d\",\"value\":\"").dropFirst().map { String($0.prefix(20)) }
        #expect(found == expected)
    }

    static let strings: [([UInt8], String)] = [
        (Array("plain".utf8), #""plain""#), (Array("\"\\/".utf8), #""\"\\/""#),
        (Array("\n\r\t\u{1}\u{1f}\u{7f}".utf8), "\"\\n\\r\\t\\u0001\\u001f\u{7f}\""),
        (Array("é😀\u{2028}".utf8), "\"é😀\u{2028}\""), ([], "\"\""),
    ]

    @Test(arguments: strings)
    func stringsAreWrittenAndReadBack(_ bytes: [UInt8], _ expected: String) {
        var output: [UInt8] = []
        JSONText.appendString(bytes, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == expected)
        let back = output[1..<(output.count - 1)].withUnsafeBytes { JSONText.unescaped($0) }
        #expect(back == bytes)
    }

    static let escapes: [(String, String?)] = [
        (#"\u00e9"#, "é"), (#"\ud83d\ude00"#, "😀"), (#"\b\f\/\\\""#, "\u{8}\u{c}/\\\""), (#"\ud83d"#, nil),
        (#"\ude00\ud83d"#, nil),
        (#"\ud83dx"#, nil), (#"\ud83d\u0041"#, nil), (#"\u0000"#, "\0"), (#"a\u0041b"#, "aAb"),
    ]

    @Test(arguments: escapes)
    func escapesAreResolved(_ inner: String, _ expected: String?) {
        let found = Array(inner.utf8).withUnsafeBytes { JSONText.decoded($0) }
        #expect(found == expected)
    }
}
