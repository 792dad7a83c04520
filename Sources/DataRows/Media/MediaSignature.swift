/// What a file is by its first bytes.
enum MediaSignature: Equatable {
    case format(MediaFormat)
    /// Characters, and of no format that shows.
    case plainText
    case unknown

    /// Judges by the first bytes of a file; 1,024 are enough, and fewer only where the file is shorter.
    init(_ head: [UInt8]) {
        if let format = Self.binary(head) ?? Self.written(head) {
            self = .format(format)
        } else {
            self = Self.isText(head) ? .plainText : .unknown
        }
    }

    // MARK: Magic numbers

    private static func binary(_ head: [UInt8]) -> MediaFormat? {
        func has(_ text: StaticString, at place: Int = 0) -> Bool {
            let bytes = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
            return head.count >= place + bytes.count && head[place..<place + bytes.count].elementsEqual(bytes)
        }
        func has(_ bytes: [UInt8], at place: Int = 0) -> Bool {
            head.count >= place + bytes.count && head[place..<place + bytes.count].elementsEqual(bytes)
        }
        if has([0xff, 0xd8, 0xff]) { return .jpeg }
        if has([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return .png }
        if has("GIF87a") || has("GIF89a") { return .gif }
        if has([0x49, 0x49, 0x2a, 0]) || has([0x4d, 0x4d, 0, 0x2a]) { return .tiff }
        if has([0x49, 0x49, 0x2b, 0]) || has([0x4d, 0x4d, 0, 0x2b]) { return .tiff }  // BigTIFF
        if has("RIFF") {
            if has("WEBP", at: 8) { return .webp }
            if has("WAVE", at: 8) { return .wav }
            if has("AVI ", at: 8) { return .avi }
        }
        if has("BM"), has([0, 0, 0, 0], at: 6), head.count > 17, [12, 40, 52, 56, 64, 108, 124].contains(head[14]) {
            return .bmp
        }
        if has("ftyp", at: 4) { return isoMedia(head) }
        // Older files without a brand begin with one of these.
        if has("moov", at: 4) || has("mdat", at: 4) || has("wide", at: 4) || has("pnot", at: 4) { return .quicktime }
        if has([0x1a, 0x45, 0xdf, 0xa3]) {
            // The document's type stands near the start; without it, it may be either.
            let start = head.prefix(128)
            if start.firstRange(of: Array("matroska".utf8)) != nil { return .matroska }
            return start.firstRange(of: Array("webm".utf8)) != nil ? .webm : nil
        }
        if has("ID3") { return .mp3 }
        if has("fLaC") { return .flac }
        if has("OggS") { return .ogg }
        if head.prefix(1_024).firstRange(of: Array("%PDF-".utf8)) != nil { return .pdf }
        if has("NITF0") || has("NSIF0") { return .nitf }
        if has("LASF") { return .las }
        if has("ply\n") || has("ply\r\n") { return .ply }
        if has("# .PCD") || has("VERSION 0.7") || has("VERSION .7") { return .pcd }
        if has("DICM", at: 128) { return .dicom }
        if has([0x50, 0x4b, 3, 4]) || has([0x50, 0x4b, 5, 6]) { return .zip }
        if has([0x1f, 0x8b]) { return .gzip }
        return frame(head)
    }

    /// By the brand of a file of the MPEG-4 family.
    private static func isoMedia(_ head: [UInt8]) -> MediaFormat {
        guard head.count >= 12 else { return .mp4 }
        switch String(decoding: head[8..<12], as: UTF8.self) {
        case "M4A ", "M4B ": return .m4a
        case "qt  ": return .quicktime
        case "heic", "heix", "heim", "hevc", "mif1", "msf1": return .heic
        case "avif", "avis": return .avif
        default: return .mp4
        }
    }

    /// MPEG audio that begins with a frame.
    private static func frame(_ head: [UInt8]) -> MediaFormat? {
        guard head.count >= 4, head[0] == 0xff, head[1] & 0xe0 == 0xe0 else { return nil }
        if head[1] & 0xf6 == 0xf0 { return .aac }
        let (version, layer) = (head[1] >> 3 & 3, head[1] >> 1 & 3)
        let (rate, sampling) = (head[2] >> 4, head[2] >> 2 & 3)
        return version != 1 && layer != 0 && rate != 15 && rate != 0 && sampling != 3 ? .mp3 : nil
    }

    // MARK: Text

    private static func written(_ head: [UInt8]) -> MediaFormat? {
        var rest = head[...]
        if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
        rest = rest.drop { $0 == 0x20 || $0 >= 0x09 && $0 <= 0x0d }
        let start = String(decoding: rest.prefix(256), as: UTF8.self).lowercased()
        if start.hasPrefix("<!--") || start.hasPrefix("<?xml") {
            if start.contains("<html") || start.contains("<!doctype html") { return .html }
            if start.contains("<svg") { return .svg }
            return start.hasPrefix("<?xml") ? .xml : .html
        }
        if start.hasPrefix("<svg") { return .svg }
        for tag in ["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<meta", "<style"]
        where start.hasPrefix(tag) {
            return .html
        }
        // As a server's error looks that was saved as a picture.
        if let first = start.first, first == "{" || first == "[", isText(head) { return .json }
        return nil
    }

    /// Whether there is nothing but characters; the last may be cut off.
    private static func isText(_ head: [UInt8]) -> Bool {
        if head.starts(with: [0xff, 0xfe]) || head.starts(with: [0xfe, 0xff]) { return true }
        guard !head.contains(where: { $0 < 0x20 && !(0x09...0x0d ~= $0) && $0 != 0x1b }) else { return false }
        for cut in 0...min(3, head.count) where String(validating: head.dropLast(cut), as: UTF8.self) != nil {
            return true
        }
        return false
    }
}
