import Control
import Testing

@Suite("Text for a terminal")
struct TextTests {
    @Test(
        "what does not show as itself is shown as its number",
        arguments: [
            ("plain é 猫", "plain é 猫"), ("\u{1B}[2J", #"\u{1b}[2J"#), ("a\nb\tc\r", #"a\nb\tc\r"#),
            ("\u{9B}31m", #"\u{9b}31m"#), ("evil\u{202E}gpj.exe", #"evil\u{202e}gpj.exe"#), ("\u{7F}", #"\u{7f}"#),
            ("zero\u{200B}width", #"zero\u{200b}width"#), ("\u{E000}", #"\u{e000}"#),
        ])
    func visible(text: String, shown: String) { #expect(VisibleText.of(text) == shown) }

    @Test(
        "text is cut to columns, not characters",
        arguments: [
            ("abcdef", 6, false, "abcdef"), ("abcdef", 4, false, "abc…"), ("abcdef", 4, true, "…def"),
            ("猫猫猫", 5, false, "猫猫…"), ("猫猫猫", 4, false, "猫…"), ("abc", 1, false, "…"),
            ("e\u{301}e\u{301}e\u{301}", 3, false, "e\u{301}e\u{301}e\u{301}"),
        ])
    func cut(text: String, columns: Int, keepsEnd: Bool, shown: String) {
        let result = VisibleText.fit(text, columns: columns, keepsEnd: keepsEnd)
        #expect(result == shown)
        #expect(VisibleText.width(result) <= columns)
    }

    @Test(
        "ages have two units at most",
        arguments: [
            (-5.0, "0s"), (42.9, "42s"), (190, "3m10s"), (7500, "2h05m"), (273_600, "3d04h"), (.infinity, "?"),
        ])
    func ages(seconds: Double, text: String) { #expect(AgeText.of(seconds) == text) }

    private static func table() -> TextTable {
        var table = TextTable([.init("NAME", cut: .beginning), .init("N", isRight: true), .init("WHY", cut: .end)])
        table.add(["cats:a/very/long/path/rows.json", "7", "It waits for something that takes long."])
        table.add(["dogs:b", "1234", ""])
        return table
    }

    @Test("a table is as wide as it needs to be")
    func wide() {
        #expect(
            Self.table().lines(width: nil) == [
                "NAME                                N  WHY",
                "cats:a/very/long/path/rows.json     7  It waits for something that takes long.",
                "dogs:b                           1234",
            ])
    }

    @Test("a table that is too wide gives way where it may, down to a terminal of any width", arguments: 1...100)
    func fits(width: Int) {
        let lines = Self.table().lines(width: width)
        // Two columns of eight, one of four that is never cut, and the gaps.
        for line in lines { #expect(VisibleText.width(line) <= max(width, 24)) }
    }

    @Test("a table cuts a path at its beginning and a sentence at its end")
    func narrow() {
        #expect(Self.table().lines(width: 40)[1].hasPrefix("…"))
        #expect(Self.table().lines(width: 40)[1].hasSuffix("…"))
    }

    @Test("a name cannot break out of its line")
    func injection() {
        var table = TextTable([.init("NAME")])
        table.add(["x\u{1B}[31m\n\u{1B}]0;title\u{7}"])
        let lines = table.lines(width: nil)
        #expect(lines.count == 2)
        #expect(!lines.joined().unicodeScalars.contains { $0.value < 32 })
    }

    @Test(
        "colours are for terminals that want them",
        arguments: [
            (true, [:], true), (false, [:], false), (true, ["NO_COLOR": "1"], false), (true, ["NO_COLOR": ""], true),
            (true, ["TERM": "dumb"], false),
        ])
    func colours(isTerminal: Bool, environment: [String: String], isColoured: Bool) {
        let text = Palette(isTerminal: isTerminal, environment: environment).bad("x")
        #expect(text == (isColoured ? "\u{1B}[31mx\u{1B}[0m" : "x"))
    }
}
