import LabelboxAPI
import Locking
import Testing
import Transport

/// Answers with what it was given, in that order, and keeps the requests.
final class RecordingTransport: HTTPTransport {
    enum Script: Sendable {
        case answer(HTTPResponse)
        case failure(TransportError)

        static func json(_ text: String, status: Int = 200) -> Script {
            .answer(HTTPResponse(status: status, body: Array(text.utf8)))
        }
    }

    private struct State {
        var script: [Script]
        var requests: [HTTPRequest] = []
    }

    private let state: Locked<State>

    init(_ script: Script...) { state = Locked(State(script: script)) }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let next = state.withLock { state in
            state.requests.append(request)
            return state.script.isEmpty ? nil : state.script.removeFirst()
        }
        switch next {
        case .answer(let response): return response
        case .failure(let error): throw error
        case nil: throw TransportError(.other, reach: .notSent, message: "the script has ended", url: request.url)
        }
    }
}

/// A key that is at hand.
struct FixedKey: CredentialSource {
    var key = "the-key"
    func apiKey() -> String { key }
}

/// A client over a transport, without a gate.
func makeClient(
    _ transport: RecordingTransport, credentials: any CredentialSource = FixedKey(),
    gate: any RequestGate = UngatedRequests(),
    settings: LabelboxClient.Settings = .init()
) -> LabelboxClient {
    LabelboxClient(
        endpoint: "https://api.example/graphql", credentials: credentials, transport: transport, gate: gate,
        settings: settings, unixTime: { 784_111_777 })
}

/// The error of a call that is expected to fail.
func failure<T>(of call: () async throws(LabelboxError) -> T) async -> LabelboxError? {
    do throws(LabelboxError) {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}

extension HTTPRequest {
    /// The body of a JSON request.
    var json: JSONValue? {
        guard case .bytes(let bytes) = body else { return nil }
        return try? JSONParser.parse(bytes)
    }

    var document: String { json?["query"]?.string ?? "" }

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}
