internal import SystemPackage

/// What a file is called on the wire, by its name's extension.
///
/// A fixed table, since guesses differ from machine to machine and Labelbox refuses some of them, such as
/// `image/x-ms-bmp`; and always some type, since uploads without one are refused in some organizations.
enum ContentTypes {
    private static let byExtension: [String: String] = [
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp", "gif": "image/gif",
        "webp": "image/webp", "tif": "image/tiff", "tiff": "image/tiff", "svg": "image/svg+xml",
        "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime", "webm": "video/webm",
        "avi": "video/x-msvideo",
        "mp3": "audio/mpeg", "wav": "audio/wav", "m4a": "audio/mp4", "flac": "audio/flac", "ogg": "audio/ogg",
        "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html", "htm": "text/html",
        "json": "application/json", "jsonl": "application/x-ndjson", "ndjson": "application/x-ndjson",
        "pdf": "application/pdf", "ntf": "application/octet-stream", "dcm": "application/dicom",
        "zip": "application/zip", "gz": "application/gzip",
    ]

    static func type(of path: FilePath) -> String {
        byExtension[path.extension?.lowercased() ?? ""] ?? "application/octet-stream"
    }
}
