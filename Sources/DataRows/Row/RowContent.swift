/// What a row's `row_data` is.
enum RowContent: Equatable {
    /// An address that Labelbox fetches from, or any other text that is sent as it is.
    case inline
    /// A file beside the manifest, to be uploaded first.
    case path
    /// An object or a list, sent byte for byte.
    case structured
    /// A text that is too long to be sent inline: uploaded as a file first.
    case longText
    /// An address that Labelbox does not take.
    case s3
    /// Neither text nor object.
    case invalid

    /// Endings of names that make a text a path.
    static let mediaExtensions: Set<String> = [
        "jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff", "heic",
        "mp4", "m4v", "mov", "avi", "mkv", "webm",
        "mp3", "wav", "m4a", "flac", "ogg", "aac",
        "txt", "pdf", "html", "htm", "json", "csv",
        "ntf", "nitf", "dcm", "geotiff", "las", "laz", "pcd", "ply",
    ]

    /// Paths longer than this are texts (Linux's `PATH_MAX`).
    private static let longestPath = 4096

    init(of value: JSONSlice, maximumTextBytes: Int) {
        switch value.kind {
        case .object, .list: self = .structured
        case .string:
            let text = value.inner
            if Self.isAddress(text) {
                self = .inline
            } else if Self.isS3(text) {
                self = .s3
            } else if Self.isPath(text) {
                self = .path
            } else if text.count > maximumTextBytes, JSONText.unescapedLossily(text).count > maximumTextBytes {
                self = .longText
            } else {
                self = .inline
            }
        default: self = .invalid
        }
    }

    /// `https://`, `http://` or `gs://`, also with escaped slashes.
    @inline(__always) private static func isAddress(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count > 5 else { return false }
        switch text[0] | 0x20 {
        case 0x68: return hasScheme(text, "https:") || hasScheme(text, "http:")
        case 0x67: return hasScheme(text, "gs:")
        default: return false
        }
    }

    private static func isS3(_ text: UnsafeRawBufferPointer) -> Bool {
        if text.starts(with: "s3:/".utf8) { return true }
        guard text.first == 0x73 || text.first == 0x5c, text.prefix(24).contains(0x5c) else { return false }
        // Four characters, each perhaps an escape of six.
        return JSONText.unescapedLossily(UnsafeRawBufferPointer(rebasing: text.prefix(24))).starts(with: "s3:/".utf8)
    }

    private static func hasScheme(_ text: UnsafeRawBufferPointer, _ scheme: StaticString) -> Bool {
        let length = scheme.utf8CodeUnitCount
        guard text.count > length + 1 else { return false }
        for at in 0..<length where text[at] | 0x20 != scheme.utf8Start[at] { return false }
        return text[length] == 0x2f || text[length] == 0x5c && text[length + 1] == 0x2f
    }

    private static func isPath(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return false }
        if text.starts(with: "file:".utf8) { return true }
        guard text.count <= longestPath * 6 else { return false }
        // '/', './' or '../' in front ('\/' is an escaped slash), or the dot of an ending near the end.
        let leads = first == 0x2f || first == 0x2e || text.starts(with: "\\/".utf8)
        guard leads || text.suffix(9).contains(0x2e) || text.contains(0x5c) else { return false }
        guard let plain = JSONText.unescaped(text), plain.count <= longestPath else { return false }
        guard !plain.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else { return false }
        // By bytes: a mark that combines with the slash before it would hide it from a comparison of characters.
        if plain.starts(with: "/".utf8) || plain.starts(with: "./".utf8) || plain.starts(with: "../".utf8) {
            return true
        }
        guard let dot = plain.lastIndex(of: 0x2e),
            mediaExtensions.contains(String(decoding: plain[(dot + 1)...], as: UTF8.self).lowercased())
        else { return false }
        // Another scheme's address is none of ours.
        return !plain.indices.contains { plain[$0...].starts(with: "://".utf8) }
    }
}

/// A path as a row names it.
enum MediaPath {
    /// The path that a string of a row stands for: `file:` taken off and its percent escapes resolved; nil when
    /// it can be no path.
    static func resolve(_ text: String) -> String? {
        guard !text.isEmpty, !text.utf8.contains(0) else { return nil }
        guard text.utf8.starts(with: "file:".utf8) else { return text }
        var utf8 = text.utf8.dropFirst(5)
        if utf8.starts(with: "//".utf8) {
            utf8 = utf8.dropFirst(2)
            // file://host/path: only this host's files can be meant.
            guard let slash = utf8.firstIndex(of: 0x2f) else { return nil }
            let host = utf8[..<slash]
            guard host.isEmpty || host.elementsEqual("localhost".utf8) else { return nil }
            utf8 = utf8[slash...]
        }
        var bytes: [UInt8] = []
        while let byte = utf8.popFirst() {
            if byte == 0x25, let high = utf8.first.flatMap(hexValue), let low = utf8.dropFirst().first.flatMap(hexValue)
            {
                bytes.append(UInt8(high << 4 | low))
                utf8 = utf8.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// What stands for the path in `external_id`: the path as given, but never an absolute one, only its last part.
    static func externalID(_ path: String) -> String {
        guard path.utf8.first == 0x2f else { return path }
        return path.utf8.split(separator: 0x2f).last.flatMap { String($0) } ?? path
    }
}
