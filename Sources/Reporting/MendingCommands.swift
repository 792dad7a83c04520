internal import Ledger
package import SystemPackage

/// The commands by which somebody finds out what is wrong with a manifest, and has it imported in the end.
package struct MendingCommands: Sendable, Hashable {
    /// To be pasted into a shell; empty where the name cannot be written there.
    package let lines: [String]

    /// - Parameters:
    ///   - status: of a manifest that ended badly.
    ///   - manifest: where it lies now.
    package init(_ status: StatusReport, manifest: FilePath?) {
        guard status.manifestBase64 == nil, let name = Self.word("\(status.watch):\(status.manifest)"),
            let watch = Self.word(status.watch)
        else {
            lines = []
            return
        }
        // What has to be mended: just the rows that failed, where there are any, else all of it.
        let mended: String? =
            switch status.state {
            case .failed: nil
            default: (status.failedRowsFile ?? manifest?.string).flatMap(Self.word)
            }
        var lines = ["datarowctl status \(name)"]
        if let mended {
            lines += ["${EDITOR:-vi} \(mended)", "datarowctl drop \(mended) --watch \(watch) --wait"]
        } else if status.state == .failed {
            lines.append("datarowctl retry \(name)")
        }
        self.lines = lines
    }

    /// A word as a shell takes it, whatever is in it; `nil` for what a terminal would act on or not show as it is.
    package static func word(_ text: String) -> String? {
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
