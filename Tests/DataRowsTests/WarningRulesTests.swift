import DataRows
import Testing

/// What is warned of and does not stop a row.
@Suite struct WarningRules {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    struct Example: CustomTestStringConvertible, Sendable {
        let row: String
        let codes: [String]
        let pointer: String?
        let says: String?

        init(_ row: String, _ codes: [String] = [], _ pointer: String? = nil, says: String? = nil) {
            self.row = row
            self.codes = codes
            self.pointer = pointer
            self.says = says
        }

        var testDescription: String { row.count < 90 ? row : String(row.prefix(90)) + "…" }
    }

    /// 2026-11-21T06:00:00Z.
    static let now = 1_795_240_800

    private static func address(_ rest: String) -> String { #"{"row_data":"https://bucket.example.com/\#(rest)"}"# }
    private static func metadata(_ fields: String) -> String { #"{"row_data":"t","metadata_fields":[\#(fields)]}"# }
    private static func message(_ characters: Int) -> String {
        #"{"messageId":"m","content":"\#(String(repeating: "é", count: characters))"}"#
    }
    private static func conversation(_ count: Int, _ characters: Int) -> String {
        let messages = (0..<count).map { message($0 == 1 ? characters : 3) }.joined(separator: ",")
        return #"{"row_data":{"type":"application/vnd.labelbox.conversational","version":1,"messages":[\#(messages)]}}"#
    }
    private static func key(_ key: String) -> String { #"{"row_data":"t","global_key":"\#(key)"}"# }
    private static func vector(_ count: Int) -> String {
        let numbers = [String](repeating: "0.5", count: count).joined(separator: ",")
        return #"{"row_data":"t","embeddings":[{"embedding_id":"e","vector":[\#(numbers)]}]}"#
    }

    static let odd = "odd_address_character"
    static let addresses: [Example] = [
        // The common row has nothing to say, at any length.
        Example(address("")), Example(address("a")), Example(address("images/2024/0000001.jpg")),
        Example(address("caf%C3%A9/ü/图.jpg")), Example(address("a,b;c:d@e&f=g+h*i'j(k)l[m]n{o}p~q!r$s^t`u.jpg")),
        Example(address("a.jpg?width=100&q=a%20b")),
        // Characters that are not supported, wherever they stand.
        Example(address("a b.jpg"), [odd], "/0/row_data", says: "%20"), Example(address("a#b.jpg"), [odd], says: "%23"),
        Example(address("a<b.jpg"), [odd], says: "%3C"), Example(address("a>b.jpg"), [odd], says: "%3E"),
        Example(address("a|b.jpg"), [odd], says: "%7C"), Example(address("x.jpg "), [odd]),
        Example(address(#"a\u0020b.jpg"#), [odd]), Example(address(#"a\nb.jpg"#), [odd], says: "control"),
        Example(address(String(repeating: "p/", count: 40) + "a b"), [odd]),
        Example(address("a b" + String(repeating: "/p", count: 40)), [odd]),
        Example(#"{"row_data":"https:\/\/x\/a b"}"#, [odd]), Example(#"{"row_data":"http://x/a b"}"#, [odd]),
        Example(#"{"row_data":"gs://x/a b"}"#, [odd]), Example(#"{"row_data":"HTTPS://x.example.com/a b"}"#, [odd]),
        // Texts, paths and objects are no addresses.
        Example(#"{"row_data":"a # b | c"}"#), Example(#"{"row_data":"a b.jpg"}"#),
        Example(#"{"row_data":{"tile_layer_url":"https://x/{z} a"}}"#),
        // Of attachments, and of PDFs with a text layer.
        Example(
            #"{"row_data":"t","attachments":[{"type":"IMAGE","value":"https://x/a b"}]}"#, [odd],
            "/0/attachments/0/value"),
        Example(#"{"row_data":"t","attachments":[{"type":"RAW_TEXT","value":"a # b"}]}"#),
        Example(
            #"{"row_data":{"pdf_url":"https://x/a b","text_layer_url":"https://x"}}"#, [odd], "/0/row_data/pdf_url"),
    ]

    private static func amazon(_ date: String, _ seconds: Int) -> String {
        "a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=\(date)&X-Amz-Expires=\(seconds)&X-Amz-Signature=0a1b"
    }

    static let (soon, late) = ("expiring_address", "expired_address")
    static let signatures: [Example] = [
        Example(address(amazon("20261121T050000Z", 7_200)), [soon], "/0/row_data", says: "2026-11-21T07:00:00Z"),
        Example(address(amazon("20261121T050000Z", 3_600)), [late], says: "2026-11-21T06:00:00Z"),
        Example(address(amazon("20261121T050000Z", 3_601)), [soon]),
        Example(address(amazon("20240229T235959Z", 604_800)), [late], says: "2024-03-07T23:59:59Z"),
        Example(
            address("a?X-Goog-Date=20261121T050000Z&X-Goog-Expires=86400&X-Goog-Signature=ab"), [soon],
            says: "2026-11-22T05:00:00Z"),
        Example(
            address("a?x-goog-signature=ab&x-goog-expires=86400&x-goog-date=20261121T050000Z"), [soon]),
        Example(
            address("a.jpg?sv=2022-11-02&se=2026-12-01T10%3A00%3A00Z&sr=b&sp=r&sig=a%2Bb%3D"), [soon],
            says: "2026-12-01T10:00:00Z"),
        Example(address("a.jpg?sv=2022-11-02&se=2026-01-01&sig=ab"), [late], says: "2026-01-01T00:00:00Z"),
        Example(
            address("a.jpg?AWSAccessKeyId=A&Expires=1795244400&Signature=ab"), [soon], says: "2026-11-21T07:00:00Z"),
        Example(address("a.jpg?Expires=1&Signature=ab&Key-Pair-Id=K"), [late], says: "1970-01-01T00:00:01Z"),
        Example(address(#"a.jpg?Expires=1\u0026Signature=ab\u0026Key-Pair-Id=K"#), [late]),
        Example(
            #"{"row_data":"t","attachments":[{"type":"IMAGE","value":"https://x/a?Expires=1&Signature=abcdef"}]}"#,
            [late],
            "/0/attachments/0/value"),
        // Both at once.
        Example(address("a b?Expires=1&Signature=abcdef"), [odd, late]),
        // Not signed, or without an end, or not to be understood.
        Example(address("a.jpg?Expires=1&page=aaaaaaaaaaa")), Example(address("a.jpg?se=2026-01-01&aaaaaaaaaaa=1")),
        Example(address("a.jpg?Signature=ab&Policy=abcdefgh")),
        Example(address("a.jpg?X-Amz-Date=now&X-Amz-Expires=60&X-Amz-Signature=ab")),
        Example(address("a.jpg?X-Amz-Date=20261121T050000Z&X-Amz-Expires=9223372036854775807&X-Amz-Signature=ab")),
        Example(address("a.jpg?Expires=99999999999999999999&Signature=ab")),
    ]

    static let limits: [Example] = [
        // Keys that may be refused; U+FEFF is no white space to Unicode, but JavaScript trims it.
        Example(key("a b c")), Example(key(#"\u00e9 é"#)), Example(key(#"a\u00a0b"#)),
        Example(key(#"\u00a0a"#), ["odd_global_key_space"], "/0/global_key"),
        Example(key("a\u{3000}"), ["odd_global_key_space"]), Example(key(#"a\t"#), ["odd_global_key_space"]),
        Example(key(#"\ufeffa"#), ["odd_global_key_space"]), Example(key(#"a \u2009b"#), ["odd_global_key_space"]),
        Example(key(String(repeating: "😀", count: 100))),
        Example(key(String(repeating: "😀", count: 101)), ["long_global_key"], says: "202"),
        Example(key(String(repeating: "é", count: 200))),
        // Metadata.
        Example(metadata(#"{"name":"a","value":1},{"name":"b","value":1},{"schema_id":"a","value":1}"#)),
        Example(
            metadata(#"{"name":"a","value":1},{"name":"b","value":1},{"name":"\u0061","value":2}"#),
            ["repeated_metadata_field"], "/0/metadata_fields/2", says: "entry 0"),
        Example(
            metadata(#"{"schema_id":"a","value":1},{"schema_id":"a","value":2}"#), ["repeated_metadata_field"]),
        Example(metadata(#"{"name":"a","value":"\#(String(repeating: "é", count: 4_096))"}"#)),
        Example(
            metadata(#"{"name":"a","value":"\#(String(repeating: "é", count: 4_097))"}"#), ["long_metadata_value"],
            "/0/metadata_fields/0/value"),
        // Embeddings.
        Example(vector(2_048)), Example(vector(2_049), ["long_embedding"], "/0/embeddings/0/vector", says: "2049"),
        // Conversations, current and older.
        Example(conversation(250, 10_000)),
        Example(conversation(251, 3), ["long_conversation"], "/0/row_data/messages", says: "251"),
        Example(conversation(3, 10_001), ["long_message"], "/0/row_data/messages/1/content"),
        Example(
            #"{"conversationalData":[\#(message(10_001))],"externalId":"e"}"#, ["long_message"],
            "/0/conversationalData/0/content"),
        Example(#"{"row_data":{"type":"other","messages":[\#(message(10_001))]}}"#),
        Example(
            #"{"row_data":{"type":"application/vnd.labelbox.conversational.model-chat-evaluation","x":"\#(String(repeating: "x", count: 2_621_440))"}}"#,
            ["long_evaluation"], "/0/row_data"),
    ]

    private func row(_ text: String, now: Int? = now) throws -> SurveyedRow {
        var found: SurveyedRow?
        _ = try ManifestSurvey.run(scratch.manifest(text + "\n", "a.jsonl"), policy: RowPolicy(), now: now) {
            found = $0
        }
        return try #require(found)
    }

    @Test(arguments: addresses + signatures + limits)
    func aRowIsWarnedOfAndSentAllTheSame(_ example: Example) throws {
        let row = try row(example.row)
        #expect(row.problems.isEmpty)
        #expect(row.warnings.map(\.code) == example.codes)
        #expect(row.warningCount == example.codes.count)
        if let pointer = example.pointer { #expect(row.warnings.first?.pointer == pointer) }
        if let says = example.says {
            #expect(row.warnings.last?.message.contains(says) == true, "\(row.warnings.last?.message ?? "")")
        }
    }

    @Test(arguments: signatures) func withoutAClockNothingExpires(_ example: Example) throws {
        #expect(try row(example.row, now: nil).warnings.allSatisfy { $0.code == Self.odd })
    }

    /// The look at sixteen bytes at a time misses nothing, whatever the length and wherever the character stands.
    @Test func everyOddCharacterIsSeenAtEveryPlace() throws {
        for length in 1...70 {
            for (place, odd) in zip([0, length / 2, length - 1], [" ", "#", "|"]) {
                var path = [String](repeating: "p", count: length)
                path[place] = odd
                let codes = try row(Self.address(path.joined())).warnings.map(\.code)
                #expect(codes == [Self.odd], "\(length) \(place)")
            }
        }
    }

    @Test func onlyTheFirstOfManyAreToldInWordsAndAllAreCounted() throws {
        let text = String(repeating: Self.address("a b") + "\n", count: 3_000)
        var told = 0
        var counted = 0
        let summary = try ManifestSurvey.run(scratch.manifest(text, "a.jsonl"), policy: RowPolicy()) {
            told += $0.warnings.count
            counted += $0.warningCount
        }
        #expect(told == ManifestSurvey.warningsTold)
        #expect(counted == 3_000)
        #expect(summary.warnings == 3_000)
        #expect(summary.validRows == 3_000)
    }
}
