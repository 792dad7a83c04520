import Foundation
import Importing
import LabelboxAPI
import Locking
import Testing
import Transport

@Suite("Files that share requests")
struct FileSendingTests {
    /// Takes uploads as told, one request after the other when it is let go on.
    private final class Server: HTTPTransport {
        struct Request: Sendable {
            let files: [String]
            let bytes: Int64
        }

        private struct State {
            var requests: [Request] = []
            var isHeld = false
            var held: [CheckedContinuation<Void, Never>] = []
        }

        /// What comes of a request, by the names of its files.
        let answer: @Sendable ([String]) -> (status: Int, body: String)
        private let state = Locked(State())

        init(answer: @escaping @Sendable ([String]) -> (status: Int, body: String)) { self.answer = answer }

        var requests: [Request] { state.withLock { $0.requests } }
        var heldCount: Int { state.withLock { $0.held.count } }

        func hold() { state.withLock { $0.isHeld = true } }

        func letGo() {
            let held = state.withLock { state in
                defer { state.held = [] }
                state.isHeld = false
                return state.held
            }
            for continuation in held { continuation.resume() }
        }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            guard case .multipart(let parts) = request.body else {
                throw TransportError(.other, reach: .notSent, message: "no form", url: request.url)
            }
            let files = parts.dropFirst(2)
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    state.requests.append(
                        Request(
                            files: files.compactMap(\.filename), bytes: files.reduce(0) { $0 + $1.content.byteCount }))
                    if state.isHeld { state.held.append(continuation) }
                    return !state.isHeld
                }
                if goesOn { continuation.resume() }
            }
            let (status, body) = answer(files.compactMap(\.filename))
            return HTTPResponse(status: status, body: Array(body.utf8))
        }
    }

    private struct Key: CredentialSource {
        func apiKey() -> String { "key" }
    }

    private static func taken(_ files: [String]) -> (status: Int, body: String) {
        let names = files.count == 1 ? ["uploadFile"] : files.indices.map { "upload\($0)" }
        let fields = zip(names, files).map { #""\#($0)":{"url":"https://f.example/\#($1)"}"# }
        return (200, "{\"data\":{\(fields.joined(separator: ","))}}")
    }

    private static let refused = (
        400, #"{"errors":[{"message":"not so","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#
    )

    private let learned = Locked<[Int]>([])

    private func sending(_ server: Server, requests: Int, files: Int) -> FileSending {
        FileSending(
            client: LabelboxClient(
                endpoint: "https://api.example/graphql", credentials: Key(), transport: server, gate: UngatedRequests(),
                unixTime: { 0 }),
            limits: .init(requests: { requests }, files: { files })
        ) { [learned] files, _ in learned.withLock { $0.append(files) } }
    }

    /// Sends one file that is held at the server, the others while it is, and then lets all go on.
    private func send(
        _ names: [String], by sending: FileSending, _ server: Server, bytes: @Sendable (String) -> Int = { _ in 1 }
    ) async -> [String: Result<String, any Error>] {
        server.hold()
        let before = server.requests.count
        let found = Locked<[String: Result<String, any Error>]>([:])
        await withDiscardingTaskGroup { group in
            for (index, name) in names.enumerated() {
                let file = FileUpload(
                    content: .bytes([UInt8](repeating: 0, count: bytes(name))), filename: name,
                    contentType: "text/plain")
                group.addTask {
                    let result: Result<String, any Error>
                    do { result = .success(try await sending.send(file).url) } catch { result = .failure(error) }
                    found.withLock { $0[name] = result }
                }
                // One after the other, so that it is known who leads and who waits in which order.
                if index == 0 {
                    while server.requests.count == before { await Task.yield() }
                } else {
                    while sending.waitingCount < index { await Task.yield() }
                }
            }
            server.letGo()
        }
        return found.withLock { $0 }
    }

    private static func names(_ count: Int) -> [String] { (0..<count).map { "f\($0)" } }

    @Test("a file goes at once, and those that come meanwhile share the next request, each with its own address")
    func together() async throws {
        let server = Server(answer: Self.taken)
        let sending = sending(server, requests: 1, files: 3)
        let found = await send(Self.names(6), by: sending, server)
        #expect(server.requests.map(\.files) == [["f0"], ["f1", "f2", "f3"], ["f4", "f5"]])
        for name in Self.names(6) { #expect(try found[name]?.get() == "https://f.example/\(name)") }
        #expect(learned.withLock { $0 } == [])
    }

    @Test("files that are ready at the same moment share a request though others are free")
    func sameMoment() async throws {
        let server = Server(answer: Self.taken)
        let sending = sending(server, requests: 20, files: 10)
        // On one executor, as if nobody else had a thread: all are ready before the first may go out.
        await Self.together(40) { number in
            let file = FileUpload(content: .bytes([0]), filename: "f\(number)", contentType: "text/plain")
            let url = try? await sending.send(file).url
            #expect(url == "https://f.example/f\(number)")
        }
        #expect(server.requests.reduce(0) { $0 + $1.files.count } == 40)
        #expect(server.requests.allSatisfy { $0.files.count <= 10 })
        #expect(server.requests.count < 10, "\(server.requests.map(\.files.count))")
    }

    /// Has as many tasks begin on the main actor, one after the other, before any of them goes on.
    @MainActor
    private static func together(_ count: Int, _ body: @escaping @MainActor @Sendable (Int) async -> Void) async {
        let tasks = (0..<count).map { number in Task { await body(number) } }
        for task in tasks { await task.value }
    }

    @Test("large files go alone, in their turn, and a request has ten million bytes at most")
    func large() async throws {
        let server = Server(answer: Self.taken)
        let sending = sending(server, requests: 1, files: 100)
        let names = ["f0", "f1", "large", "f2"] + (3..<23).map { "f\($0)" }
        _ = await send(names, by: sending, server) { $0 == "large" ? (1 << 20) + 1 : $0 == "f0" ? 1 : 1 << 20 }
        let requests = server.requests
        #expect(requests.map(\.files).filter { $0.contains("large") } == [["large"]])
        #expect(requests[1].files.prefix(2) == ["f1", "f2"])
        #expect(requests.allSatisfy { $0.bytes <= 10_000_000 })
        #expect(requests.count == 1 + 1 + 3)
    }

    @Test("one file a request when that is what is wanted")
    func alone() async throws {
        let server = Server(answer: Self.taken)
        _ = await send(Self.names(4), by: sending(server, requests: 1, files: 1), server)
        #expect(server.requests.map(\.files.count) == [1, 1, 1, 1])
    }

    @Test("a server that takes no more than two is asked for two from then on", arguments: [413, 400])
    func fewer(status: Int) async throws {
        let server = Server { files in
            guard files.count > 2 else { return Self.taken(files) }
            return (status, #"{"errors":[{"message":"complexity","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#)
        }
        let sending = sending(server, requests: 1, files: 8)
        let found = await send(Self.names(9), by: sending, server)
        #expect(found.values.allSatisfy { (try? $0.get()) != nil })
        #expect(sending.filesTogether == 2)
        #expect(learned.withLock { $0 } == [4, 2])
        let before = server.requests.count
        _ = await send(Self.names(5), by: sending, server)
        #expect(server.requests[before...].map(\.files.count) == [1, 2, 2])
    }

    @Test("a server that refuses twice what it takes file by file is not asked again")
    func refusing() async throws {
        let server = Server { $0.count > 1 ? Self.refused : Self.taken($0) }
        let sending = sending(server, requests: 1, files: 2)
        #expect(await send(Self.names(3), by: sending, server).values.allSatisfy { (try? $0.get()) != nil })
        #expect(sending.filesTogether == 2)
        #expect(await send(Self.names(3), by: sending, server).values.allSatisfy { (try? $0.get()) != nil })
        #expect(sending.filesTogether == 1)
        #expect(learned.withLock { $0 } == [1])
        let before = server.requests.count
        _ = await send(Self.names(3), by: sending, server)
        #expect(server.requests[before...].map(\.files.count) == [1, 1, 1])
    }

    @Test("a file that is refused alone too fails alone, and says nothing against sharing")
    func bad() async throws {
        let server = Server { $0.contains("f2") ? Self.refused : Self.taken($0) }
        let sending = sending(server, requests: 1, files: 4)
        for _ in 0..<3 {
            let found = await send(Self.names(5), by: sending, server)
            for (name, result) in found { #expect(((try? result.get()) != nil) == (name != "f2")) }
        }
        #expect(sending.filesTogether == 4)
        #expect(learned.withLock { $0 } == [])
    }
}
