public import Transport

/// What `uploadFile` gave for the bytes.
public struct UploadedFile: Hashable, Sendable {
    /// Opaque: handed back exactly as it came, query string included.
    public let url: String

    /// Creates it from the address.
    public init(url: String) { self.url = url }
}

extension LabelboxClient {
    /// Uploads a file, or a chunk or manifest of an import.
    ///
    /// - Parameters:
    ///   - content: read as it is sent.
    ///   - byteCount: its exact length; 2,147,483,647 at most, which is all that the API's `Int` can carry.
    ///   - filename: the last path component.
    ///   - contentType: nil sends none, and the file name `1`, as Labelbox's own client does for unknown extensions.
    ///   - progress: hears how many bytes of the content were sent, on the transport's thread.
    /// - Returns: the address to put into rows, lists of chunks and `upsertDataRows`.
    /// - Throws: ``LabelboxError``.
    public func uploadFile(
        content: HTTPRequest.Content, byteCount: Int64, filename: String, contentType: String?,
        progress: (@Sendable (_ sentBytes: Int64) -> Void)? = nil
    ) async throws(LabelboxError) -> UploadedFile {
        guard byteCount <= UploadFile.largestByteCount else {
            throw LabelboxError(
                .tooLarge, outcome: .failed, operation: "uploadFile",
                message: "\(filename) has \(byteCount) bytes, and an upload may have \(UploadFile.largestByteCount)")
        }
        guard byteCount == content.byteCount else {
            throw LabelboxError(
                .bodySource, outcome: .failed, operation: "uploadFile",
                message: "\(filename) was announced with \(byteCount) bytes and has \(content.byteCount)")
        }
        let part = FilePart(
            content: content, filename: contentType == nil ? "1" : filename, contentType: contentType,
            progress: progress.map { Self.contentProgress(byteCount: byteCount, $0) })
        return try await perform(UploadFile(part: part))
    }

    /// Turns the transport's count, which is of the whole body, into one of the content.
    private static func contentProgress(
        byteCount: Int64, _ report: @escaping @Sendable (Int64) -> Void
    ) -> @Sendable (Int64, Int64) -> Void {
        // What is not content is framing, nearly all of it before the content.
        { sent, total in report(min(byteCount, max(0, sent - (total - byteCount)))) }
    }
}

struct UploadFile: GraphQLOperation {
    static let largestByteCount: Int64 = 2_147_483_647

    let part: FilePart

    let name = "uploadFile"
    let kind = RequestKind.upload
    let document = """
        mutation UploadFile($file: Upload!, $contentLength: Int!, $sign: Boolean) \
        { uploadFile(file: $file, contentLength: $contentLength, sign: $sign) { url } }
        """
    var variables: JSONValue {
        ["file": nil, "contentLength": .number(String(part.content.byteCount)), "sign": false]
    }
    var files: [FilePart] { [part] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> UploadedFile {
        UploadedFile(url: try data.required("uploadFile").requiredAddress("url"))
    }
}
