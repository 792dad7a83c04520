import DataRows
import Foundation
import LabelboxAPI
import Testing

/// What is made of each answer that the official SDK was given in the recordings of errors.
@Suite("Recorded errors", .serialized)
struct CaptureErrorTests {
    /// What an answer is taken for.
    struct Verdict: Sendable {
        let kind: String
        let outcome: LabelboxError.Outcome
        /// Where it is not what the SDK takes it for, or not repeated where the SDK repeats it, or the other way round.
        var reason: String?

        init(_ kind: String, _ outcome: LabelboxError.Outcome, _ reason: String? = nil) {
            self.kind = kind
            self.outcome = outcome
            self.reason = reason
        }
    }

    private static let repeats = "a read may be repeated, and the service may just be in trouble"
    private static let coded = "HTTP 200, errors[0].extensions.code"
    private static let excepted = "HTTP 200, INTERNAL_SERVER_ERROR with extensions.exception.status"
    private static let mangled = "HTTP 200, body mangled:"

    static let verdicts: [String: Verdict] = [
        "\(coded) AUTHENTICATION_ERROR": Verdict("authentication", .notProcessed, "work waits for a key that is good"),
        "\(coded) AUTHORIZATION_ERROR": Verdict("permission", .failed),
        "\(coded) GRAPHQL_VALIDATION_FAILED": Verdict("queryTooComplex", .failed),
        "\(coded) GRAPHQL_PARSE_FAILED": Verdict("invalidQuery", .failed),
        "\(coded) RESOURCE_NOT_FOUND": Verdict("notFound", .failed),
        "\(coded) RESOURCE_CONFLICT": Verdict("conflict", .failed),
        "\(coded) MALFORMED_REQUEST": Verdict("invalidQuery", .failed),
        "\(coded) INTERNAL_SERVER_ERROR": Verdict("serverError", .unknown, repeats),
        "\(coded) OPERATION_NOT_ALLOWED": Verdict("permission", .failed),
        "\(coded) SOMETHING_ELSE": Verdict("refused", .failed),
        "HTTP 200, GRAPHQL_VALIDATION_FAILED with another message": Verdict("invalidQuery", .failed),
        "\(excepted) 400": Verdict("invalidQuery", .failed),
        "\(excepted) 422": Verdict("refused", .failed),
        "\(excepted) 426": Verdict("quota", .notProcessed, "work waits until the quota is raised"),
        "\(excepted) 500": Verdict("serverError", .unknown, repeats),
        "\(excepted) 502": Verdict("serverError", .unknown),
        "\(excepted) 503": Verdict("serverError", .unknown),
        "\(excepted) 404": Verdict("serverError", .unknown),
        "HTTP 400, errors with AUTHENTICATION_ERROR": Verdict(
            "authentication", .notProcessed, "work waits for a good key"),
        "HTTP 401, errors with AUTHENTICATION_ERROR": Verdict(
            "authentication", .notProcessed, "work waits for a good key"),
        "HTTP 500, errors with AUTHENTICATION_ERROR": Verdict("authentication", .notProcessed),
        #"HTTP 200, {"message": "You have exceeded ..."}"#: Verdict(
            "rateLimited", .notProcessed, "work waits for its turn"),
        #"HTTP 429, {"message": "You have exceeded ..."}"#: Verdict(
            "rateLimited", .notProcessed, "work waits for its turn"),
        #"HTTP 429, {"message": "Too Many Requests"}"#: Verdict("rateLimited", .notProcessed, "a 429 is a 429"),
        "HTTP 429, HTML body": Verdict("rateLimited", .notProcessed, "a 429 is a 429"),
        #"HTTP 400, {"message": ...}"#: Verdict("invalidQuery", .failed),
        #"HTTP 401, {"message": ...}"#: Verdict("authentication", .notProcessed, "work waits for a good key"),
        #"HTTP 403, {"message": ...}"#: Verdict("permission", .failed),
        #"HTTP 404, {"message": ...}"#: Verdict(
            "badAnswer", .notProcessed, "the address is wrong: work waits for a good one"),
        #"HTTP 413, {"message": ...}"#: Verdict("tooLarge", .failed),
        "HTTP 404, HTML body": Verdict("badAnswer", .notProcessed, "the address is wrong: work waits for a good one"),
        "HTTP 500, HTML body": Verdict("serverError", .unknown),
        "HTTP 502, HTML body": Verdict("serverError", .unknown),
        "HTTP 503, HTML body": Verdict("serverError", .unknown),
        "HTTP 504, HTML body": Verdict("serverError", .unknown),
        "HTTP 503, upstream connect error text": Verdict("serverError", .unknown),
        "HTTP 200, upstream connect error text": Verdict("serverError", .unknown, "the same words mean the same"),
        "HTTP 500, JSON errors INTERNAL_SERVER_ERROR": Verdict("serverError", .unknown),
        "\(mangled) html_200": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) empty": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) null_data": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) null_field": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) missing_data": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) missing_field": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) array_top": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) string_top": Verdict("badAnswer", .unknown, repeats),
        "\(mangled) errors_object": Verdict("refused", .failed),
        "\(mangled) errors_string": Verdict("refused", .failed),
        "\(mangled) errors_no_extensions": Verdict("refused", .failed),
        "\(mangled) errors_null_extensions": Verdict("refused", .failed),
        "\(mangled) errors_unknown_code": Verdict("refused", .failed),
        "\(mangled) errors_no_message": Verdict("serverError", .unknown, repeats),
        "HTTP 200, JSON cut in half": Verdict("badAnswer", .unknown, repeats),
        "connection closed mid-response": Verdict("connectionLost", .unknown, repeats),
        "connection reset before the response": Verdict("connectionLost", .unknown, repeats),
        "connection reset after the request was processed": Verdict("connectionLost", .unknown, repeats),
        "no response within the client's timeout": Verdict("connectionLost", .unknown),
    ]

    /// Answers that are fine.
    private static let accepted: Set<String> = ["\(mangled) errors_null", "\(mangled) errors_empty"]

    /// What the SDK raises where it takes an answer for what it is taken for here.
    private static let exceptions: [String: Set<String>] = [
        "AuthenticationError": ["authentication"], "AuthorizationError": ["permission"],
        "ValidationFailedError": ["queryTooComplex"], "InvalidQueryError": ["invalidQuery"],
        "ResourceNotFoundError": ["notFound"], "ResourceConflict": ["conflict"],
        "MalformedQueryException": ["invalidQuery"], "UnprocessableEntityError": ["refused"],
        "OperationNotAllowedException": ["permission", "quota"], "ApiLimitError": ["rateLimited"],
        "RetryError": ["serverError", "connectionLost"], "NetworkError": ["connectionLost"],
    ]

    @Test("each shape of answer", .timeLimit(.minutes(2)), arguments: ["sdk-7.17.0", "sdk-3.22.1"])
    func shapes(version: String) async throws {
        let cases = try Capture.json("\(version)/error_classification")["cases"].list
        #expect(cases.count == 59)
        #expect(Set(cases.compactMap { $0["case"].string }) == Set(Self.verdicts.keys).union(Self.accepted))
        for entry in cases {
            let name = entry["case"].string ?? ""
            let silence = name.hasPrefix("no response")
            let server = try StandIn { _ in
                if silence { Thread.sleep(forTimeInterval: 2.5) }
                guard entry["response"] != .null, !silence else { return nil }
                var response = WireResponse(recorded: entry["response"])
                if name == "connection closed mid-response" {
                    response.announced = response.body.utf8.count + 90
                }
                return response
            }
            defer { server.stop() }
            let client = try Client.make("\(server.base)/graphql", stallTimeout: .seconds(1))
            var error: LabelboxError?
            do throws(LabelboxError) { _ = try await client.datasetThere(Scenario.dataset) } catch let thrown {
                error = thrown
            }
            guard let verdict = Self.verdicts[name] else {
                #expect(error == nil, "\(name): \(String(describing: error))")
                continue
            }
            let found = try #require(error, "\(name) is an error")
            let kind = "\(found.kind)".prefix { $0 != "(" }
            #expect(kind == verdict.kind, "\(name): \(found)")
            #expect(found.outcome == verdict.outcome, "\(name): \(found)")
            // Nothing of it makes a submit be sent again that may have arrived.
            #expect(!found.isRetryable(as: .submit) || found.outcome == .notProcessed, "\(name)")

            guard version == "sdk-7.17.0", verdict.reason == nil else { continue }
            let isRepeated = (entry["query"]["requests"].int ?? 0) > 1
            let exception = String(entry["query"]["exception"].string?.split(separator: ".").last ?? "")
            if name != "HTTP 500, errors with AUTHENTICATION_ERROR" {
                #expect(
                    Self.exceptions[exception]?.contains(verdict.kind) ?? true, "\(name): the SDK raises \(exception)")
            }
            #expect(
                isRepeated == found.isRetryable(as: .read),
                "\(name): the SDK made \(entry["query"]["requests"]) requests")
        }
    }

    @Test("a key that is refused in the recorded words blocks the daemon, and no row fails", .timeLimit(.minutes(2)))
    func refusedKey() async throws {
        let replay = try Replay(Capture("sdk-7.17.0/auth_failure"))
        defer { replay.stop() }
        try await CaptureSite.with(endpoint: "\(replay.base)/graphql") { site in
            try site.drop("rows.json", Data(#"[{"row_data": "https://example.com/1.jpg"}]"#.utf8))
            let status = try await eventually(within: .seconds(30), "the daemon is blocked") {
                try site.daemonStatus().flatMap { $0["state"].string == "blocked" ? $0 : nil }
            }
            #expect(status.text.contains("Invalid API key"), "\(status.text)")
            #expect(replay.received.count == 1, "nothing is asked in vain")
        }
    }

    @Test("a limit that was reached in the recorded words is a pause, and no row fails", .timeLimit(.minutes(2)))
    func limited() async throws {
        let replay = try Replay(Capture("sdk-7.17.0/rate_limit"))
        defer { replay.stop() }
        try await CaptureSite.with(endpoint: "\(replay.base)/graphql") { site in
            try site.drop("rows.json", Data(#"[{"row_data": "https://example.com/1.jpg"}]"#.utf8))
            let status = try await eventually(within: .seconds(30), "the daemon waits") {
                try site.daemonStatus().flatMap { $0["rate_budget"]["paused_until"].string != nil ? $0 : nil }
            }
            #expect(status["state"].string == "running", "\(status.text)")
        }
    }
}

extension LabelboxClient {
    /// Asks for a dataset, and takes that there is none for the error that it was.
    fileprivate func datasetThere(_ id: DatasetID) async throws(LabelboxError) {
        guard try await dataset(id) != nil else {
            throw LabelboxError(
                .notFound(resource: nil), outcome: .failed, operation: "dataset", message: "there is none")
        }
    }
}
