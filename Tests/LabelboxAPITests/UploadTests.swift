import LabelboxAPI
import Locking
import Testing
import Transport

@Suite("Uploads")
struct UploadTests {
    private static let uploaded = RecordingTransport.Script.json(
        #"{"data":{"uploadFile":{"url":"https://files.example/a%2Fb?alt=media&t=1","filename":"x"}}}"#)

    @Test("send operations, map and the file, in this order, and hand back the address as it came")
    func parts() async throws {
        let transport = RecordingTransport(Self.uploaded)
        let file = try await makeClient(transport).uploadFile(
            content: .bytes(Array("hello".utf8)), byteCount: 5, filename: "cat.png", contentType: "image/png")
        #expect(file.url == "https://files.example/a%2Fb?alt=media&t=1")

        let request = try #require(transport.requests.first)
        #expect(request.method == .post)
        #expect(request.url == "https://api.example/graphql")
        #expect(request.connection == .pooled)
        #expect(request.version == .http1)
        #expect(request.header("Authorization") == "Bearer the-key")
        #expect(request.header("Content-Type") == nil)
        guard case .multipart(let parts) = request.body else {
            Issue.record("not multipart")
            return
        }
        #expect(parts.map(\.name) == ["operations", "map", "1"])
        #expect(parts.map(\.filename) == [nil, nil, "cat.png"])
        #expect(parts.map(\.contentType) == [nil, nil, "image/png"])
        let operations = try JSONParser.parse(bytes(parts[0]))
        #expect(operations["variables"] == ["file": nil, "contentLength": 5, "sign": false])
        #expect(
            operations["query"]?.string
                == "mutation UploadFile($file: Upload!, $contentLength: Int!, $sign: Boolean) "
                + "{ uploadFile(file: $file, contentLength: $contentLength, sign: $sign) { url } }")
        #expect(bytes(parts[1]) == Array(#"{"1": ["variables.file"]}"#.utf8))
        #expect(bytes(parts[2]) == Array("hello".utf8))
    }

    @Test("without a content type the part is called 1 and has none")
    func noType() async throws {
        let transport = RecordingTransport(Self.uploaded)
        _ = try await makeClient(transport).uploadFile(
            content: .bytes([]), byteCount: 0, filename: "a.unknown", contentType: nil)
        guard case .multipart(let parts)? = transport.requests.first?.body else {
            Issue.record("not multipart")
            return
        }
        #expect(parts.last?.filename == "1")
        #expect(parts.last?.contentType == nil)
    }

    @Test("more bytes than the API's Int can carry are refused without a request")
    func tooLarge() async throws {
        let transport = RecordingTransport()
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(transport).uploadFile(
                content: .bytes([]), byteCount: 2_147_483_648, filename: "a", contentType: nil)
        }
        #expect(error?.kind == .tooLarge)
        #expect(error?.outcome == .failed)
        #expect(transport.requests.isEmpty)
    }

    @Test("a length that is not the content's is refused without a request")
    func otherLength() async throws {
        let transport = RecordingTransport()
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(transport).uploadFile(
                content: .bytes([1]), byteCount: 2, filename: "a", contentType: nil)
        }
        #expect(error?.kind == .bodySource)
        #expect(transport.requests.isEmpty)
    }

    @Test("progress counts the content, not its framing")
    func progress() async throws {
        let transport = RecordingTransport(Self.uploaded)
        let reports = Locked<[Int64]>([])
        _ = try await makeClient(transport).uploadFile(
            content: .bytes([1, 2, 3]), byteCount: 3, filename: "a", contentType: nil,
            progress: { sent in reports.withLock { $0.append(sent) } })
        let progress = try #require(transport.requests.first?.progress)
        for sent in [0, 500, 501, 502, 503] as [Int64] { progress(sent, 503) }
        #expect(reports.withLock { $0 } == [0, 0, 1, 2, 3])
    }

    @Test(
        "an answer without an address is a bad answer",
        arguments: [
            "{}", #"{"url":null}"#, #"{"url":""}"#, #"{"url":7}"#, "null", #"{"url":"see below"}"#,
            #"{"url":"https://files.example/two words"}"#, #"{"url":"javascript:1"}"#,
            #"{"url":"https://\#(String(repeating: "x", count: 20_000))"}"#,
        ])
    func noAddress(file: String) async throws {
        let transport = RecordingTransport(.json("{\"data\":{\"uploadFile\":\(file)}}"))
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(transport).uploadFile(
                content: .bytes([]), byteCount: 0, filename: "a", contentType: nil)
        }
        #expect(error?.kind == .badAnswer)
        #expect(error?.outcome == .unknown)
        #expect(error?.isRetryable(as: .upload) == true)
    }

    private func bytes(_ part: HTTPRequest.Part) -> [UInt8] {
        guard case .bytes(let bytes) = part.content else { return [] }
        return bytes
    }
}
