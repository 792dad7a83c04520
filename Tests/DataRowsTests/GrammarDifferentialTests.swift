import DataRows
import Foundation
import Testing

/// The scanner against two others on generated texts, right ones and broken ones.
@Suite struct GrammarDifferences {
    /// Values with everything that JSON has, some of them spoiled by a changed, missing or added byte.
    static func texts(_ count: Int, seed: UInt64) -> [[UInt8]] {
        var random = SeededRandom(seed)
        return (0..<count).map { _ in
            var text: [UInt8] = []
            value(&text, depth: Int.random(in: 0...5, using: &random), &random)
            if Bool.random(using: &random) { spoil(&text, &random) }
            return text
        }
    }

    private static let strings: [String] = [
        "", "a", "é", "😀", "\\n", "\\u0041", "\\ud83d\\ude00", "\\\\", "\\\"", "\\/", "long enough for eight bytes",
        "1234567",
        "12345678é", "\u{2028}", "row_data", "\\u0000", "{[,:]}",
    ]
    private static let numbers: [String] = [
        "0", "-0", "1", "-17", "3.25", "1e5", "1E-5", "0.5e+3", "123456789012345678", "1.0", "-0.0",
    ]
    private static let spaces: [String] = ["", "", "", " ", "\n", "\t\r\n "]

    private static func value(_ text: inout [UInt8], depth: Int, _ random: inout SeededRandom) {
        func pick(_ choices: [String]) { text += (choices.randomElement(using: &random) ?? "").utf8 }
        func string() {
            text.append(0x22)
            for _ in 0..<Int.random(in: 0...3, using: &random) { pick(strings) }
            text.append(0x22)
        }
        pick(spaces)
        switch Int.random(in: 0...(depth > 0 ? 7 : 4), using: &random) {
        case 0: pick(["true", "false", "null"])
        case 1, 2: pick(numbers)
        case 3, 4: string()
        case 5, 6:
            text.append(0x7b)
            for index in 0..<Int.random(in: 0...4, using: &random) {
                if index > 0 { text.append(0x2c) }
                pick(spaces)
                // Distinct keys: what repeated ones mean is not the grammar's business, and Foundation may refuse them.
                text += "\"\(index)".utf8
                pick(strings)
                text.append(0x22)
                pick(spaces)
                text.append(0x3a)
                value(&text, depth: depth - 1, &random)
            }
            pick(spaces)
            text.append(0x7d)
        default:
            text.append(0x5b)
            for index in 0..<Int.random(in: 0...4, using: &random) {
                if index > 0 { text.append(0x2c) }
                value(&text, depth: depth - 1, &random)
            }
            pick(spaces)
            text.append(0x5d)
        }
        pick(spaces)
    }

    private static func spoil(_ text: inout [UInt8], _ random: inout SeededRandom) {
        let at = Int.random(in: 0..<text.count, using: &random)
        let tokens = Array("{}[]:,\"\\0123456789.eE+-truefalsn \n\u{1}".utf8) + [0x80, 0xc3, 0xe2, 0xf0, 0xff]
        let token = tokens.randomElement(using: &random) ?? 0x20
        switch Int.random(in: 0...3, using: &random) {
        case 0: text[at] = token
        case 1: text.insert(token, at: at)
        case 2: text.remove(at: at)
        default: text.removeSubrange(at...)
        }
    }

    @Test func pythonAgreesOnEveryText() throws {
        let texts = Self.texts(20_000, seed: 1)
        let script = """
            import base64, json, sys
            def refuse(name): raise ValueError(name)
            for line in sys.stdin.buffer:
                try:
                    json.loads(base64.b64decode(line).decode("utf-8"), parse_constant=refuse)
                    sys.stdout.write("1")
                except (ValueError, RecursionError):
                    sys.stdout.write("0")
            """
        let input = texts.map { Data($0).base64EncodedString() }.joined(separator: "\n") + "\n"
        let verdicts = try Command.run("/usr/bin/python3", ["-c", script], input: Array(input.utf8))
        try #require(verdicts.count == texts.count)
        var valid = 0
        for (text, verdict) in zip(texts, verdicts) {
            let isValid = verdict == 0x31
            valid += isValid ? 1 : 0
            #expect((JSONCheck.fast(text) == .valid) == isValid, "\(String(decoding: text, as: UTF8.self))")
            #expect((JSONCheck.slow(text).verdict == .valid) == isValid, "\(String(decoding: text, as: UTF8.self))")
        }
        // Both kinds must be there, or nothing was compared.
        #expect(valid > 5000 && valid < 19_000)
    }

    /// Where Foundation is known to go its own way: it refuses surrogates without a partner and numbers out of range,
    /// and lets a last comma and line breaks in strings pass.
    private static func differs(_ text: [UInt8]) -> Bool {
        String(decoding: text, as: UTF8.self).contains(
            /\\u[dD]|[eE][+-]?[0-9]{3}|,[ \t\r\n]*[\]}]/.matchingSemantics(.unicodeScalar))
            || JSONCheck.slow(text).fault == .controlCharacter
    }

    @Test func foundationAgreesOnEveryText() {
        var compared = 0
        for text in Self.texts(20_000, seed: 2) where !Self.differs(text) {
            compared += 1
            let ours = JSONCheck.fast(text) == .valid
            let theirs = Coding.isJSON(text)
            if ours != theirs { #expect(ours == theirs, "\(String(decoding: text, as: UTF8.self))") }
        }
        #expect(compared > 12_000)
    }

    @Test func theTwoChecksAgreeOnEveryTextHoweverItIsCut() {
        for (index, text) in Self.texts(5_000, seed: 3).enumerated() {
            let slow = JSONCheck.slow(text).verdict
            let fast = JSONCheck.fast(text)
            #expect(fast == slow || (fast == .truncated && slow == .malformed))
            #expect(JSONCheck.slow(text, pieces: index % 7 + 1).verdict == slow)
        }
    }

    @Test func aWindowOfAnySizeFindsTheSameRows() throws {
        let scratch = try Scratch()
        var random = SeededRandom(4)
        let texts = Self.texts(3_000, seed: 5).filter { JSONCheck.fast($0) == .valid }
        var manifest: [UInt8] = [0x5b]
        for (index, text) in texts.enumerated() {
            if index > 0 { manifest.append(0x2c) }
            manifest += text
        }
        manifest.append(0x5d)
        let file = try scratch.manifest(manifest)
        let whole = try Survey(file)
        #expect(whole.rows.count == texts.count)
        for (row, text) in zip(whole.rows, texts) {
            let trimmed = text.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
            #expect(try file.bytes(in: row.byteRange).elementsEqual(trimmed))
        }
        for _ in 0..<12 {
            #expect(try Survey(file, windowBytes: Int.random(in: 16...400, using: &random)) == whole)
        }
    }
}
