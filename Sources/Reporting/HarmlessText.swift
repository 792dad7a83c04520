/// Text from file names and servers, made fit for logs and terminals.
///
/// It may hold line breaks that forge a line, escape sequences that move the cursor, recolour or retitle the terminal, or
/// characters that reverse the direction of what follows; whatever does not show as itself is written as its number.
public enum HarmlessText {
    /// The text with `\u{1b}` and the like in place of what does not show.
    public static func of(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var harmless = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) {
                harmless += escape(scalar)
            } else {
                harmless.unicodeScalars.append(scalar)
            }
        }
        return harmless
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16))}"
        }
    }

    /// Whether the scalar does not show as itself.
    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7f }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
