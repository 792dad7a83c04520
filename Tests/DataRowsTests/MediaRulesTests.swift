import DataRows
import Testing

/// What becomes of a file by its name, its size and its first bytes.
@Suite struct MediaJudgements {
    struct Example: CustomTestStringConvertible, Sendable {
        let name: String
        let head: [UInt8]
        let type: String
        let refusal: String?
        let warning: String?

        init(
            _ name: String, _ head: [UInt8], _ type: String, refusal: String? = nil, warning: String? = nil
        ) {
            (self.name, self.head, self.type) = (name, head, type)
            (self.refusal, self.warning) = (refusal, warning)
        }

        init(_ name: String, _ head: String, _ type: String, refusal: String? = nil, warning: String? = nil) {
            self.init(name, Array(head.utf8), type, refusal: refusal, warning: warning)
        }

        var testDescription: String { "\(name) \(String(decoding: head.prefix(24), as: UTF8.self).debugDescription)" }
    }

    static let jpeg: [UInt8] = [0xff, 0xd8, 0xff, 0xe0, 0, 16] + Array("JFIF".utf8)
    static let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]
    static let bmp: [UInt8] = Array("BM".utf8) + [1, 2, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]
    static let tiff: [UInt8] = [0x49, 0x49, 0x2a, 0, 8, 0, 0, 0]
    static let wav = Array("RIFF".utf8) + [1, 2, 3, 4] + Array("WAVEfmt ".utf8)
    static func iso(_ brand: String) -> [UInt8] { [0, 0, 0, 24] + Array("ftyp\(brand)".utf8) + [0, 0, 2, 0] }
    static func ebml(_ type: String) -> [UInt8] {
        [0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86, 0x81, 1, 0x42, 0x82, 0x84] + Array(type.utf8)
    }
    static let garbage: [UInt8] = [0, 1, 2, 3, 0xfe, 0xdc, 0, 0, 0, 9]

    /// Every format by its magic number, under its own name.
    static let right: [Example] = [
        Example("a.jpg", jpeg, "image/jpeg"), Example("dir.x/A.JPEG", jpeg, "image/jpeg"),
        Example("a.png", png, "image/png"), Example("a.bmp", bmp, "image/bmp"), Example("a.gif", "GIF89a", "image/gif"),
        Example("a.webp", Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBPVP8 ".utf8), "image/webp"),
        Example("a.tif", tiff, "image/tiff"), Example("a.geotiff", [0x4d, 0x4d, 0, 0x2b, 0, 8], "image/tiff"),
        Example("a.heic", iso("heic"), "image/heic"), Example("a.avif", iso("avif"), "image/avif"),
        Example("a.svg", "<?xml version='1.0'?><svg>", "image/svg+xml"), Example("a.svg", "<svg>", "image/svg+xml"),
        Example("a.mp4", iso("isom"), "video/mp4"), Example("a.m4v", iso("M4V "), "video/mp4"),
        Example("a.mov", iso("qt  "), "video/quicktime"), Example("a.mov", iso("mp42"), "video/quicktime"),
        Example("a.mov", [0, 0, 0, 8] + Array("wide".utf8), "video/quicktime"),
        Example("a.webm", ebml("webm"), "video/webm"), Example("a.mkv", ebml("matroska"), "video/x-matroska"),
        Example("a.avi", Array("RIFF".utf8) + [0, 0, 0, 0] + Array("AVI LIST".utf8), "video/x-msvideo"),
        Example("a.mp3", Array("ID3".utf8) + [4, 0], "audio/mpeg"),
        Example("a.mp3", [0xff, 0xfb, 0x90, 0x64], "audio/mpeg"),
        Example("a.mp3", [0, 0, 0, 0xff, 0xfb, 0x90], "audio/mpeg"),
        Example("a.wav", wav, "audio/wav"), Example("a.m4a", iso("M4A "), "audio/mp4"),
        Example("a.m4a", iso("mp42"), "audio/mp4"),
        Example("a.flac", "fLaC", "audio/flac"), Example("a.ogg", "OggS", "audio/ogg"),
        Example("a.aac", [0xff, 0xf1, 0x50, 0x80], "audio/aac"),
        Example("a.txt", "Hello.", "text/plain"), Example("a.txt", garbage, "text/plain"),
        Example("a.txt", "<html>", "text/plain"), Example("a.txt", "{}", "text/plain"),
        Example("a.csv", "a;b", "text/csv"), Example("a.json", "{}", "application/json"),
        Example("a.md", "# A", "text/markdown"),
        Example("a.html", "<p>", "text/html"), Example("a.htm", "<!DOCTYPE html>", "text/html"),
        Example("a.pdf", "%PDF-1.7", "application/pdf"), Example("a.pdf", "\n\n%PDF-1.7", "application/pdf"),
        Example("a.ntf", "NITF02.10", "application/octet-stream"),
        Example("a.dcm", [UInt8](repeating: 0, count: 128) + Array("DICM".utf8), "application/dicom"),
        Example("a.las", "LASF", "application/octet-stream"),
        Example("a.pcd", "# .PCD v.7", "application/octet-stream"),
        Example("a.ply", "ply\nformat", "application/octet-stream"),
        Example("a.zip", [0x50, 0x4b, 3, 4], "application/zip"),
        // Without a telling extension, the first bytes tell.
        Example("photo", jpeg, "image/jpeg"), Example("a.dat", "%PDF-1.4", "application/pdf"),
    ]

    static let wrong: [Example] = [
        Example("a.jpg", "<!DOCTYPE HTML><html>", "image/jpeg", refusal: "media_type_mismatch"),
        Example("a.jpg", "\u{feff}\n  <HTML lang=en>", "image/jpeg", refusal: "media_type_mismatch"),
        Example("a.png", "<?xml version=\"1.0\"?><Error>", "image/png", refusal: "media_type_mismatch"),
        Example("a.png", #"{"error": "not found"}"#, "image/png", refusal: "media_type_mismatch"),
        Example("a.mp3", "<html>", "audio/mpeg", refusal: "media_type_mismatch"),
        Example("a.jpg", "%PDF-1.4", "image/jpeg", refusal: "media_type_mismatch"),
        Example("a.jpg", iso("isom"), "image/jpeg", refusal: "media_type_mismatch"),
        Example("a.mp4", jpeg, "video/mp4", refusal: "media_type_mismatch"),
        Example("a.txt", png, "text/plain", refusal: "media_type_mismatch"),
        Example("a.pdf", png, "application/pdf", refusal: "media_type_mismatch"),
        Example("a.jpg", [0x50, 0x4b, 3, 4], "image/jpeg", refusal: "media_type_mismatch"),
        // Of the same kind, the true type is sent.
        Example("a.png", jpeg, "image/jpeg", warning: "media_type_differs"),
        Example("a.mp4", iso("qt  "), "video/quicktime", warning: "media_type_differs"),
        Example("a.mp4", iso("M4A "), "audio/mp4", warning: "media_type_differs"),
        Example("a.mp3", wav, "audio/wav", warning: "media_type_differs"),
        Example("a.webm", ebml("matroska"), "video/x-matroska", warning: "media_type_differs"),
        // Nobody knows.
        Example("a.jpg", garbage, "image/jpeg", warning: "media_type_doubtful"),
        Example("a.jpg", "just a text", "image/jpeg", warning: "media_type_doubtful"),
        Example("a.xyz", garbage, "application/octet-stream", warning: "media_type_unknown"),
        Example("noextension", "text", "application/octet-stream", warning: "media_type_unknown"),
        Example(".jpg", garbage, "application/octet-stream", warning: "media_type_unknown"),
    ]

    @Test(arguments: right + wrong) func aFileIsJudgedByNameAndFirstBytes(_ example: Example) {
        let judgement = MediaRules().judge(name: example.name, size: Int64(example.head.count), head: example.head)
        #expect(judgement.contentType == example.type)
        #expect(judgement.refusal?.code == example.refusal)
        #expect(judgement.warning?.code == example.warning)
        for finding in [judgement.refusal, judgement.warning].compactMap(\.self) {
            #expect(finding.message.hasPrefix(example.name))
        }
    }

    @Test func aMismatchSaysWhatTheNameAndTheBytesAre() {
        let judgement = MediaRules().judge(name: "b/cat.jpg", size: 9, head: Array("<html></html>".utf8))
        #expect(
            judgement.refusal?.message
                == "b/cat.jpg has the name of a JPEG image (image/jpeg), and its first bytes are those of an HTML page (text/html): "
                + "put the right file there, or rename it")
    }

    @Test func whatIsConfiguredGoesBeforeNameAndBytes() {
        let rules = MediaRules(contentTypes: [".xyz": "application/foo", ".jpg": "image/x-raw"])
        #expect(rules.judge(name: "a.XYZ", size: 9, head: Self.garbage).contentType == "application/foo")
        let judgement = rules.judge(name: "a.jpg", size: 9, head: Array("<html>".utf8))
        #expect(judgement.contentType == "image/x-raw" && judgement.category == .image)
        #expect(judgement.refusal == nil && judgement.warning == nil)
    }

    @Test(
        arguments: [
            ("a.jpg", "media_empty", nil), ("a.mp4", "media_empty", nil), ("a.pdf", "media_empty", nil),
            ("noextension", "media_empty", nil), ("a.txt", nil, "media_empty"), ("a.html", nil, "media_empty"),
        ] as [(String, String?, String?)])
    func anEmptyFileIsAnErrorUnlessItIsText(_ name: String, _ refusal: String?, _ warning: String?) {
        let judgement = MediaRules().judge(name: name, size: 0, head: [])
        #expect(judgement.refusal?.code == refusal)
        if refusal == nil { #expect(judgement.warning?.code == warning) }
    }

    static let quarter: Int64 = 256 << 20
    static let sizes: [(name: String, size: Int64, isTooLarge: Bool)] = [
        ("a.jpg", quarter, false), ("a.jpg", quarter + 1, true), ("a.mp4", quarter * 4, false),
        ("a.mp4", quarter * 4 + 1, true), ("a.wav", quarter + 1, true), ("a.txt", quarter + 1, true),
        ("a.pdf", quarter * 99, false), ("a.tif", quarter + 1, true), ("a.las", quarter * 99, false),
    ]

    @Test(arguments: sizes)
    func aFileIsHeldToTheLimitOfItsKind(_ name: String, _ size: Int64, _ isTooLarge: Bool) {
        let refusal = MediaRules().judge(name: name, size: size, head: []).refusal
        #expect(refusal?.code == (isTooLarge ? "media_too_large" : nil))
        if isTooLarge { #expect(refusal?.message.contains("\(size)") == true) }
    }

    @Test func theLimitIsThatOfTheTrueKindAndMayBeSet() {
        let rules = MediaRules(limits: [.audio: 10, .pdf: 5])
        #expect(rules.judge(name: "a.mp4", size: 11, head: Self.iso("M4A ")).refusal?.code == "media_too_large")
        #expect(rules.judge(name: "a.pdf", size: 6, head: []).refusal?.message.contains("media_limits.pdf") == true)
        #expect(rules.judge(name: "a.jpg", size: 1 << 40, head: Self.jpeg).refusal == nil)
    }
}
