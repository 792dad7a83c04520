/// The row of a media file that no manifest named.
package enum LooseRow {
    /// One line of NDJSON; the path is relative to the drop folder.
    package static func line(for path: String) -> [UInt8] {
        let text = escape(path)
        // With `./` in front it is a path, whatever its extension; but with a line break in it, it would be a text.
        let hasBreak = path.utf8.contains { $0 == 0x0a || $0 == 0x0d }
        let row = hasBreak ? Array("file:./".utf8) + percentEscape(path) : Array("./".utf8) + text
        return Array("{\"row_data\":\"".utf8) + row + Array("\",\"external_id\":\"".utf8) + text
            + Array("\"}\n".utf8)
    }

    private static func percentEscape(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0...0x20, 0x7F, UInt8(ascii: "%"), UInt8(ascii: "\""), UInt8(ascii: "\\"):
                result += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: result.append(byte)
            }
        }
        return result
    }

    private static func escape(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7F:
                result += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: result.append(byte)
            }
        }
        return result
    }

    private static let hex = Array("0123456789abcdef".utf8)
}
