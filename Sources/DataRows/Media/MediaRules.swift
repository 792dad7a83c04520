/// How a local file is judged before it is uploaded: by its name, its size and its first bytes.
public struct MediaRules: Sendable, Hashable {
    /// The largest file of each category, in bytes; a category that is not there has no limit.
    public var limits: [MediaCategory: Int64]
    /// Content types by extension, in lower case with the dot, that go before the table and before the first bytes.
    public var contentTypes: [String: String]

    /// What Labelbox's manual says of direct uploads: 256 MB for images, audio and text, 1,024 MB for videos.
    ///
    /// It says nothing of the others; megabytes are taken for the larger ones of 1,048,576 bytes.
    public static let documentedLimits: [MediaCategory: Int64] = [
        .image: 256 << 20, .audio: 256 << 20, .text: 256 << 20, .video: 1_024 << 20,
    ]

    /// How many of a file's first bytes are looked at.
    public static let headBytes = 1_024

    /// Creates rules; the limits have their documented values.
    public init(limits: [MediaCategory: Int64] = documentedLimits, contentTypes: [String: String] = [:]) {
        self.limits = limits
        self.contentTypes = contentTypes
    }

    /// Whether a file of this name is media by its extension alone; archives are not.
    public func isKnown(name: String) -> Bool {
        let suffix = Self.suffix(of: name)
        if contentTypes["." + suffix] != nil { return true }
        switch MediaFormat(extension: suffix) {
        case nil, .zip, .gzip: return false
        default: return true
        }
    }

    /// Judges one file.
    ///
    /// - Parameters:
    ///   - name: the file's, or its path; for its extension and for messages.
    ///   - size: in bytes.
    ///   - head: its first ``headBytes`` bytes, or all where there are fewer.
    /// - Returns: what it is sent as, and what speaks against it.
    public func judge(name: String, size: Int64, head: [UInt8]) -> MediaJudgement {
        var judgement = type(name, head)
        if size == 0 { judgement = Self.empty(name, judgement) }
        if let limit = limits[judgement.category], size > limit, judgement.refusal == nil {
            judgement.refusal = .init(
                code: "media_too_large",
                message:
                    "\(name) has \(size) bytes, and Labelbox takes \(Self.plural(judgement.category)) of up to \(limit): "
                    + "make it smaller, or put it where Labelbox can fetch it and write its address. If the account has another "
                    + "limit, set media_limits.\(judgement.category.rawValue)")
        }
        return judgement
    }

    // MARK: Types

    private func type(_ name: String, _ head: [UInt8]) -> MediaJudgement {
        let suffix = Self.suffix(of: name)
        if let given = contentTypes["." + suffix] {
            return MediaJudgement(contentType: given, category: Self.category(of: given, suffix))
        }
        let signature = MediaSignature(head)
        guard let named = MediaFormat(extension: suffix) else { return Self.unnamed(name, suffix, signature) }
        var judgement = MediaJudgement(contentType: named.contentType, category: named.category)
        switch signature {
        case .format(let found) where found == named: break
        case .format(let found) where found.isText && named.isText: break
        case .plainText where named.isText || named == .pcd: break
        case .format(let found) where found == .mp4 && found.sharesContainer(with: named): break
        case .format(let found)
        where found.category == named.category && !found.isText || found.sharesContainer(with: named):
            judgement = MediaJudgement(contentType: found.contentType, category: found.category)
            judgement.warning = .init(
                code: "media_type_differs",
                message:
                    "\(name) has the name of \(named.name), and its first bytes are those of \(found.name): it is sent as "
                    + "\(found.contentType)")
        case .format(let found):
            judgement.refusal = Self.mismatch(name, named, "\(found.name) (\(found.contentType))")
        case .plainText: judgement.warning = Self.doubt(name, named, "those of a text")
        case .unknown where named.isAlwaysTold && !head.isEmpty:
            judgement.warning = Self.doubt(name, named, "not those of one")
        case .unknown: break
        }
        return judgement
    }

    private static func mismatch(_ name: String, _ named: MediaFormat, _ found: String) -> MediaJudgement.Finding {
        .init(
            code: "media_type_mismatch",
            message:
                "\(name) has the name of \(named.name) (\(named.contentType)), and its first bytes are those of \(found): "
                + "put the right file there, or rename it")
    }

    private static func doubt(_ name: String, _ named: MediaFormat, _ found: String) -> MediaJudgement.Finding {
        .init(
            code: "media_type_doubtful",
            message: "\(name) has the name of \(named.name) (\(named.contentType)), and its first bytes are \(found); "
                + "Labelbox may refuse it")
    }

    private static func unnamed(_ name: String, _ suffix: String, _ signature: MediaSignature) -> MediaJudgement {
        if case .format(let found) = signature, found.category != .other {
            return MediaJudgement(contentType: found.contentType, category: found.category)
        }
        var judgement = MediaJudgement(contentType: "application/octet-stream", category: .other)
        judgement.warning = .init(
            code: "media_type_unknown",
            message:
                "\(name) has an extension that says nothing of its type; it is sent as application/octet-stream, which "
                + "Labelbox may refuse"
                + (suffix.isEmpty ? "" : ": set content_types {\".\(suffix)\": …} if you know better"))
        return judgement
    }

    private static func empty(_ name: String, _ judgement: MediaJudgement) -> MediaJudgement {
        var judgement = judgement
        let isText = judgement.category == .text || judgement.category == .html
        let finding = MediaJudgement.Finding(
            code: "media_empty", message: "\(name) is empty" + (isText ? "" : ": put the whole file there"))
        if isText { judgement.warning = finding } else { judgement.refusal = finding }
        return judgement
    }

    private static func suffix(of name: String) -> String {
        let last = name.utf8.lastIndex(of: 0x2f).map { name[name.index(after: $0)...] } ?? name[...]
        guard let dot = last.utf8.lastIndex(of: 0x2e), dot > last.startIndex else { return "" }
        return last[last.index(after: dot)...].lowercased()
    }

    /// The category of a content type that was configured.
    private static func category(of type: String, _ suffix: String) -> MediaCategory {
        switch type.prefix(while: { $0 != "/" }) {
        case "image": .image
        case "video": .video
        case "audio": .audio
        case "text": type == "text/html" ? .html : .text
        default: type == "application/pdf" ? .pdf : MediaFormat(extension: suffix)?.category ?? .other
        }
    }

    private static func plural(_ category: MediaCategory) -> String {
        switch category {
        case .image: "images"
        case .video: "videos"
        case .audio: "audio files"
        case .text: "texts"
        case .html: "HTML pages"
        case .pdf: "PDF documents"
        case .geospatial: "geospatial images"
        case .pointCloud: "point clouds"
        case .other: "other files"
        }
    }
}

/// What was found out about one local file.
public struct MediaJudgement: Sendable, Hashable {
    /// Something that speaks against a file.
    public struct Finding: Sendable, Hashable {
        /// A stable word for programs.
        public var code: String
        /// What is wrong and how to mend it.
        public var message: String
    }

    /// What it is sent as.
    public var contentType: String
    /// By which limit it was measured.
    public var category: MediaCategory
    /// Why it is not uploaded; nil where it is.
    public var refusal: Finding?
    /// What is odd about it and stops nothing.
    public var warning: Finding?
}
