/// What a file holds, as coarsely as Labelbox sets its limits.
public enum MediaCategory: String, Sendable, Codable, CaseIterable {
    case image, video, audio, text, html, pdf, geospatial
    case pointCloud = "point_cloud"
    case other
}

/// A format that files come in, with the content type that it is sent as.
///
/// A fixed table: guesses differ from machine to machine, and Labelbox refuses some of them, such as `image/x-ms-bmp`.
enum MediaFormat: CaseIterable {
    case jpeg, png, bmp, gif, webp, tiff, heic, avif, svg
    case mp4, quicktime, webm, matroska, avi
    case mp3, wav, m4a, flac, ogg, aac
    case text, markdown, csv, json, lines, xml, html
    case pdf
    case nitf, dicom
    case las, pcd, ply
    case zip, gzip

    /// The content type, and how the format is called in a sentence.
    private var description: (type: String, name: String) {
        switch self {
        case .jpeg: ("image/jpeg", "a JPEG image")
        case .png: ("image/png", "a PNG image")
        case .bmp: ("image/bmp", "a BMP image")
        case .gif: ("image/gif", "a GIF image")
        case .webp: ("image/webp", "a WebP image")
        case .tiff: ("image/tiff", "a TIFF image")
        case .heic: ("image/heic", "a HEIC image")
        case .avif: ("image/avif", "an AVIF image")
        case .svg: ("image/svg+xml", "an SVG image")
        case .mp4: ("video/mp4", "an MP4 video")
        case .quicktime: ("video/quicktime", "a QuickTime video")
        case .webm: ("video/webm", "a WebM video")
        case .matroska: ("video/x-matroska", "a Matroska video")
        case .avi: ("video/x-msvideo", "an AVI video")
        case .mp3: ("audio/mpeg", "MP3 audio")
        case .wav: ("audio/wav", "WAV audio")
        case .m4a: ("audio/mp4", "MPEG-4 audio")
        case .flac: ("audio/flac", "FLAC audio")
        case .ogg: ("audio/ogg", "Ogg audio")
        case .aac: ("audio/aac", "AAC audio")
        case .text: ("text/plain", "a text")
        case .markdown: ("text/markdown", "a text")
        case .csv: ("text/csv", "a table in text")
        case .json: ("application/json", "JSON")
        case .lines: ("application/x-ndjson", "lines of JSON")
        case .xml: ("application/xml", "XML")
        case .html: ("text/html", "an HTML page")
        case .pdf: ("application/pdf", "a PDF document")
        case .nitf: ("application/octet-stream", "a NITF image")
        case .dicom: ("application/dicom", "a DICOM file")
        case .las: ("application/octet-stream", "a LAS point cloud")
        case .pcd: ("application/octet-stream", "a PCD point cloud")
        case .ply: ("application/octet-stream", "a PLY point cloud")
        case .zip: ("application/zip", "a ZIP archive")
        case .gzip: ("application/gzip", "a gzip file")
        }
    }

    var contentType: String { description.type }
    /// With its article, to stand in a sentence.
    var name: String { description.name }

    var category: MediaCategory {
        switch self {
        case .jpeg, .png, .bmp, .gif, .webp, .tiff, .heic, .avif, .svg: .image
        case .mp4, .quicktime, .webm, .matroska, .avi: .video
        case .mp3, .wav, .m4a, .flac, .ogg, .aac: .audio
        case .text, .markdown, .csv, .json, .lines, .xml: .text
        case .html: .html
        case .pdf: .pdf
        case .nitf: .geospatial
        case .las, .pcd, .ply: .pointCloud
        case .dicom, .zip, .gzip: .other
        }
    }

    /// Written in characters, so that its first bytes do not tell it from other text.
    var isText: Bool {
        switch self {
        case .svg, .text, .markdown, .csv, .json, .lines, .xml, .html: true
        default: false
        }
    }

    /// Whether every file of the format can be told by its first bytes.
    var isAlwaysTold: Bool {
        switch self {
        case .jpeg, .png, .bmp, .gif, .webp, .tiff, .heic, .avif, .webm, .matroska, .avi, .wav, .flac, .ogg, .pdf,
            .nitf,
            .las, .ply, .zip, .gzip:
            true
        default: false
        }
    }

    /// Whether the two share a container, so that one may pass for the other.
    func sharesContainer(with other: MediaFormat) -> Bool {
        let shared: Set<MediaFormat> = [.mp4, .quicktime, .m4a]
        return shared.contains(self) && shared.contains(other)
    }

    /// The format that an extension, in lower case and without its dot, stands for.
    init?(extension name: String) {
        guard let format = Self.byExtension[name] else { return nil }
        self = format
    }

    private static let byExtension: [String: MediaFormat] = [
        "jpg": .jpeg, "jpeg": .jpeg, "png": .png, "bmp": .bmp, "gif": .gif, "webp": .webp, "tif": .tiff, "tiff": .tiff,
        "geotiff": .tiff, "heic": .heic, "heif": .heic, "avif": .avif, "svg": .svg,
        "mp4": .mp4, "m4v": .mp4, "mov": .quicktime, "webm": .webm, "mkv": .matroska, "avi": .avi,
        "mp3": .mp3, "wav": .wav, "m4a": .m4a, "flac": .flac, "ogg": .ogg, "aac": .aac,
        "txt": .text, "md": .markdown, "csv": .csv, "json": .json, "jsonl": .lines, "ndjson": .lines, "xml": .xml,
        "html": .html, "htm": .html, "pdf": .pdf,
        "ntf": .nitf, "nitf": .nitf, "dcm": .dicom, "las": .las, "laz": .las, "pcd": .pcd, "ply": .ply,
        "zip": .zip, "gz": .gzip,
    ]
}
