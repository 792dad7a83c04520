package import Transport

/// What an answer, or the lack of one, means: the one table by which everything is judged.
///
/// After Labelbox's documentation and its own client, which goes by `extensions.code` first. It differs from that client
/// where that one crashes, or calls final what is not.
package enum Classification {
    /// What a request came to.
    package enum Verdict: Sendable {
        /// `data` is there. `errors` can be too, when they are about parts of it.
        case answer(data: JSONValue, errors: [GraphQLError])
        case failure(LabelboxError)
    }

    /// Judges an HTTP answer to a GraphQL request.
    ///
    /// - Parameters:
    ///   - operation: the name for errors.
    ///   - response: the whole answer.
    ///   - now: seconds since 1970, for a `Retry-After` that is a date.
    ///   - takesPartialAnswers: whether errors about parts of it, whatever they are, leave the rest standing.
    ///   - packsLists: whether lists of objects of one shape are packed; see ``JSONParser``.
    /// - Returns: the data, or the error; an answer with both gives both, unless the errors concern the whole.
    package static func judge(
        operation: String, response: HTTPResponse, now: Int64, takesPartialAnswers: Bool = false,
        packsLists: Bool = false
    ) -> Verdict {
        let status = response.status
        let body = response.body
        let parsed: JSONValue?
        let syntax: JSONParser.Failure?
        do throws(JSONParser.Failure) {
            parsed = try JSONParser.parse(body, packingLists: packsLists)
            syntax = nil
        } catch {
            parsed = nil
            syntax = error
        }
        let errors = GraphQLError.list(parsed?["errors"])
        let topMessage = parsed?["message"]?.string
        func failure(_ kind: LabelboxError.Kind, _ outcome: LabelboxError.Outcome, _ message: String? = nil) -> Verdict
        {
            .failure(
                LabelboxError(
                    kind, outcome: outcome, operation: operation, httpStatus: status,
                    message: message ?? topMessage ?? errors.first?.message ?? phrase(status, syntax: syntax),
                    excerpt: Excerpt.of(body)))
        }

        // The gateway's answers are no GraphQL, and count whatever the status says.
        if status == 429 || topMessage?.hasPrefix("You have exceeded") == true {
            let pause = response.headers["Retry-After"].flatMap {
                RetryAfter.pause($0, answerDate: response.headers["Date"], now: now)
            }
            return failure(.rateLimited(retryAfter: pause), .notProcessed)
        }
        if let outcome = proxyOutcome(body) { return failure(.serverError, outcome) }

        if !errors.isEmpty, let first = firstMatch(errors) {
            // What limits the size of requests speaks of it by the status alone.
            if status == 413, first.kind == .refused { return failure(.tooLarge, .failed, first.error.message) }
            // An error of the service behind a 5xx says no more than the status does; one of the key does.
            if status < 500 || first.kind == .authentication {
                let data = parsed?["data"] ?? .null
                let hasData = holdsSomething(data)
                if hasData, takesPartialAnswers || errors.allSatisfy(\.isAboutOneThing) {
                    return .answer(data: data, errors: errors)
                }
                // With data there, something was done in spite of the error: a task may have been started.
                let outcome = hasData && first.outcome == .failed ? .unknown : first.outcome
                return failure(first.kind, outcome, first.error.message)
            }
        }
        if let (kind, outcome) = byStatus(status) { return failure(kind, outcome) }
        if let data = parsed?["data"], data.isObject { return .answer(data: data, errors: []) }
        return failure(.badAnswer, .unknown, syntax.map(phrase) ?? "the answer has no data")
    }

    /// Judges the lack of an answer.
    package static func judge(operation: String, error: TransportError) -> LabelboxError {
        let kind: LabelboxError.Kind =
            switch error.kind {
            case .badURL, .badHeader, .couldNotResolve, .couldNotConnect, .connectTimedOut, .proxy, .tls: .unreachable
            case .stalled, .connectionLost, .other: error.reach == .notSent ? .unreachable : .connectionLost
            case .responseTooLarge: .answerTooLarge
            case .malformedResponse: .badAnswer
            case .bodySource: .bodySource
            case .cancelled, .shutDown: .cancelled
            }
        let outcome: LabelboxError.Outcome =
            switch error.kind {
            // What was sent of the request was not all of it, so nobody can have acted on it.
            case .bodySource: .failed
            default: error.reach == .notSent ? .notProcessed : .unknown
            }
        return LabelboxError(kind, outcome: outcome, operation: operation, message: "\(error.url): \(error.message)")
    }

    // MARK: GraphQL errors

    private typealias Judgement = (error: GraphQLError, kind: LabelboxError.Kind, outcome: LabelboxError.Outcome)

    /// The judgement that counts among several errors: the one that comes first in the table, wherever it is in the list.
    private static func firstMatch(_ errors: [GraphQLError]) -> Judgement? {
        errors.enumerated()
            .map { (rank: rank($1), index: $0, error: $1) }
            .min { ($0.rank, $0.index) < ($1.rank, $1.index) }
            .map { match in
                let (kind, outcome) = judgement(match.error)
                return (match.error, kind, outcome)
            }
    }

    private static func rank(_ error: GraphQLError) -> Int {
        error.code.flatMap(order.firstIndex) ?? order.count
    }

    private static let order = [
        "AUTHENTICATION_ERROR", "AUTHORIZATION_ERROR", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED",
        "RESOURCE_NOT_FOUND", "RESOURCE_CONFLICT", "MALFORMED_REQUEST", "INTERNAL_SERVER_ERROR",
        "OPERATION_NOT_ALLOWED",
    ]

    private static func judgement(_ error: GraphQLError) -> (LabelboxError.Kind, LabelboxError.Outcome) {
        if error.message.hasPrefix("You have exceeded") { return (.rateLimited(retryAfter: nil), .notProcessed) }
        switch error.code {
        case "AUTHENTICATION_ERROR": return (.authentication, .notProcessed)
        case "AUTHORIZATION_ERROR": return (.permission, .failed)
        case "GRAPHQL_VALIDATION_FAILED":
            return (error.message.lowercased().contains("complexity") ? .queryTooComplex : .invalidQuery, .failed)
        case "GRAPHQL_PARSE_FAILED", "MALFORMED_REQUEST": return (.invalidQuery, .failed)
        case "RESOURCE_NOT_FOUND": return (.notFound(resource: error.field), .failed)
        case "RESOURCE_CONFLICT": return (.conflict, .failed)
        case "INTERNAL_SERVER_ERROR":
            switch error.status {
            case 400: return (.invalidQuery, .failed)
            case 401: return (.authentication, .notProcessed)
            case 413: return (.tooLarge, .failed)
            case 422: return (.refused, .failed)
            case 426: return (.quota, .notProcessed)
            case 429: return (.rateLimited(retryAfter: nil), .notProcessed)
            default: return (.serverError, .unknown)
            }
        case "OPERATION_NOT_ALLOWED": return (.permission, .failed)
        default:
            // Seen in the wild without a code of its own.
            if error.message.contains("LBU limit exceeded") { return (.quota, .notProcessed) }
            return (.refused, .failed)
        }
    }

    private static func holdsSomething(_ data: JSONValue) -> Bool {
        guard case .object(let members) = data else { return false }
        return members.contains { !$0.value.isNull }
    }

    // MARK: Statuses

    private static func byStatus(_ status: Int) -> (LabelboxError.Kind, LabelboxError.Outcome)? {
        switch status {
        case 200..<300: nil
        // Nobody at the API's address redirects: it is a portal, or the address of the web site.
        case 300..<400, 404, 405: (.badAnswer, .notProcessed)
        case 401: (.authentication, .notProcessed)
        case 402, 426: (.quota, .notProcessed)
        case 403: (.permission, .failed)
        case 407: (.unreachable, .notProcessed)
        // The server gave up waiting for the request, or does not want it this early.
        case 408, 425: (.serverError, .unknown)
        case 413, 414, 431: (.tooLarge, .failed)
        case 400: (.invalidQuery, .failed)
        case 400..<500: (.refused, .failed)
        // Cloudflare's: no connection to the server, or no TLS with it.
        case 521, 523, 525, 526, 530: (.serverError, .notProcessed)
        default: (.serverError, .unknown)
        }
    }

    /// What Envoy, which stands before the API, says of a request that got no answer; nil when it says nothing.
    ///
    /// Its reason decides: with "connection failure" the request went nowhere, with "connection termination" the service
    /// had it and hung up.
    private static func proxyOutcome(_ body: [UInt8]) -> LabelboxError.Outcome? {
        // Its texts are one line long; nothing is searched in a page of rows.
        guard body.count <= 1024 else { return nil }
        let text = String(decoding: body, as: UTF8.self)
        if text.contains("no healthy upstream") { return .notProcessed }
        guard text.contains("upstream connect error or disconnect/reset before headers") else { return nil }
        let reasons = [
            "connection failure", "connection timeout", "overflow", "remote refused stream reset",
        ]
        return reasons.contains(where: text.contains) ? .notProcessed : .unknown
    }

    private static func phrase(_ status: Int, syntax: JSONParser.Failure?) -> String {
        (200..<300).contains(status) ? syntax.map(phrase) ?? "no answer of the API" : "HTTP status \(status)"
    }

    private static func phrase(_ syntax: JSONParser.Failure) -> String {
        "the answer is not JSON: \(syntax.description) at byte \(syntax.offset)"
    }
}
