import LabelboxAPI
import Testing
import Transport

@Suite("Several files in one request")
struct UploadFilesTests {
    private static let files = ["cat.png", "dog.jpg"].map {
        FileUpload(content: .bytes(Array($0.utf8)), filename: $0, contentType: "image/\($0.suffix(3))")
    }

    @Test("share operations and map, and each has a variable, a length and an alias of its own")
    func parts() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"upload0":{"url":"https://f.example/a"},"upload1":{"url":"https://f.example/b"}}}"#))
        let sent = try await makeClient(transport).uploadFiles(Self.files)
        #expect(sent.map { $0?.url } == ["https://f.example/a", "https://f.example/b"])

        guard case .multipart(let parts)? = transport.requests.first?.body else {
            Issue.record("not multipart")
            return
        }
        #expect(parts.map(\.name) == ["operations", "map", "1", "2"])
        #expect(parts.map(\.filename) == [nil, nil, "cat.png", "dog.jpg"])
        #expect(parts.map(\.contentType) == [nil, nil, "image/png", "image/jpg"])
        func bytes(_ part: HTTPRequest.Part) -> [UInt8] {
            if case .bytes(let bytes) = part.content { bytes } else { [] }
        }
        let operations = try JSONParser.parse(bytes(parts[0]))
        #expect(
            operations["variables"] == [
                "sign": false, "file0": nil, "contentLength0": 7, "file1": nil, "contentLength1": 7,
            ])
        #expect(
            operations["query"]?.string
                == "mutation UploadFiles($sign: Boolean, $file0: Upload!, $contentLength0: Int!, $file1: Upload!, "
                + "$contentLength1: Int!) { upload0: uploadFile(file: $file0, contentLength: $contentLength0, sign: $sign) "
                + "{ url } upload1: uploadFile(file: $file1, contentLength: $contentLength1, sign: $sign) { url } }")
        #expect(bytes(parts[1]) == Array(#"{"1": ["variables.file0"], "2": ["variables.file1"]}"#.utf8))
        #expect(bytes(parts[3]) == Array("dog.jpg".utf8))
    }

    @Test(
        "a file without an address of its own in the answer has none, and the others keep theirs",
        arguments: [
            (
                #"{"data":{"upload0":{"url":"https://f.example/a"},"upload1":null},"errors":[{"message":"no","path":["upload1"],"extensions":{"code":"MALFORMED_REQUEST"}}]}"#,
                ["https://f.example/a", nil]
            ),
            (
                #"{"data":{"upload0":null,"upload1":{"url":"https://f.example/b"}},"errors":[{"message":"Bad Gateway","extensions":{"code":"INTERNAL_SERVER_ERROR","exception":{"status":502}}}]}"#,
                [nil, "https://f.example/b"]
            ),
            (#"{"data":{"upload1":{"url":"https://f.example/b"}}}"#, [nil, "https://f.example/b"]),
            (#"{"data":{"uploadFile":{"url":"https://f.example/b"}}}"#, [nil, nil]),
            (#"{"data":{"upload0":{"url":"ftp://f.example/a"},"upload1":{"url":7}}}"#, [nil, nil]),
            // One address for two contents is wrong for one of them, and nobody knows for which.
            (
                #"{"data":{"upload0":{"url":"https://f.example/a"},"upload1":{"url":"https://f.example/a"}}}"#,
                [nil, nil]
            ),
        ] as [(String, [String?])])
    func partial(answer: String, addresses: [String?]) async throws {
        let sent = try await makeClient(RecordingTransport(.json(answer))).uploadFiles(Self.files)
        #expect(sent.map { $0?.url } == addresses)
    }

    @Test(
        "an answer with nothing of them is an error of the whole",
        arguments: [
            (#"{"errors":[{"message":"max file uploads exceeded"}]}"#, 413, .tooLarge, .failed),
            (
                #"{"errors":[{"message":"Query complexity limit exceeded","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#,
                400, .queryTooComplex, .failed
            ),
            (
                #"{"data":null,"errors":[{"message":"no","extensions":{"code":"MALFORMED_REQUEST"}}]}"#,
                200, .invalidQuery, .failed
            ),
            ("<html>", 502, .serverError, .unknown),
            (#"{"message":"You have exceeded your limit"}"#, 429, .rateLimited(retryAfter: nil), .notProcessed),
        ] as [(String, Int, LabelboxError.Kind, LabelboxError.Outcome)])
    func whole(answer: String, status: Int, kind: LabelboxError.Kind, outcome: LabelboxError.Outcome) async throws {
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(RecordingTransport(.json(answer, status: status))).uploadFiles(Self.files)
        }
        #expect(error?.kind == kind)
        #expect(error?.outcome == outcome)
    }
}
