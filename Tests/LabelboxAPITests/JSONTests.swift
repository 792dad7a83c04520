import LabelboxAPI
import Testing

@Suite("JSON of requests and answers")
struct JSONTests {
    @Test(
        "what is JSON is read",
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("[]", []), ("{}", [:]), ("-0", .number("-0")),
            ("1.50e+07", .number("1.50e+07")),
            ("123456789012345678901234567890", .number("123456789012345678901234567890")),
            (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u20AC""#, "é€"),
            (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"), (#""\ud83dx""#, "\u{FFFD}x"),
            (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"), (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""é😀""#, "é😀"),
            (#"[1,[2,{"a":3}]]"#, [1, [2, ["a": 3]]]), (#"{"a":1,"a":2}"#, ["a": 1, "a": 2]), ("\u{FEFF}1", 1),
        ] as [(String, JSONValue)])
    func valid(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "nul", "truex", "01", "-", "1.", ".5", "1e", "+1", "NaN", "Infinity", "'a'", #"""#, #""\x""#,
            #""\u12""#,
            #""\u12g4""#, "\"\n\"", "\"\u{0}\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", #"{"a"}"#, #"{"a":}"#,
            #"{"a":1,}"#, "{a:1}", "1 2", "]", #"{"a" 1}"#, "// x", String(repeating: "[", count: 65),
        ])
    func invalid(text: String) {
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test("what is written can be read again", arguments: ["", "plain", "a\"b\\c/\n\r\t\u{0}\u{1f}\u{7f}é😀\u{2028}"])
    func roundTrip(text: String) throws {
        let value: JSONValue = ["key \(text)": [.string(text), nil, true, false, 12, [:], []]]
        #expect(try JSONParser.parse(Array(value.json.utf8)) == value)
    }

    @Test("a failure names the byte")
    func offset() {
        #expect(throws: JSONParser.Failure(offset: 4, description: "no JSON value")) {
            try JSONParser.parse(Array("[1, x]".utf8))
        }
    }

    @Test("depth has a limit")
    func depth() throws {
        _ = try JSONParser.parse(Array((String(repeating: "[", count: 64) + String(repeating: "]", count: 64)).utf8))
    }
}
