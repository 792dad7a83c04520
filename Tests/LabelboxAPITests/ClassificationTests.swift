import DataRows
import Foundation
import LabelboxAPI
import Testing
import Transport

@Suite("Classification of answers")
struct ClassificationTests {
    @Test("each recorded answer means what the table says", arguments: try AnswerCase.all())
    func table(answer: AnswerCase) async throws {
        let transport = RecordingTransport(.answer(answer.response))
        do throws(LabelboxError) {
            let dataset = try await makeClient(transport).dataset(DatasetID(rawValue: "cmdset0000000000000000001"))
            #expect(answer.kind == (dataset == nil ? "notFound" : "success"))
        } catch {
            #expect(error.kind.name == answer.kind)
            #expect("\(error.outcome)" == answer.outcome)
            #expect(error.httpStatus == answer.status)
            #expect(error.operation == "dataset")
            #expect(!error.message.isEmpty)
            #expect((error.excerpt ?? "").utf8.count <= 4 * 200)
            #expect(error.isRetryable(as: .read) == (answer.outcome != "failed"))
            #expect(error.isRetryable(as: .submit) == (answer.outcome == "notProcessed"))
        }
    }

    @Test(
        "no answer at all",
        arguments: [
            (
                TransportError.Kind.couldNotConnect, TransportError.Reach.notSent, LabelboxError.Kind.unreachable,
                LabelboxError.Outcome.notProcessed
            ),
            (.couldNotResolve, .notSent, .unreachable, .notProcessed),
            (.connectTimedOut, .notSent, .unreachable, .notProcessed),
            (.tls, .notSent, .unreachable, .notProcessed),
            (.proxy, .notSent, .unreachable, .notProcessed),
            (.badURL, .notSent, .unreachable, .notProcessed),
            (.connectionLost, .notSent, .unreachable, .notProcessed),
            (.connectionLost, .maySent, .connectionLost, .unknown),
            (.stalled, .maySent, .connectionLost, .unknown),
            (.malformedResponse, .maySent, .badAnswer, .unknown),
            (.responseTooLarge, .maySent, .answerTooLarge, .unknown),
            (.bodySource, .maySent, .bodySource, .failed),
            (.cancelled, .maySent, .cancelled, .unknown),
            (.cancelled, .notSent, .cancelled, .notProcessed),
            (.shutDown, .maySent, .cancelled, .unknown),
            (.other, .maySent, .connectionLost, .unknown),
        ])
    func noAnswer(
        transport: TransportError.Kind, reach: TransportError.Reach, kind: LabelboxError.Kind,
        outcome: LabelboxError.Outcome
    ) async throws {
        let script = RecordingTransport(
            .failure(TransportError(transport, reach: reach, message: "why", url: "https://api.example/graphql?x=y")))
        let error = try #require(
            await failure { () async throws(LabelboxError) in try await makeClient(script).currentUser() })
        #expect(error.kind == kind)
        #expect(error.outcome == outcome)
        #expect(error.httpStatus == nil)
        #expect(error.message == "https://api.example/graphql: why")
    }

    @Test(
        "what may be sent again",
        arguments: [
            (LabelboxError.Kind.serverError, LabelboxError.Outcome.unknown, true, true, false),
            (.serverError, .notProcessed, true, true, true), (.refused, .failed, false, false, false),
            (.cancelled, .notProcessed, false, false, false), (.answerTooLarge, .unknown, false, true, false),
            (.bodySource, .failed, false, false, false), (.quota, .notProcessed, true, true, true),
        ])
    func retryable(
        kind: LabelboxError.Kind, outcome: LabelboxError.Outcome, read: Bool, upload: Bool, submit: Bool
    ) {
        let error = LabelboxError(kind, outcome: outcome, operation: "x", message: "y")
        #expect(error.isRetryable(as: .read) == read)
        #expect(error.isRetryable(as: .upload) == upload)
        #expect(error.isRetryable(as: .submit) == submit)
    }

    @Test(
        "Retry-After in all its forms",
        arguments: [
            ("0", nil, Duration.zero), ("17", nil, .seconds(17)), (" 17", nil, .seconds(17)), ("1.5", nil, .seconds(2)),
            ("99999999999999999999", nil, .seconds(3600)), ("3601", nil, .seconds(3600)), ("-1", nil, nil),
            ("", nil, nil), ("soon", nil, nil), ("1x", nil, nil), ("1e999", nil, nil),
            ("Sun, 06 Nov 1994 08:50:37 GMT", nil, .seconds(60)), ("Sun, 06 Nov 1994 08:49:00 GMT", nil, .zero),
            ("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:50:30 GMT", .seconds(7)),
            ("Fri, 06 Nov 2094 08:49:37 GMT", nil, .seconds(3600)), ("Sun, 06 Foo 1994 08:49:37 GMT", nil, nil),
            ("Sun, 06 Nov 1994 25:49:37 GMT", nil, nil), ("Sunday, 06-Nov-94 08:49:37 GMT", nil, nil),
        ] as [(String, String?, Duration?)])
    func retryAfter(text: String, answerDate: String?, pause: Duration?) async throws {
        var headers = [HTTPHeader("retry-after", text)]
        if let answerDate { headers.append(HTTPHeader("Date", answerDate)) }
        let transport = RecordingTransport(.answer(HTTPResponse(status: 429, headers: HTTPHeaders(headers))))
        let error = try #require(
            await failure { () async throws(LabelboxError) in try await makeClient(transport).currentUser() })
        #expect(error.kind == .rateLimited(retryAfter: pause))
    }

    @Test(
        "dates count from 1970",
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Sat, 21 Nov 2026 00:00:00 GMT", 1_795_219_200), ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ] as [(String, Int64)])
    func dates(text: String, seconds: Int64) {
        #expect(RetryAfter.unixTime(text) == seconds)
    }

    @Test("an error shows the beginning of the answer with its control characters made visible, and a way out")
    func excerpt() async throws {
        let body = "<html>\r\n\u{1B}[31m\u{0}\u{202E}" + String(repeating: "x", count: 1000)
        let transport = RecordingTransport(.json(body, status: 502))
        let error = try #require(
            await failure { () async throws(LabelboxError) in try await makeClient(transport).currentUser() })
        #expect(error.excerpt?.hasPrefix(#"<html>\r\n\u{1b}[31m\u{0}\u{202e}xxx"#) == true)
        #expect(error.excerpt.map { $0.count < 260 } == true)
        #expect(error.description.hasPrefix("user: HTTP 502: "))
        #expect(error.description.hasSuffix(error.hint))
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 32 })
    }

    @Test("the server's words stay as they are, and the key is never among them")
    func noKey() async throws {
        let transport = RecordingTransport(
            .json(
                #"{"errors":[{"message":"Größe of the-key, \"the-key\"","extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#
            ))
        let error = try #require(
            await failure { () async throws(LabelboxError) in try await makeClient(transport).currentUser() })
        #expect(error.message == #"Größe of [key], "[key]""#)
        #expect(!error.description.contains("the-key"))
    }

    @Test("what was not found is named")
    func notFound() async throws {
        let body = """
            {"errors":[{"message":"Dataset not found for id: x","path":["dataset"],
            "extensions":{"code":"RESOURCE_NOT_FOUND"}}],"data":{"dataset":null}}
            """
        let response = HTTPResponse(status: 200, body: Array(body.utf8))
        guard case .failure(let error) = Classification.judge(operation: "dataset", response: response, now: 0) else {
            Issue.record("not an error")
            return
        }
        #expect(error.kind == .notFound(resource: "dataset"))
        #expect(error.outcome == .failed)
        #expect(error.message == "Dataset not found for id: x")
    }

    @Test("whatever is cut off, mixed up or random is an error and no crash")
    func mangled() {
        let bodies = [
            #"{"data":{"user":{"id":"u"}},"errors":[{"message":"m","path":["a",1],"extensions":{"code":"X","exception":{"status":"5"}}}]}"#,
            #"{"message":"You have exceeded"}"#,
            #"{"errors":null,"data":{"a":[1,-2.5e10,true,false,null,"\ud83d\ude00\u0041"]}}"#,
        ].map { Array($0.utf8) }
        var generator = SplitMix(state: 1)
        for body in bodies {
            for end in 0...body.count { judge(Array(body[..<end])) }
            for _ in 0..<2000 {
                var changed = body
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                judge(changed)
            }
        }
    }

    private func judge(_ body: [UInt8]) {
        for status in [200, 400, 503] {
            _ = Classification.judge(operation: "x", response: HTTPResponse(status: status, body: body), now: 0)
        }
    }
}

/// Numbers that are the same at each run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A line of `Fixtures/answers.json`: an answer, and what it means.
struct AnswerCase: Decodable, Sendable, CustomTestStringConvertible {
    var `case`: String
    var status: Int
    var headers: [[String]]
    var body: String
    var kind: String
    var outcome: String

    var testDescription: String { `case` }

    var response: HTTPResponse {
        HTTPResponse(
            status: status, headers: HTTPHeaders(headers.map { HTTPHeader($0[0], $0[1]) }),
            body: Array((body == "@DEEP@" ? String(repeating: "[", count: 100_000) : body).utf8))
    }

    static func all() throws -> [AnswerCase] {
        guard let file = Bundle.module.url(forResource: "answers", withExtension: "json", subdirectory: "Fixtures")
        else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try JSONDecoder().decode([AnswerCase].self, from: Data(contentsOf: file))
    }
}

extension LabelboxError.Kind {
    /// The case without what it carries.
    var name: String { String("\(self)".prefix { $0 != "(" }) }
}
