internal import DataRows
internal import Foundation
internal import LabelboxAPI

/// All that read JSON here agree on what JSON is.
enum GrammarTarget {
    static func run(_ input: [UInt8]) throws {
        var choices = Choices(input)
        let pieces = choices.byte() % 16 + 1
        let text = Array(choices.rest)
        let value = StrictJSON.parse(text)
        let isValid = value.map { $0.depth <= 64 } ?? false

        let fast = JSONCheck.fast(text)
        try hold((fast == .valid) == isValid, "the scanner says \(fast) of \(text.quoted)")
        let slow = JSONCheck.slow(text)
        try hold((slow.verdict == .valid) == isValid, "the skimmer says \(slow) of \(text.quoted)")
        try hold(
            fast == slow.verdict || fast == .truncated && slow.verdict == .malformed,
            "the scanner says \(fast), the skimmer \(slow), of \(text.quoted)")
        let cut = JSONCheck.slow(text, pieces: pieces)
        try hold(cut.verdict == slow.verdict && cut.at == slow.at, "cut apart it is \(cut), whole \(slow)")

        // The reader of answers.
        let answer = try? JSONParser.parse(text)
        try hold((try? JSONParser.parse(text, packingLists: true)) == answer, "packed, \(text.quoted) is another value")
        let hasMark = text.starts(with: [0xef, 0xbb, 0xbf])
        let isLone = value?.hasLoneSurrogate ?? false
        // It takes a mark, and puts U+FFFD for what is not UTF-8.
        if !hasMark, !isLone, String(validating: text, as: UTF8.self) != nil {
            try hold((answer != nil) == isValid, "the parser disagrees on \(text.quoted)")
        }
        if let answer {
            var again: [UInt8] = []
            answer.write(to: &again)
            try hold(StrictJSON.parse(again) != nil, "\(text.quoted) was written as \(again.quoted)")
            try hold((try? JSONParser.parse(again)) == answer, "\(text.quoted) comes back different: \(again.quoted)")
        }

        // Foundation takes more (a comma at the end, line breaks in strings) and less (half surrogates, large
        // exponents), and is slow; so only that what is valid is understood, and of one text in eight.
        if let value, isValid, !isLone, text.count % 8 == 0, text.count < 512, !text.contains(0x65),
            !text.contains(0x45)
        {
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            try hold(theirs != nil, "Foundation does not read \(text.quoted)")
            if let elements = value.elements {
                try hold((theirs as? [Any])?.count == elements.count, "Foundation counts otherwise in \(text.quoted)")
            }
        }
    }
}
