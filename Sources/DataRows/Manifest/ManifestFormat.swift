/// How the rows of a manifest are laid out, as its name says.
public struct ManifestFormat: Sendable, Hashable {
    /// The layout of the text.
    public enum Layout: String, Sendable, Codable {
        /// One JSON document: a list of rows, or an object with `rows`.
        case document
        /// One row after another with a line break between them (JSON Lines, NDJSON).
        case lines
    }

    /// The layout of the text.
    public var layout: Layout
    /// Whether the text is compressed with gzip.
    public var isCompressed: Bool

    /// Creates a format.
    public init(_ layout: Layout, isCompressed: Bool = false) {
        self.layout = layout
        self.isCompressed = isCompressed
    }

    /// The format that a file's name stands for: `.json`, `.jsonl` or `.ndjson`, each perhaps with `.gz`, in any
    /// case; nil for all others.
    public init?(fileName: String) {
        var name = fileName.lowercased()[...]
        let isCompressed = name.hasSuffix(".gz")
        if isCompressed { name = name.dropLast(3) }
        if name.hasSuffix(".json") {
            self.init(.document, isCompressed: isCompressed)
        } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            self.init(.lines, isCompressed: isCompressed)
        } else {
            return nil
        }
    }
}
