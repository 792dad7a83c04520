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

    private static let lists: [(text: String, isPacked: Bool)] = [
        (#"[{"id":"r1","key":null},{"id":"r2","key":"k"}]"#, true),
        (" [ { \"id\" : \"r1\" , \"key\" : null } , \n{\"id\":\"\",\"key\":\"k\"}\t] ", true),
        (#"[{"id":"0123456789abcdef0123456789é\u00e9\"\\/"},{"id":"é"},{"id":"1234567\\"}]"#, true),
        (#"[{"a\"b":"x"}]"#, false),
        (#"[{"id":"r1"},{"id":"r2","more":"x"}]"#, false), (#"[{"id":"r1","more":"x"},{"id":"r2"}]"#, false),
        (#"[{"a":"1","b":"2"},{"b":"1","a":"2"}]"#, false), (#"[{"a":"1","a":"2"},{"a":"3","a":"4"}]"#, true),
        (#"[{"id":"r1"},{"id":7}]"#, false), (#"[{"id":"r1"},{"id":{"a":[]}},{"id":"r3"}]"#, false),
        (#"[{"id":"r1"},null,[{"id":"r2"}]]"#, false), (#"[{"id":true}]"#, false), (#"[{}]"#, false),
        ("[{},{}]", false),
        ("[]", false), (#"["a"]"#, false), (#"[[{"id":"r1"}]]"#, false), (#"{"nodes":[{"id":"r1"}]}"#, false),
    ]

    @Test("a list of objects of one shape, packed, is the same list", arguments: lists)
    func packed(text: String, isPacked: Bool) throws {
        let plain = try JSONParser.parse(Array(text.utf8))
        let packed = try JSONParser.parse(Array(text.utf8), packingLists: true)
        #expect(packed == plain && packed.array == plain.array)
        #expect(packed.json == plain.json)
        if case .packed(let objects) = packed {
            #expect(isPacked && objects.count == plain.array?.count)
        } else {
            #expect(!isPacked)
        }
    }

    @Test("what is no JSON is refused at the same byte whether lists are packed or not", arguments: lists)
    func packedBroken(text: String, isPacked: Bool) {
        func read(_ bytes: [UInt8], packingLists: Bool) -> Result<JSONValue, JSONParser.Failure> {
            Result { () throws(JSONParser.Failure) in try JSONParser.parse(bytes, packingLists: packingLists) }
        }
        let bytes = Array(text.utf8)
        for at in bytes.indices {
            var broken = [Array(bytes[..<at])]
            for byte in [0x00, 0x0a, 0x20, 0x22, 0x2c, 0x5c, 0x5d, 0x6e, 0x7b, 0x7d, 0xff] as [UInt8] {
                var changed = bytes
                changed[at] = byte
                broken.append(changed)
            }
            for bytes in broken {
                #expect(
                    read(bytes, packingLists: true) == read(bytes, packingLists: false),
                    "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }
}
