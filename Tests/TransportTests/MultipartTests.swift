import Glibc
import Locking
import SystemPackage
import Testing
import Transport

@Suite("Multipart bodies", .timeLimit(.minutes(1)))
struct MultipartTests {
    @Test("are framed byte for byte as Labelbox's own client frames them")
    func framing() {
        let parts = [
            HTTPRequest.Part(name: "operations", content: .bytes(Array("{}".utf8))),
            HTTPRequest.Part(name: "map", content: .bytes(Array(#"{"1": ["variables.file"]}"#.utf8))),
            HTTPRequest.Part(name: "1", filename: "cat.png", contentType: "image/png", content: .bytes([0, 255])),
        ]
        let expected =
            Array(
                ("--B\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{}\r\n"
                    + "--B\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"1\": [\"variables.file\"]}\r\n"
                    + "--B\r\nContent-Disposition: form-data; name=\"1\"; filename=\"cat.png\"\r\n"
                    + "Content-Type: image/png\r\n\r\n").utf8) + [0, 255] + Array("\r\n--B--\r\n".utf8)
        #expect(bytes(of: parts) == expected)
    }

    @Test(
        "file names keep all but quotes and line ends",
        arguments: [
            ("cat.png", "cat.png"), (#"a"b.png"#, "a%22b.png"), ("a\r\nb", "a%0D%0Ab"), (#"a\b"#, #"a\b"#),
            ("Größe 猫 🐈.png", "Größe 猫 🐈.png"), ("e\u{301}", "e\u{301}"), ("100%22", "100%22"), ("", ""),
        ])
    func filenames(name: String, written: String) {
        let text = String(decoding: bytes(of: [.init(name: "1", filename: name, content: .bytes([]))]), as: UTF8.self)
        #expect(
            Array(text.utf8)
                == Array(
                    "--B\r\nContent-Disposition: form-data; name=\"1\"; filename=\"\(written)\"\r\n\r\n\r\n--B--\r\n"
                        .utf8))
    }

    @Test("whoever is to see a file's bytes sees each once, in order, and again when the body begins anew")
    func witness() throws {
        let seen = Locked<[(position: Int64, bytes: [UInt8])]>([])
        var slice = try FileSlice(opening: FilePath(#filePath), offset: 5, length: 1000)
        slice.witness = { bytes, position in seen.withLock { $0.append((position, Array(bytes))) } }
        let stream = BodyStream(
            MultipartFraming.stretches(of: [.init(name: "1", content: .file(slice))], boundary: "B"))
        let body = read(stream, pieceSize: 300)
        func isWhole(_ pieces: [(position: Int64, bytes: [UInt8])]) -> Bool {
            var position: Int64 = 0
            for piece in pieces {
                guard piece.position == position else { return false }
                position += Int64(piece.bytes.count)
            }
            return position == 1000 && body.split(separator: pieces.flatMap(\.bytes)).count == 2
        }
        #expect(seen.withLock { isWhole($0) })
        seen.withLock { $0 = [] }
        #expect(stream.seek(to: 0))
        #expect(read(stream, pieceSize: 64) == body)
        #expect(seen.withLock { isWhole($0) })
    }

    @Test("boundaries are 32 hex digits, and differ")
    func boundaries() {
        var generator = SystemRandomNumberGenerator()
        let boundaries = (0..<100).map { _ in MultipartFraming.randomBoundary(using: &generator) }
        #expect(Set(boundaries).count == 100)
        #expect(boundaries.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }

    @Test("arrive whole, with files read from where their slices begin", arguments: [0, 1, 4096, 4097, 2_000_000])
    func arrive(byteCount: Int) async throws {
        let folder = try TemporaryFolder()
        let content = (0..<byteCount + 20).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let file = try folder.write(content, to: "content")
        let slice = try FileSlice(opening: file, offset: 10, length: Int64(byteCount))
        let server = LoopbackServer { client in
            _ = client.request()
            client.answer()
        }
        let parts = [
            HTTPRequest.Part(name: "a", content: .bytes(Array("x".utf8))),
            HTTPRequest.Part(name: "1", filename: "f", contentType: "text/plain", content: .file(slice)),
        ]
        let last = Locked<(Int64, Int64)>((0, 0))
        _ = try await makeTransport().send(
            HTTPRequest(
                .post, url: server.url(), body: .multipart(parts), version: .http1,
                progress: { sent, total in last.withLock { $0 = (sent, total) } }))
        let request = try #require(server.requests.first)
        let type = try #require(request["Content-Type"])
        let boundary = try #require(type.split(separator: "boundary=").last)
        #expect(type == "multipart/form-data; boundary=\(boundary)")
        let head =
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n"
            + "--\(boundary)\r\nContent-Disposition: form-data; name=\"1\"; filename=\"f\"\r\n"
            + "Content-Type: text/plain\r\n\r\n"
        let expected = Array(head.utf8) + content[10..<10 + byteCount] + Array("\r\n--\(boundary)--\r\n".utf8)
        #expect(request.body == expected)
        #expect(request["Content-Length"] == "\(expected.count)")
        #expect(request["Transfer-Encoding"] == nil)
        #expect(last.withLock { $0 } == (Int64(expected.count), Int64(expected.count)))
    }

    @Test("a file that is shorter than promised fails the request, and says so")
    func shortFile() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([UInt8](repeating: 1, count: 1000), to: "short.bin")
        let slice = try FileSlice(opening: file, length: 1001)
        let server = LoopbackServer { client in
            _ = client.request()
            client.answer()
        }
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(.post, url: server.url(), body: .multipart([.init(name: "1", content: .file(slice))]))))
        #expect(error.kind == .bodySource)
        #expect(error.message.contains("short.bin"))
        #expect(server.requests.isEmpty)
    }

    @Test("a file that cannot be read fails the request, and says so")
    func unreadable() async throws {
        let folder = try FileDescriptor.open("/tmp", .readOnly)
        let slice = FileSlice(owning: folder, name: "/tmp", length: 10)
        let server = LoopbackServer { $0.hang() }
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(.post, url: server.url(), body: .multipart([.init(name: "1", content: .file(slice))]))))
        #expect(error.kind == .bodySource)
        #expect(error.message == "cannot read /tmp: Is a directory")
    }

    @Test("a content type that would split the header is refused")
    func splitContentType() async throws {
        let part = HTTPRequest.Part(name: "1", contentType: "a/b\r\nX: y", content: .bytes([]))
        let server = LoopbackServer { $0.hang() }
        let error = try await failure(makeTransport(), HTTPRequest(.post, url: server.url(), body: .multipart([part])))
        #expect(error?.kind == .badHeader)
    }

    @Test("a slice's descriptor is closed with the last copy, and not before")
    func ownership() throws {
        let descriptor: FileDescriptor
        do {
            var slice: FileSlice? = try FileSlice(opening: "/dev/null", length: 0)
            descriptor = try #require(slice?.descriptor)
            let copy = slice?.slice(offset: 0, length: 0)
            slice = nil
            #expect(fcntl(descriptor.rawValue, F_GETFD) >= 0)
            _ = copy
        }
        // Any other thread may have taken the number since; then it is no longer /dev/null.
        var now = stat()
        var null = stat()
        stat("/dev/null", &null)
        #expect(fstat(descriptor.rawValue, &now) != 0 || now.st_rdev != null.st_rdev)
    }

    @Test(
        "a gigabyte goes out in constant memory",
        .disabled(if: runsUnderAddressSanitizer, "it keeps what was freed for a while"))
    func constantMemory() async throws {
        let server = LoopbackServer { client in
            _ = client.request(keepingBody: false)
            client.answer()
        }
        let before = try anonymousMemory()
        let most = Locked(0)
        _ = try await makeTransport().send(
            HTTPRequest(
                .post, url: server.url(), body: try sparseBody(byteCount: 1 << 30), version: .http1,
                progress: { sent, _ in
                    let now = (try? anonymousMemory()) ?? Int.max
                    most.withLock { $0 = max($0, now) }
                }))
        #expect(try #require(server.requests.first).bodyByteCount > 1 << 30)
        // The other tests of this process run meanwhile; they hold far less than this.
        #expect(most.withLock { $0 } - before < 64 << 20)
    }

    @Test("can be read in pieces of any size, and again from any place", arguments: [1, 3, 64, 1000])
    func seeking(pieceSize: Int) throws {
        let parts = [
            HTTPRequest.Part(name: "1", content: .bytes([UInt8](repeating: 1, count: 5000))),
            HTTPRequest.Part(name: "2", content: .bytes([2, 3])),
        ]
        let whole = bytes(of: parts)
        let stream = BodyStream(MultipartFraming.stretches(of: parts, boundary: "B"))
        #expect(stream.byteCount == Int64(whole.count))
        for offset in [0, 1, 55, 4999, 5100, whole.count - 1, whole.count] {
            #expect(stream.seek(to: Int64(offset)))
            #expect(read(stream, pieceSize: pieceSize) == Array(whole[offset...]))
        }
        #expect(!stream.seek(to: -1))
        #expect(!stream.seek(to: Int64(whole.count) + 1))
    }

    private func bytes(of parts: [HTTPRequest.Part]) -> [UInt8] {
        read(BodyStream(MultipartFraming.stretches(of: parts, boundary: "B")), pieceSize: 1 << 16)
    }

    private func read(_ stream: BodyStream, pieceSize: Int) -> [UInt8] {
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: pieceSize)
        while let count = try? piece.withUnsafeMutableBytes({ try stream.read(into: $0) }), count > 0 {
            result += piece[..<count]
        }
        return result
    }
}
