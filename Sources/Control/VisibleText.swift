internal import Reporting

/// Text from file names and servers, made fit for a terminal.
///
/// A name may hold escape sequences that move the cursor, recolour or retitle the terminal, or characters that
/// reverse the direction of what follows; whatever does not show as itself is shown as its number.
public enum VisibleText {
    /// The text with `\u{1b}` and the like in place of what does not show.
    public static func of(_ text: String) -> String { HarmlessText.of(text) }

    /// How many columns the text takes on a terminal.
    public static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + width($1) }
    }

    /// How many columns a line takes that this program coloured: its colours take none.
    static func shownWidth(_ line: String) -> Int {
        var width = 0
        var isEscape = false
        for scalar in line.unicodeScalars {
            if isEscape {
                isEscape = scalar != "m"
            } else if scalar == "\u{1B}" {
                isEscape = true
            } else {
                width += self.width(scalar)
            }
        }
        return width
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        // The wide and full-width ranges of Unicode's East Asian Width, roughly: too wide is only a little uglier.
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// The text cut to so many columns, with a mark where something is missing.
    ///
    /// - Parameters:
    ///   - text: What to show.
    ///   - columns: At least 1.
    ///   - keepsEnd: Whether the beginning is cut; the end of a path tells more than its beginning.
    /// - Returns: The text, with `…` where it was cut.
    public static func fit(_ text: String, columns: Int, keepsEnd: Bool = false) -> String {
        guard width(text) > columns else { return text }
        guard columns > 1 else { return "…" }
        var kept: [Unicode.Scalar] = []
        var used = 1
        let scalars = Array(text.unicodeScalars)
        for scalar in keepsEnd ? scalars.reversed() : scalars {
            used += width(scalar)
            if used > columns { break }
            kept.append(scalar)
        }
        var cut = ""
        cut.unicodeScalars.append(contentsOf: keepsEnd ? kept.reversed() : kept)
        return keepsEnd ? "…" + cut : cut + "…"
    }
}
