/// The row of a media file that no manifest named.
enum LooseRow {
    /// One line of NDJSON; the path is relative to the drop folder.
    static func line(for path: String) -> [UInt8] {
        let text = escape(path)
        // With `./` in front it is a path, whatever its extension.
        return Array("{\"row_data\":\"./".utf8) + text + Array("\",\"external_id\":\"".utf8) + text
            + Array("\"}\n".utf8)
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
