internal import Ledger

/// The commands by which somebody finds out what is wrong with a manifest, and has it imported in the end.
struct MendingCommands: Sendable, Hashable {
    /// To be pasted into a shell; empty where the name cannot be written there.
    let lines: [String]

    init(_ status: StatusReport) {
        guard status.manifestBase64 == nil, let name = Self.word("\(status.watch):\(status.manifest)") else {
            lines = []
            return
        }
        var lines = ["datarowctl status \(name)"]
        if let failed = status.failedRowsFile.flatMap(Self.word), let watch = Self.word(status.watch) {
            lines.append("${EDITOR:-vi} \(failed)")
            lines.append("datarowctl drop \(failed) --watch \(watch) --wait")
        } else if status.state == .failed {
            lines.append("datarowctl retry \(name)")
        }
        self.lines = lines
    }

    /// A word as a shell takes it, whatever is in it; `nil` for what a terminal would act on or not show as it is.
    static func word(_ text: String) -> String? {
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.value < 0x20 || HarmlessText.isHidden($0) })
        else { return nil }
        let plain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-./:@%+=,".utf8.contains(byte)
            }
        }
        if plain, !text.hasPrefix("-") { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
