import LabelboxSimulator
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "values come back as they were",
        arguments: [
            "null", "true", "false", "0", "-1", "1e5", "12345678901234567890", "-0.5E+7", "\"\"", "\"a\"", "[]", "{}",
            "[1,[2,[]],{}]", "{\"a\":{\"b\":[null,true]},\"c\":\"d\"}", "\"\u{1F600}é\"", "\"\\\"\\\\\\n\\u0001\"",
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONValue(parsing: text.utf8).text == text)
        #expect(try JSONValue(parsing: " \r\n\t\(text) \n".utf8).text == text)
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", " ", "nul", "tru", "+1", "01", "-", "1.", ".5", "1e", "NaN", "Infinity", "\"", "\"\\", "\"a\nb\"", "[",
            "[1",
            "[1,]", "[,1]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "1 2", "[]]", "'a'",
        ])
    func malformed(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) }
    }

    @Test("depth has a limit")
    func depth() throws {
        #expect(throws: JSONError.self) {
            try JSONValue(parsing: (String(repeating: "[", count: 300) + String(repeating: "]", count: 300)).utf8)
        }
        _ = try JSONValue(parsing: (String(repeating: "[", count: 200) + String(repeating: "]", count: 200)).utf8)
    }

    @Test(
        "escapes become their characters",
        arguments: [
            (#"\u0041"#, Array("A".utf8)), (#"\ud83d\ude00"#, Array("\u{1F600}".utf8)),
            (#"\/\b\f"#, [0x2F, 0x08, 0x0C]),
            (#"\ud83d"#, [0xED, 0xA0, 0xBD]), (#"\ud83dx"#, [0xED, 0xA0, 0xBD, 0x78]), ("plain", Array("plain".utf8)),
        ])
    func escapes(raw: String, bytes: [UInt8]) {
        let raw = Array(raw.utf8)
        #expect(raw.withUnsafeBufferPointer { decodedString($0) } == bytes)
    }

    @Test("the scanner tells where values are")
    func spans() throws {
        let text = Array(#" { "a" : [1, 2] , "b":"x\"y" } "#.utf8)
        var found: [String] = []
        try text.withUnsafeBufferPointer { buffer in
            var scanner = JSONScanner(buffer)
            try scanner.members { (key, scanner) throws(JSONError) in
                let value = try scanner.value()
                found.append(String(decoding: buffer[key.start..<key.end], as: UTF8.self))
                found.append(String(decoding: buffer[value.start..<value.end], as: UTF8.self))
            }
            try scanner.end()
        }
        #expect(found == [#""a""#, "[1, 2]", #""b""#, #""x\"y""#])
    }

    @Test("an update's members replace the old ones and leave the others")
    func merging() throws {
        let old = Array(#"{"row_data": "a", "external_id": "x", "n": 1.50}"#.utf8)
        let new = Array(#"{"external_id":"y","media_type":"IMAGE"}"#.utf8)
        let merged = try old.withUnsafeBufferPointer { old in
            try new.withUnsafeBufferPointer { new in try World.merged(old, new) }
        }
        #expect(
            String(decoding: merged, as: UTF8.self)
                == #"{"row_data":"a","external_id":"y","n":1.50,"media_type":"IMAGE"}"#)
    }
}
