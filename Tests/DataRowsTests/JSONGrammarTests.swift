import DataRows
import Testing

/// One text and whether it is JSON.
struct GrammarCase: CustomTestStringConvertible, Sendable {
    let text: [UInt8]
    let verdict: JSONCheck.Verdict

    init(_ text: String, _ verdict: JSONCheck.Verdict) {
        self.text = Array(text.utf8)
        self.verdict = verdict
    }

    init(_ text: [UInt8], _ verdict: JSONCheck.Verdict) {
        self.text = text
        self.verdict = verdict
    }

    var testDescription: String { String(decoding: text, as: UTF8.self) }

    static let all: [GrammarCase] =
        valid.map { GrammarCase($0, .valid) } + malformed.map { GrammarCase($0, .malformed) }
        + truncated.map { GrammarCase($0, .truncated) } + bytes

    static let valid = [
        "0", "-0", "1", "-1", "10", "123456789012345678901234567890", "1.0", "1.50", "-0.0", "0e0", "0E+1", "1e400",
        "1E-400", "1.5e+10", "0.0000000000000000000000000000000000000000000000000000000001", "true", "false", "null",
        "\"\"", "\"a\"", "\" \"", "\"\\\"\"", "\"\\\\\"", "\"\\/\"", "\"\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\ud83d\"", "\"\\ude00\"", "\"\\uABCD\\uabcd\"", "\"\u{7f}\"", "\"é\"", "\"€\"", "\"😀\"",
        "\"\u{2028}\u{2029}\"",
        "\"\u{feff}\"", "\"\u{10ffff}\"", "\"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\"", "[]", "{}", "[ ]", "{ }",
        "[\n\t\r ]",
        "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[[],[]]", "[{}]", "{\"a\":1}", "{ \"a\" : 1 }", "{\"a\":1,\"b\":2}",
        "{\"a\":{}}", "{\"a\":[]}", "{\"\":0}", "{\"a\":1,\"a\":2}", "{\"a\\u0062\":1}",
        "[null,true,false,0,\"\",[],{}]",
        " 1", "1 ", "\n[1]\r\n", "[1,[2,[3,[4]]]]", "{\"a\":{\"b\":{\"c\":[{\"d\":null}]}}}", "\"12345678\"",
        "\"1234567\"",
        "\"123456789012345\"", "\"1234567é\"", "\"123456\\n\"", "[-1.0e-1]", "[\"],}\"]", "{\"{[\\\"\":\"}]\"}",
        "\"\\u0022\"", "\"'\"", "[0,0]",
    ]

