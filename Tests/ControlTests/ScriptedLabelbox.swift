import LabelboxAPI
import Locking
import Transport

/// Answers with what it was given, in that order, and keeps what was asked.
final class ScriptedLabelbox: HTTPTransport {
    enum Answer: Sendable {
        case json(String)
        case status(Int, String)
        /// The request was sent, and nothing came back.
        case lost
    }

    private let state: Locked<(answers: [Answer], asked: [String])>

    init(_ answers: Answer...) { state = Locked((answers, [])) }

    /// The requests' bodies.
    var asked: [String] { state.withLock { $0.asked } }

    var client: LabelboxClient {
        LabelboxClient(
            endpoint: "https://api.example/graphql", credentials: FixedKey(), transport: self, gate: UngatedRequests(),
            unixTime: { 0 })
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let answer = state.withLock { state in
            if case .bytes(let body) = request.body { state.asked.append(String(decoding: body, as: UTF8.self)) }
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        switch answer {
        case .json(let text): return HTTPResponse(status: 200, body: Array(text.utf8))
        case .status(let status, let text): return HTTPResponse(status: status, body: Array(text.utf8))
        case .lost: throw TransportError(.connectionLost, reach: .maySent, message: "reset", url: request.url)
        case nil: throw TransportError(.other, reach: .notSent, message: "the script has ended", url: request.url)
        }
    }

    private struct FixedKey: CredentialSource {
        func apiKey() -> String { "the-key" }
    }
}
