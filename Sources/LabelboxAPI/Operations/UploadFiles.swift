public import Transport

/// A file that is to be uploaded.
public struct FileUpload: Sendable {
    /// Read as it is sent.
    public var content: HTTPRequest.Content
    /// The last part of its path.
    public var filename: String
    /// What it is sent as.
    public var contentType: String

    /// Describes a file.
    public init(content: HTTPRequest.Content, filename: String, contentType: String) {
        self.content = content
        self.filename = filename
        self.contentType = contentType
    }
}

extension LabelboxClient {
    /// Uploads several files in one request: `uploadFile` under an alias for each, several files in the form's `map`.
    ///
    /// That is what the GraphQL multipart request specification calls file lists and batching; Labelbox's own client never
    /// does it, so a server may refuse it. An upload may come about twice without harm, so whatever fails can be sent alone.
    ///
    /// - Parameter files: at least one. How many a server takes is not known; `tooLarge` and `queryTooComplex` ask for fewer.
    /// - Returns: for each file its address, or nil where the answer has none that is its own: it is to be sent alone.
    /// - Throws: ``LabelboxError`` when nothing came of the whole request.
    public func uploadFiles(_ files: [FileUpload]) async throws(LabelboxError) -> [UploadedFile?] {
        try await perform(
            UploadFiles(
                files: files.enumerated().map { index, file in
                    FilePart(
                        variable: "file\(index)", content: file.content, filename: file.filename,
                        contentType: file.contentType)
                }))
    }
}

struct UploadFiles: GraphQLOperation {
    let files: [FilePart]

    let name = "uploadFile"
    let kind = RequestKind.upload
    let takesPartialAnswers = true

    var document: String {
        let parameters = files.indices.map { ", $file\($0): Upload!, $contentLength\($0): Int!" }.joined()
        let fields = files.indices.map {
            "upload\($0): uploadFile(file: $file\($0), contentLength: $contentLength\($0), sign: $sign) { url }"
        }
        return "mutation UploadFiles($sign: Boolean\(parameters)) { \(fields.joined(separator: " ")) }"
    }

    var variables: JSONValue {
        .object(
            [.init("sign", false)]
                + files.enumerated().flatMap { index, file -> [JSONValue.Member] in
                    [
                        .init("file\(index)", nil),
                        .init("contentLength\(index)", .number(String(file.content.byteCount))),
                    ]
                })
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [UploadedFile?] {
        let addresses = files.indices.map { try? data["upload\($0)"]?.requiredAddress("url") }
        var seen: [String: Int] = [:]
        for case let address? in addresses { seen[address, default: 0] += 1 }
        // One address for two contents is the wrong one for one of them at least.
        return addresses.map { address in
            address.flatMap { seen[$0] == 1 ? UploadedFile(url: $0) : nil }
        }
    }
}