    static let malformed = [
        "01", "-01", "+1", ".5", "1.e1", "1.a", "1ea", "1e+a", "-a", "--1", "0x10", "1_000", "1a", "Infinity", "NaN",
        "-Infinity",
        "nan", "tru1", "True", "truE", "truetrue", "nullx", "falsey", "None", "undefined", "'a'", "\"\\a\"",
        "\"\\x41\"",
        "\"\\U0041\"", "\"\\u00g0\"", "\"\\u 041\"", "\"\\'\"", "\"a\nb\"", "\"a\tb\"", "\"a\u{0}b\"",
        "\"1234567\u{1f}\"", "[,]",
        "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "]", "}", "[}", "{]", "{1:2}", "{a:1}", "{'a':1}", "{\"a\"}",
        "{\"a\" 1}",
        "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1,,\"b\":2}", "{\"a\":1 \"b\":2}", "{\"a\":1;\"b\":2}", "{\"a\"::1}",
        "{[]:1}",
        "{null:1}", "[1]]", "{}}", "{} {}", "[] []", "1 2", "\"a\" \"b\"", "[1]x", "/* c */ 1", "// c\n1", "[1 // c\n]",
        "#1",
        "\u{a0}1", "\u{2028}1", "\u{feff}1", "\u{c}1", "[\u{b}1]", "a", "\\n", "[\"a\",\n,\"b\"]", "{\"a\":tru}",
        "{\"m\":[{\"a\":tru,}]}",
        "{\"m\":[01,1.2.3,-]}", "[-]", "[1.]", "[1e]", "[1e+]", "\"\\ud83d\\x\"", "[nul]", "[fals,]", "\"\u{1}\"",
        "{\"a\u{2}\":1}",
    ]

    static let truncated = [
        "", " ", "[", "{", "[1", "[1,", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "\"", "\"a",
        "\"\\", "\"\\u",
        "\"\\u00", "t", "tr", "tru", "f", "fals", "n", "nul", "-", "1.", "1e", "1e+", "[[", "[{", "[[]", "{\"a\":{}",
        "[\"a\\\"",
        "[1.5e", "[-", "[true", "[tru",
    ]

    /// UTF-8 as it must not be written.
    static let bytes: [GrammarCase] =
        [
            [0xff], [0xfe], [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf],
            [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3, 0x28], [0xe2, 0x28, 0xa1], [0xe2, 0x82, 0x28],
            [0xf0, 0x28, 0x8c, 0xbc], [0xf0, 0x90, 0x28, 0xbc], [0xf0, 0x90, 0x8c, 0x28], [0xc3, 0x22],
        ].map { GrammarCase([0x22] + $0 + [0x22], .malformed) } + [
            GrammarCase([0x22, 0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80, 0x22], .valid),
            GrammarCase([0x22, 0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf, 0x22], .valid),
            GrammarCase([0x22, 0xe2, 0x82], .truncated), GrammarCase([0x22, 0xc3], .truncated),
            GrammarCase([0x22, 0xf0, 0x9f, 0x98], .truncated), GrammarCase([0x5b, 0x00, 0x5d], .malformed),
            GrammarCase([0x00], .malformed), GrammarCase([0x5b, 0x31, 0x00], .malformed),
        ]
}

@Suite struct JSONGrammar {
    @Test func theTableIsLargeEnough() {
        #expect(GrammarCase.all.count >= 200)
    }

    @Test(arguments: GrammarCase.all)
    func eachTextIsJudgedByTheGrammar(_ example: GrammarCase) {
        #expect(JSONCheck.slow(example.text).verdict == example.verdict)
        // The fast check may call a text truncated that is malformed already: the slow one then has the last word.
        let fast = JSONCheck.fast(example.text)
        #expect(fast == example.verdict || (fast == .truncated && example.verdict == .malformed))
    }

    @Test(arguments: GrammarCase.all)
    func theVerdictDoesNotDependOnWhereTheTextIsCut(_ example: GrammarCase) {
        for pieces in 1...9 {
            #expect(JSONCheck.slow(example.text, pieces: pieces).verdict == example.verdict)
        }
    }

    @Test(arguments: [1, 2, 63, 64])
    func nestingIsAllowedUpToTheLimit(_ limit: Int) {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> [UInt8] {
                Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
            }
            #expect(JSONCheck.fast(nested(limit), depthLimit: limit) == .valid)
            #expect(JSONCheck.slow(nested(limit), depthLimit: limit).verdict == .valid)
            #expect(JSONCheck.fast(nested(limit + 1), depthLimit: limit) == .malformed)
            #expect(JSONCheck.slow(nested(limit + 1), depthLimit: limit).fault == .tooDeep)
        }
    }

    @Test func aMillionBracketsAreRefusedWithoutRecursion() {
        #expect(JSONCheck.fast([UInt8](repeating: 0x5b, count: 1_000_000)) == .malformed)
    }

    @Test func theByteCheckKnowsThePlaceOfAFault() {
        let text = Array(#"{"a/b":[1,{"c~d":tru,}]}"#.utf8)
        let found = JSONCheck.slow(text)
        #expect(found.at == 20)
        #expect(found.fault == .unexpectedByte)
        #expect(found.pointer == "/a~1b/1/c~0d")
    }
}
