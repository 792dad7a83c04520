import LabelboxSimulator
import Testing

@Suite("Multipart bodies")
struct MultipartTests {
    /// Keeps all that the parser tells.
    private struct Recorder: MultipartReceiver {
        var parts: [(header: PartHeader, body: [UInt8])] = []
        var ended = 0

        mutating func begin(_ header: PartHeader) { parts.append((header, [])) }
        mutating func receive(_ bytes: UnsafeBufferPointer<UInt8>) { parts[parts.count - 1].body += bytes }
        mutating func endPart() { ended += 1 }
    }

    /// The content has line ends, dashes and beginnings of the boundary in it.
    private static let content = Array("line\r\n--\r\n--B\r\r\n--BOUNDAR\r\n\r\n--BOUNDARX\r\n".utf8) + Array(0...255)

    private static let body: [UInt8] =
        Array(
            """
            --BOUNDARY\r
            Content-Disposition: form-data; name="operations"\r
            \r
            {"a": 1}\r
            --BOUNDARY\r
            Content-Disposition: form-data; name="1"; filename="a %22b%22.png"\r
            Content-Type: image/png\r
            \r

            """.utf8) + content
        + Array(
            """
            \r
            --BOUNDARY\r
            content-disposition: form-data; name="2"; filename="empty"\r
            \r
            \r
            --BOUNDARY--\r

            """.utf8)

    private func parse(_ pieces: [ArraySlice<UInt8>]) throws -> (Recorder, isComplete: Bool) {
        var parser = MultipartParser(boundary: "BOUNDARY")
        var recorder = Recorder()
        for piece in pieces {
            try Array(piece).withUnsafeBufferPointer { try parser.feed($0, to: &recorder) }
        }
        return (recorder, parser.isComplete)
    }

    private func check(_ recorder: Recorder) {
        #expect(recorder.parts.map(\.header.name) == ["operations", "1", "2"])
        #expect(recorder.parts.map(\.header.filename) == [nil, "a \"b\".png", "empty"])
        #expect(recorder.parts.map(\.header.contentType) == [nil, "image/png", nil])
        #expect(recorder.parts.map(\.body) == [Array("{\"a\": 1}".utf8), Self.content, []])
        #expect(recorder.ended == 3)
    }

    @Test("a body may be cut in two anywhere")
    func everySplit() throws {
        for cut in 0...Self.body.count {
            let (recorder, isComplete) = try parse([Self.body[..<cut], Self.body[cut...]])
            check(recorder)
            #expect(isComplete)
        }
    }

    @Test("a body may come in pieces of any size", arguments: [1, 2, 3, 5, 7, 13, 64])
    func pieces(size: Int) throws {
        let starts = stride(from: 0, to: Self.body.count, by: size)
        let (recorder, isComplete) = try parse(starts.map { Self.body[$0..<min($0 + size, Self.body.count)] })
        check(recorder)
        #expect(isComplete)
    }

    @Test("a body without its end is not complete")
    func truncated() throws {
        // All but the last dash of the closing boundary and what follows it.
        #expect(try parse([Self.body.dropLast(3)]).isComplete == false)
    }

    @Test("nonsense after a boundary is refused")
    func nonsense() {
        #expect(throws: MultipartError.self) { try parse([Array("--BOUNDARYxx".utf8)[...]]) }
        #expect(throws: MultipartError.self) { try parse([Array("--BOUNDARY\r\nnothing\r\n\r\n".utf8)[...]]) }
    }

    @Test(
        "the boundary is found in the content type",
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"), ("Multipart/Form-Data;boundary=\"a b\"", "a b"),
            ("multipart/form-data; charset=utf-8; boundary=x", "x"), ("application/json", nil),
            ("multipart/form-data", nil),
        ])
    func boundaries(type: String, boundary: String?) {
        #expect(MultipartParser.boundary(of: type) == boundary)
    }
}

@Suite("Byte search")
struct ByteSearchTests {
    @Test(
        "finds the first place",
        arguments: [
            ("abc", "xxabcabc", 2), ("a", "bca", 2), ("abc", "ab", nil), ("aab", "aaab", 1), ("abc", "", nil),
            ("abab", "abaabab", 3),
        ])
    func first(needle: String, text: String, place: Int?) {
        let text = Array(text.utf8)
        #expect(text.withUnsafeBufferPointer { ByteSearch(needle.utf8).first(in: $0) } == place)
    }

    @Test(
        "knows how much of the end could go on",
        arguments: [("abc", "xab", 2), ("abc", "xabc", 0), ("aab", "aa", 2), ("abc", "", 0)])
    func openEnd(needle: String, text: String, length: Int) {
        let text = Array(text.utf8)
        #expect(text.withUnsafeBufferPointer { ByteSearch(needle.utf8).openEnd(of: $0) } == length)
    }
}
